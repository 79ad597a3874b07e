// SPDX-License-Identifier: Apache-2.0

extension FloatFormat {
    /// The rounded value, with its flags, of a magnitude whose leading one is the top bit of `significand` and has the
    /// biased exponent `exponent`. The lowest bits may be sticky: they stand for anything discarded below them.
    @inlinable @inline(__always)
    static func round<Rules>(
        sign: Significand, exponent: Int, significand: Significand, _ environment: inout FloatEnvironment<Rules>
    ) -> Self {
        // Neither can the result be subnormal, nor can a carry reach the exponent of infinity.
        guard UInt(bitPattern: exponent &- 1) < UInt(bitPattern: maximumExponent &- 2) else {
            return roundAtBounds(sign: sign, exponent: exponent, significand: significand, &environment)
        }
        let half = (1 as Significand) &<< (guardBits &- 1)
        let kept = significand &>> guardBits
        let discarded = significand & (half &- 1 &+ half)
        let increment = environment.rounding.increment(half: half, odd: kept & 1, negative: sign != 0)
        environment.flags.insertInexact(if: discarded)
        return assemble(
            sign: sign, exponent: exponent, significand: kept &+ ((discarded &+ increment) &>> guardBits))
    }

    /// As `round`, of results that overflow or are subnormal, or nearly so.
    @inlinable @inline(never)
    static func roundAtBounds<Rules>(
        sign: Significand, exponent: Int, significand: Significand, _ environment: inout FloatEnvironment<Rules>
    ) -> Self {
        let half = (1 as Significand) &<< (guardBits &- 1)
        let mask = half &- 1 &+ half
        let negative = sign != 0
        let odd = (significand &>> guardBits) & 1
        let increment = environment.rounding.increment(half: half, odd: odd, negative: negative)
        if exponent < 1 {
            return roundTiny(
                sign: sign, exponent: exponent, significand: significand,
                carries: significand.addingReportingOverflow(increment).overflow, &environment)
        }
        let kept = (significand &>> guardBits) &+ (((significand & mask) &+ increment) &>> guardBits)
        if exponent >= maximumExponent || exponent == maximumExponent &- 1 && kept &>> fractionBits > 1 {
            environment.flags.insert(.overflow)
            if !environment.rules.trapsOverflow || significand & mask != 0 { environment.flags.insert(.inexact) }
            return environment.rounding.overflowsToInfinity(negative: negative)
                ? infinity(negative: negative) : greatestFinite(negative: negative)
        }
        environment.flags.insertInexact(if: significand & mask)
        return assemble(sign: sign, exponent: exponent, significand: kept)
    }

    /// Rounds a magnitude below the smallest normal number. `carries` says that rounded to the full precision it would
    /// reach the next power of two.
    @inlinable
    static func roundTiny<Rules>(
        sign: Significand, exponent: Int, significand: Significand, carries: Bool,
        _ environment: inout FloatEnvironment<Rules>
    ) -> Self {
        // IEEE 754 §7.5: after rounding, tiny is what stays subnormal were the exponent unbounded.
        let isTiny = Rules.detectsTininessBeforeRounding || exponent < 0 || !carries
        if isTiny && environment.rules.flushesTinyResults {
            environment.flags.formUnion([.underflow, .inexact])
            return Self(pattern: sign)
        }
        let half = (1 as Significand) &<< (guardBits &- 1)
        if isTiny && environment.rules.trapsUnderflow {
            environment.flags.insert(.underflow)
            environment.flags.insertInexact(if: significand & (half &- 1 &+ half))
            return Self(pattern: sign)
        }
        let shifted = significand.shiftedRightSticky(1 &- exponent)
        let discarded = shifted & (half &- 1 &+ half)
        let kept = shifted &>> guardBits
        let increment = environment.rounding.increment(half: half, odd: kept & 1, negative: sign != 0)
        if discarded != 0 { environment.flags.formUnion(isTiny ? [.underflow, .inexact] : .inexact) }
        // Subnormal numbers have no integer bit, and so the exponent field 0; a carry makes it 1.
        return Self(pattern: sign | (kept &+ ((discarded &+ increment) &>> guardBits)))
    }
}

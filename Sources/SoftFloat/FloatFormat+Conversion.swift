// SPDX-License-Identifier: Apache-2.0

extension FloatFormat {
    /// The value in another format, rounded if that one is narrower (IEEE 754 §5.4.2).
    @inlinable
    public func converted<Target: FloatFormat, Rules>(
        to target: Target.Type, _ environment: inout FloatEnvironment<Rules>
    ) -> Target {
        if magnitude >= Self.infinityPattern {
            if !isNaN { return .infinity(negative: isNegative) }
            if isSignalingNaN { environment.flags.insert(.invalid) }
            return environment.rules.nan(converting: self)
        }
        if isZero { return .zero(negative: isNegative) }
        let (exponent, significand) = normalized
        return Target.round(
            sign: isNegative ? Target.signMask : 0, exponent: exponent &- Self.bias &+ Target.bias,
            significand: Target.Significand(aligning: significand), &environment)
    }

    /// The value rounded to a whole number of the same format (IEEE 754 §5.9). `raisesInexact` makes a change of value
    /// raise `inexact` (roundToIntegralExact, RISC-V's `froundnx`).
    @inlinable
    public func roundedToIntegral<Rules>(
        raisesInexact: Bool = false, _ environment: inout FloatEnvironment<Rules>
    ) -> Self {
        if isNaN { return environment.nan(self) }
        let exponent = exponentField &- Self.bias
        if exponent >= Self.fractionBits || isZero { return self }
        if exponent < 0 {
            // All fractions below one half round alike, subnormal ones too.
            let discarded = exponent == -1 ? integerAndFraction : 1
            if raisesInexact { environment.flags.insertInexact(if: discarded) }
            let half = Self.integerBit
            let increment = environment.rounding.increment(half: half, odd: 0, negative: isNegative)
            let one = Significand(truncatingIfNeeded: Self.bias) &<< Self.fractionBits
            return Self(pattern: sign | (discarded &+ increment < half &<< 1 ? 0 : one))
        }
        // The digit of weight one. In [1, 2) it is the lowest bit of the exponent field, which is set: the bias is odd.
        let one = Self.integerBit &>> exponent
        let discarded = magnitude & (one &- 1)
        if raisesInexact { environment.flags.insertInexact(if: discarded) }
        let odd: Significand = magnitude & one == 0 ? 0 : 1
        let increment = environment.rounding.increment(half: one &>> 1, odd: odd, negative: isNegative)
        // A carry out of the fraction belongs in the exponent.
        return Self(pattern: (pattern &+ increment) & ~(one &- 1))
    }
}

extension FixedWidthInteger where Self: UnsignedInteger {
    /// The digits of another significand, the top bits aligned; what does not fit is sticky.
    @inlinable @inline(__always)
    init<Digits: FixedWidthInteger & UnsignedInteger>(aligning digits: Digits) {
        let surplus = Digits.bitWidth &- Self.bitWidth
        self =
            surplus > 0
            ? Self(truncatingIfNeeded: digits.shiftedRightSticky(surplus))
            : Self(truncatingIfNeeded: digits) &<< (0 &- surplus)
    }
}

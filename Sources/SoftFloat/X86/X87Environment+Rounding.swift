// SPDX-License-Identifier: Apache-2.0

extension X87Environment {
    /// A magnitude rounded at the bit of weight `unit`, with what lies below its significand in `tail`, scaled by 2^64.
    /// A carry leaves the significand at its top bit, with the exponent one higher.
    @inlinable
    func rounded(
        _ significand: UInt64, tail: UInt64, exponent: Int, precision: Int, negative: Bool
    ) -> (significand: UInt64, exponent: Int, isExact: Bool, isUp: Bool) {
        let dropped = 64 &- precision
        let unit: UInt64 = 1 &<< dropped
        let kept = significand & ~(unit &- 1)
        let fraction =
            dropped == 0 ? tail : significand &<< precision | (tail == 0 ? 0 : 1)
        let isUp = fraction.addingReportingOverflow(
            rounding.increment(half: 1 &<< 63, odd: kept &>> dropped & 1, negative: negative)
        ).overflow
        guard isUp else { return (kept, exponent, fraction == 0, false) }
        let (sum, carries) = kept.addingReportingOverflow(unit)
        return (carries ? 1 &<< 63 : sum, carries ? exponent &+ 1 : exponent, false, true)
    }

    /// Rounds a magnitude whose leading one is the top bit of `significand`, of biased exponent `exponent`, to the
    /// extended format in `precision` bits, with all flags.
    @inlinable
    mutating func round(
        negative: Bool, exponent: Int, significand: UInt64, tail: UInt64, precision: Int
    ) -> Extended80 {
        let result = round(
            negative: negative, exponent: exponent, significand: significand, tail: tail,
            target: RoundingTarget(precision: precision), wraps: true)
        return Extended80(negative: negative, exponent: result.exponent, significand: result.significand)
    }

    /// Rounds to `target`. The exponent that comes back is 0 for what stays below the normal numbers and the maximum's
    /// successor, `0x7fff` for the extended format, for infinity. `wraps` says whether an unmasked overflow or
    /// underflow wraps the exponent; a store to memory does not happen then.
    @inlinable
    mutating func round(
        negative: Bool, exponent: Int, significand: UInt64, tail: UInt64, target: RoundingTarget, wraps: Bool
    ) -> (exponent: Int, significand: UInt64) {
        let free = rounded(
            significand, tail: tail, exponent: exponent, precision: target.precision, negative: negative)
        if exponent >= target.minimum && free.exponent <= target.maximum {
            if !free.isExact { flags.insert(.inexact) }
            roundedUp = free.isUp
            return (free.exponent, free.significand)
        }
        if free.exponent > target.maximum {
            return overflow(negative: negative, free, target: target, wraps: wraps)
        }
        // Tiny after rounding: what stays below the normal numbers were the exponent unbounded (§4.9.1.5).
        let isTiny = free.exponent < target.minimum
        if isTiny && !masks.contains(.underflow) {
            flags.insert(.underflow)
            guard wraps else { return (0, 0) }
            return wrapped(free, to: free.exponent &+ 24576, otherwise: (0, 0))
        }
        let digits = (UInt128(significand) &<< 64 | UInt128(tail)).shiftedRightSticky(target.minimum &- exponent)
        let high = UInt64(truncatingIfNeeded: digits &>> 64)
        let held = rounded(
            high, tail: UInt64(truncatingIfNeeded: digits), exponent: 0, precision: target.precision,
            negative: negative)
        if !held.isExact { flags.formUnion(isTiny ? [.underflow, .inexact] : .inexact) }
        roundedUp = held.isUp
        // A carry into the integer bit makes the smallest normal number.
        return (held.significand &>> 63 == 0 ? 0 : target.minimum, held.significand)
    }

    @inlinable @inline(never)
    mutating func overflow(
        negative: Bool, _ free: (significand: UInt64, exponent: Int, isExact: Bool, isUp: Bool),
        target: RoundingTarget, wraps: Bool
    ) -> (exponent: Int, significand: UInt64) {
        flags.insert(.overflow)
        if !masks.contains(.overflow) {
            guard wraps else { return (0, 0) }
            return wrapped(free, to: free.exponent &- 24576, otherwise: (target.maximum &+ 1, 1 &<< 63))
        }
        flags.insert(.inexact)
        roundedUp = rounding.overflowsToInfinity(negative: negative)
        return roundedUp
            ? (target.maximum &+ 1, 1 &<< 63) : (target.maximum, UInt64.max &<< (64 &- target.precision))
    }

    /// A result with its exponent wrapped into range, or, where FSCALE went too far even for that, `limit`: infinity
    /// or zero whatever the rounding mode (Intel SDM Vol 1 §8.5.4, §8.5.5).
    @inlinable @inline(never)
    mutating func wrapped(
        _ free: (significand: UInt64, exponent: Int, isExact: Bool, isUp: Bool), to exponent: Int,
        otherwise limit: (exponent: Int, significand: UInt64)
    ) -> (exponent: Int, significand: UInt64) {
        guard exponent > 0 && exponent < Extended80.maximumExponent else {
            flags.insert(.inexact)
            roundedUp = limit.exponent != 0
            return limit
        }
        if !free.isExact { flags.insert(.inexact) }
        roundedUp = free.isUp
        return (exponent, free.significand)
    }
}

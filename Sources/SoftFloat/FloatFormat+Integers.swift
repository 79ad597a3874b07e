// SPDX-License-Identifier: Apache-2.0

extension FloatFormat {
    /// The value rounded to an integer of at most 64 bits (IEEE 754 §5.8). A NaN or an integer out of range raises
    /// `invalid`, and no `inexact`, and gives what the rules say: on RISC-V the nearest bound, the largest for a NaN.
    @inlinable
    public func toInteger<Integer: FixedWidthInteger, Rules>(
        _ type: Integer.Type, _ environment: inout FloatEnvironment<Rules>
    ) -> Integer {
        let exponent = exponentField &- Self.bias
        guard exponent < 64 && magnitude < Self.infinityPattern else {
            environment.flags.insert(.invalid)
            return environment.rules.unrepresentable(negative: isNegative, isNaN: isNaN)
        }
        // The whole part, and the fraction scaled by 2^64 with everything further below as a sticky bit.
        let (whole, fraction) = wholeAndFraction(exponent: exponent)
        let increment = environment.rounding.increment(half: 1 &<< 63, odd: whole & 1, negative: isNegative)
        let rounded = whole &+ (fraction.addingReportingOverflow(increment).overflow ? 1 : 0)
        let limit: UInt64 =
            isNegative ? UInt64(truncatingIfNeeded: Integer.min.magnitude) : UInt64(truncatingIfNeeded: Integer.max)
        guard rounded <= limit else {
            environment.flags.insert(.invalid)
            return environment.rules.unrepresentable(negative: isNegative, isNaN: false)
        }
        environment.flags.insertInexact(if: fraction)
        return Integer(truncatingIfNeeded: isNegative ? 0 &- rounded : rounded)
    }

    /// The magnitude of a number below 2^64, split at the point; `exponent` is that of its integer bit.
    @inlinable
    func wholeAndFraction(exponent: Int) -> (whole: UInt64, fraction: UInt64) {
        let digits = UInt64(truncatingIfNeeded: integerAndFraction)
        let shift = exponent &- Self.fractionBits
        if shift >= 0 { return (digits &<< shift, 0) }
        if shift > -64 { return (digits &>> (0 &- shift), digits &<< (64 &+ shift)) }
        return (0, digits.shiftedRightSticky(-64 &- shift))
    }

    /// An integer of at most 64 bits in this format, rounded where the precision does not suffice (IEEE 754 §5.4.1).
    @inlinable
    public static func fromInteger<Integer: FixedWidthInteger, Rules>(
        _ value: Integer, _ environment: inout FloatEnvironment<Rules>
    ) -> Self {
        if value == 0 { return zero() }
        let digits = Significand(truncatingIfNeeded: value.magnitude)
        let shift = digits.leadingZeroBitCount
        return round(
            sign: value < 0 ? signMask : 0, exponent: bias &+ Significand.bitWidth &- 1 &- shift,
            significand: digits &<< shift, &environment)
    }
}

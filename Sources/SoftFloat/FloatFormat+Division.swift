// SPDX-License-Identifier: Apache-2.0

extension FloatFormat {
    /// `x / y`, rounded (IEEE 754 §5.4.1).
    @inlinable
    public static func divide<Rules>(_ x: Self, _ y: Self, _ environment: inout FloatEnvironment<Rules>) -> Self {
        guard x.isNormal && y.isNormal else { return divideSpecial(x, y, &environment) }
        return quotient(
            sign: (x.pattern ^ y.pattern) & signMask,
            (exponent: x.exponentField, significand: x.integerAndFraction &<< guardBits),
            (exponent: y.exponentField, significand: y.integerAndFraction &<< guardBits), &environment)
    }

    /// The rounded quotient of two significands with their leading ones as the top bits.
    @inlinable @inline(__always)
    static func quotient<Rules>(
        sign: Significand, _ x: (exponent: Int, significand: Significand),
        _ y: (exponent: Int, significand: Significand), _ environment: inout FloatEnvironment<Rules>
    ) -> Self {
        // Half of x over y, which is below one, so that the quotient fits whatever the operands.
        let half = (x.significand &>> 1, x.significand &<< (Significand.bitWidth &- 1))
        let (digits, remainder) = y.significand.dividingFullWidth(half)
        let shift = digits.leadingZeroBitCount
        return round(
            sign: sign, exponent: x.exponent &- y.exponent &+ bias &- shift,
            significand: (digits &<< shift) | (remainder == 0 ? 0 : 1), &environment)
    }

    /// The quotient where at least one operand is not normal.
    @inlinable @inline(never)
    static func divideSpecial<Rules>(
        _ x: Self, _ y: Self, _ environment: inout FloatEnvironment<Rules>
    ) -> Self {
        if x.isNaN || y.isNaN { return environment.nan(x, y) }
        let sign = (x.pattern ^ y.pattern) & signMask
        if x.isInfinite { return y.isInfinite ? environment.invalid() : infinity(negative: sign != 0) }
        if y.isInfinite { return Self(pattern: sign) }
        if y.isZero {
            if x.isZero { return environment.invalid() }
            environment.flags.insert(.divideByZero)
            return infinity(negative: sign != 0)
        }
        if x.isZero { return Self(pattern: sign) }
        return quotient(sign: sign, x.normalized, y.normalized, &environment)
    }
}

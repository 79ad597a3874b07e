// SPDX-License-Identifier: Apache-2.0

extension FloatFormat {
    /// `x * y`, rounded (IEEE 754 §5.4.1).
    @inlinable
    public static func multiply<Rules>(_ x: Self, _ y: Self, _ environment: inout FloatEnvironment<Rules>) -> Self {
        guard x.isNormal && y.isNormal else { return multiplySpecial(x, y, &environment) }
        return product(
            sign: (x.pattern ^ y.pattern) & signMask,
            (exponent: x.exponentField, significand: x.integerAndFraction &<< guardBits),
            (exponent: y.exponentField, significand: y.integerAndFraction &<< guardBits), &environment)
    }

    /// The rounded product of two significands with their leading ones as the top bits.
    @inlinable @inline(__always)
    static func product<Rules>(
        sign: Significand, _ x: (exponent: Int, significand: Significand),
        _ y: (exponent: Int, significand: Significand), _ environment: inout FloatEnvironment<Rules>
    ) -> Self {
        let (high, low) = x.significand.multipliedFullWidth(by: y.significand)
        // The product of two numbers in [1, 2) is in [1, 4): its leading one is the top bit or the one below.
        let shift = 1 &- Int(truncatingIfNeeded: high &>> (Significand.bitWidth &- 1))
        return round(
            sign: sign, exponent: x.exponent &+ y.exponent &- bias &+ 1 &- shift,
            significand: (high &<< shift) | (low == 0 ? 0 : 1), &environment)
    }

    /// The product where at least one operand is not normal.
    @inlinable @inline(never)
    static func multiplySpecial<Rules>(
        _ x: Self, _ y: Self, _ environment: inout FloatEnvironment<Rules>
    ) -> Self {
        if x.isNaN || y.isNaN { return environment.nan(x, y) }
        let sign = (x.pattern ^ y.pattern) & signMask
        if x.isInfinite || y.isInfinite {
            return x.isZero || y.isZero ? environment.invalid() : infinity(negative: sign != 0)
        }
        if x.isZero || y.isZero { return Self(pattern: sign) }
        return product(sign: sign, x.normalized, y.normalized, &environment)
    }
}

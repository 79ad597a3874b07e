// SPDX-License-Identifier: Apache-2.0

extension FloatFormat {
    /// `x + y`, rounded (IEEE 754 §5.4.1).
    @inlinable
    public static func add<Rules>(_ x: Self, _ y: Self, _ environment: inout FloatEnvironment<Rules>) -> Self {
        sum(x, y, flip: 0, &environment)
    }

    /// `x - y`, rounded (IEEE 754 §5.4.1).
    @inlinable
    public static func subtract<Rules>(_ x: Self, _ y: Self, _ environment: inout FloatEnvironment<Rules>) -> Self {
        sum(x, y, flip: signMask, &environment)
    }

    /// `x` plus `y` with `flip` applied to the sign of `y`, or to none of it where `y` is a NaN.
    @inlinable @inline(__always)
    static func sum<Rules>(
        _ x: Self, _ y: Self, flip: Significand, _ environment: inout FloatEnvironment<Rules>
    ) -> Self {
        let added = Self(pattern: y.pattern ^ flip)
        let ordered = x.magnitude >= added.magnitude
        let large = ordered ? x : added
        let small = ordered ? added : x
        guard large.magnitude < infinityPattern else { return sumOfSpecial(x, y, flip: flip, &environment) }

        // Significands with the integer bit below the top leave room for the carry, and subnormal numbers need no care.
        // The guard bits below suffice: bits are lost only by shifts of two or more, where at most one digit cancels.
        let exponent = Swift.max(large.exponentField, 1)
        let distance = exponent &- Swift.max(small.exponentField, 1)
        let augend = large.integerAndFraction &<< (guardBits &- 1)
        let addend = (small.integerAndFraction &<< (guardBits &- 1)).shiftedRightSticky(distance)
        let differ = (large.pattern ^ small.pattern) & signMask != 0
        let total = differ ? augend &- addend : augend &+ addend
        if total == 0 {
            // IEEE 754 §6.3: an exact zero sum of unlike signs is +0, or -0 when rounding down.
            return differ ? zero(negative: environment.rounding == .down) : Self(pattern: large.sign)
        }
        let shift = total.leadingZeroBitCount
        return round(
            sign: large.sign, exponent: exponent &+ 1 &- shift, significand: total &<< shift, &environment)
    }

    /// The sum where at least one operand is an infinity or a NaN.
    @inlinable @inline(never)
    static func sumOfSpecial<Rules>(
        _ x: Self, _ y: Self, flip: Significand, _ environment: inout FloatEnvironment<Rules>
    ) -> Self {
        if x.isNaN || y.isNaN { return environment.nan(x, y) }
        let added = Self(pattern: y.pattern ^ flip)
        if x.isInfinite && added.isInfinite && x.sign != added.sign { return environment.invalid() }
        return x.isInfinite ? x : added
    }
}

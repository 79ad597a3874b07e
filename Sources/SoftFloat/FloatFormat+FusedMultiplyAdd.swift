// SPDX-License-Identifier: Apache-2.0

extension InterchangeFormat {
    /// `x * y + z`, rounded once (IEEE 754 §5.4.1, fusedMultiplyAdd).
    @inlinable
    public static func multiplyAdd<Rules>(
        _ x: Self, _ y: Self, _ z: Self, _ environment: inout FloatEnvironment<Rules>
    ) -> Self {
        // What a subnormal z loses (see `fused`) would count where underflow traps.
        guard
            x.isNormal && y.isNormal && z.magnitude < infinityPattern
                && !(environment.rules.trapsUnderflow && z.exponentField == 0)
        else { return multiplyAddSpecial(x, y, z, &environment) }
        return fused(
            sign: (x.pattern ^ y.pattern) & signMask,
            (exponent: x.exponentField, significand: x.integerAndFraction),
            (exponent: y.exponentField, significand: y.integerAndFraction), addendSign: z.sign,
            (exponent: Swift.max(z.exponentField, 1), significand: z.integerAndFraction), &environment)
    }

    /// The product of two significands, their leading ones where the integer bit is, plus a number that may be
    /// subnormal.
    @inlinable @inline(__always)
    static func fused<Rules>(
        sign: Significand, _ x: (exponent: Int, significand: Significand),
        _ y: (exponent: Int, significand: Significand), addendSign: Significand,
        _ z: (exponent: Int, significand: Significand), _ environment: inout FloatEnvironment<Rules>
    ) -> Self {
        // Both terms exactly, with the leading one in or just below the second bit from the top: a carry has room, and
        // enough zeros lie below that bits are lost only by shifts after which at most one digit cancels. A subnormal z
        // starts further below, but then the result's last place is fixed, far above anything that is lost.
        let width = Product.bitWidth
        let product =
            (Product(truncatingIfNeeded: x.significand) &* Product(truncatingIfNeeded: y.significand))
            &<< (width &- 3 &- 2 &* fractionBits)
        let addend = Product(truncatingIfNeeded: z.significand) &<< (width &- 2 &- fractionBits)
        let productExponent = x.exponent &+ y.exponent &- bias &+ 1
        let addendExponent = z.exponent
        let distance = productExponent &- addendExponent
        let swaps = distance < 0
        let first = swaps ? addend : product
        let second = (swaps ? product : addend).shiftedRightSticky(swaps ? 0 &- distance : distance)

        // Signs are hard to predict: no branches. Terms of unlike signs are subtracted by complement, the difference
        // complemented where the second was the larger one, as it may be at equal exponents.
        let differ: Product = addendSign != sign ? .max : 0
        let difference = first &+ (second ^ differ) &- differ
        let negates = 0 &- ((difference & differ) &>> (width &- 1))
        var total = (difference ^ negates) &- negates
        if total == 0 { return zero(negative: environment.rounding == .down) }
        let resultSign = (swaps ? addendSign : sign) ^ (signMask & Significand(truncatingIfNeeded: negates))
        let shift = total.leadingZeroBitCount
        total &<<= shift
        let high = Significand(truncatingIfNeeded: total &>> (width &- Significand.bitWidth))
        let low = total & (((1 as Product) &<< (width &- Significand.bitWidth)) &- 1)
        return round(
            sign: resultSign, exponent: Swift.max(productExponent, addendExponent) &+ 1 &- shift,
            significand: high | (low == 0 ? 0 : 1), &environment)
    }

    /// The fused product and sum where a factor is not normal or an operand not finite.
    @inlinable @inline(never)
    static func multiplyAddSpecial<Rules>(
        _ x: Self, _ y: Self, _ z: Self, _ environment: inout FloatEnvironment<Rules>
    ) -> Self {
        let invalidProduct = x.isInfinite && y.isZero || x.isZero && y.isInfinite
        if x.isNaN || y.isNaN || z.isNaN {
            if x.isSignalingNaN || y.isSignalingNaN || z.isSignalingNaN
                || invalidProduct && Rules.infinityTimesZeroPlusNaNIsInvalid
            {
                environment.flags.insert(.invalid)
            }
            return environment.rules.nan(x, y, z)
        }
        if invalidProduct { return environment.invalid() }
        let sign = (x.pattern ^ y.pattern) & signMask
        if x.isInfinite || y.isInfinite {
            return z.isInfinite && z.sign != sign ? environment.invalid() : infinity(negative: sign != 0)
        }
        if z.isInfinite { return z }
        if x.isZero || y.isZero { return add(Self(pattern: sign), z, &environment) }
        let (left, right) = (x.normalized, y.normalized)
        if z.isZero { return product(sign: sign, left, right, &environment) }
        let addend = z.normalized
        return fused(
            sign: sign, (exponent: left.exponent, significand: left.significand &>> guardBits),
            (exponent: right.exponent, significand: right.significand &>> guardBits), addendSign: z.sign,
            (exponent: addend.exponent, significand: addend.significand &>> guardBits), &environment)
    }
}

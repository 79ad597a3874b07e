// SPDX-License-Identifier: Apache-2.0

extension FloatFormat {
    /// The square root of `x`, rounded (IEEE 754 §5.4.1).
    @inlinable
    public static func squareRoot<Rules>(_ x: Self, _ environment: inout FloatEnvironment<Rules>) -> Self {
        if x.isNaN { return environment.nan(x) }
        if x.isZero { return x }
        if x.isNegative { return environment.invalid() }
        if x.isInfinite { return x }

        let (biased, significand) = x.normalized
        let exponent = biased &- bias
        // The radicand in [1, 4), so that the exponent is even; the root is then in [1, 2).
        var remainder = (significand &>> guardBits) &<< (1 &+ (exponent & 1))
        var twice: Significand = 0
        var root: Significand = 0
        // One digit a turn, and one more than the precision: the rounding digit. The rest is sticky.
        var digit = integerBit &<< 1
        while digit != 0 {
            let trial = twice &+ digit
            if trial <= remainder {
                twice = trial &+ digit
                remainder &-= trial
                root |= digit
            }
            remainder &<<= 1
            digit &>>= 1
        }
        return round(
            sign: 0, exponent: (exponent &>> 1) &+ bias,
            significand: (root &<< (guardBits &- 1)) | (remainder == 0 ? 0 : 1), &environment)
    }
}

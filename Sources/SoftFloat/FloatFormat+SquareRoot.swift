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
        // The radicand in [1, 4) with an even exponent, the point below its second bit; the root is then in [1, 2).
        let radicand = significand &>> (1 &- (exponent & 1))
        let (root, isExact) = root(of: radicand)
        return round(
            sign: 0, exponent: (exponent &>> 1) &+ bias, significand: root | (isExact ? 0 : 1), &environment)
    }

    /// The root's digits from the top bit on, at least one more than the precision, and whether they are all of it.
    /// One of the two top bits of `radicand` is set, and its lowest bit is clear.
    @inlinable @inline(__always)
    static func root(of radicand: Significand) -> (digits: Significand, isExact: Bool) {
        let halfWidth = Significand.bitWidth &>> 1
        // Heron's method from the line 3/4 + 5/16 x, at most 1/16 off. Each step squares the error and halves it, so
        // that three give 39 bits and four 79: more than half the width. A step never ends below the whole root.
        var half = ((radicand &>> (halfWidth &+ 3)) &* 5) &+ (3 &<< (halfWidth &- 3))
        var accuracy = 4
        while accuracy < halfWidth {
            half = (half &+ radicand / half) &>> 1
            accuracy = 2 &* accuracy &+ 1
        }
        let square = half.multipliedReportingOverflow(by: half)
        if square.overflow || square.partialValue > radicand { half &-= 1 }
        let remainder = radicand &- half &* half
        if fractionBits &+ 2 <= halfWidth { return (half &<< halfWidth, remainder == 0) }

        // The other half of the digits by one division (P. Zimmermann, "Karatsuba Square Root", 1999), or one too many.
        // A clear lowest bit keeps the radicand away from the square whose digits would not fit.
        let digits = (half &<< halfWidth) &+ (remainder &<< (halfWidth &- 1)) / half
        let (high, low) = digits.multipliedFullWidth(by: digits)
        let isTooLarge = high > radicand || high == radicand && low != 0
        return (isTooLarge ? digits &- 1 : digits, high == radicand && low == 0)
    }
}

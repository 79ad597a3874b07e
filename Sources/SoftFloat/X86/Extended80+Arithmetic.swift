// SPDX-License-Identifier: Apache-2.0

// FADD, FSUB, FMUL, FDIV and FSQRT: rounded to the precision that the control word asks for.
extension Extended80 {
    /// FADD: `x + y`.
    @inlinable
    public static func add(_ x: Extended80, _ y: Extended80, _ environment: inout X87Environment) -> Extended80 {
        sum(x, y, flips: false, &environment)
    }

    /// FSUB: `x - y`.
    @inlinable
    public static func subtract(_ x: Extended80, _ y: Extended80, _ environment: inout X87Environment) -> Extended80 {
        sum(x, y, flips: true, &environment)
    }

    /// Whether the operand is neither finite nor supported.
    @inlinable var isSpecial: Bool { exponentField == Self.maximumExponent || isUnsupported }

    @inlinable
    static func sum(
        _ x: Extended80, _ y: Extended80, flips: Bool, _ environment: inout X87Environment
    ) -> Extended80 {
        let negative = y.isNegative != flips
        if x.isSpecial || y.isSpecial {
            if x.isNaN || y.isNaN || x.isUnsupported || y.isUnsupported { return environment.nan(x, y) }
            if x.isInfinite && y.isInfinite && x.isNegative != negative { return environment.invalid() }
            if environment.isStopped(byDenormal: x.isDenormal || y.isDenormal) { return x }
            return .infinity(negative: x.isInfinite ? x.isNegative : negative)
        }
        if environment.isStopped(byDenormal: x.isDenormal || y.isDenormal) { return x }
        let precision = environment.precision
        if x.isZero || y.isZero {
            if x.isZero && y.isZero {
                return .zero(negative: x.isNegative == negative ? negative : environment.rounding == .down)
            }
            let (exponent, significand) = x.isZero ? y.normalized : x.normalized
            return environment.round(
                negative: x.isZero ? negative : x.isNegative, exponent: exponent, significand: significand, tail: 0,
                precision: precision)
        }
        return sum(
            (x.isNegative, x.normalized), (negative, y.normalized), precision: precision, &environment)
    }

    /// The rounded sum of two numbers other than zero.
    @inlinable
    static func sum(
        _ x: (negative: Bool, number: (exponent: Int, significand: UInt64)),
        _ y: (negative: Bool, number: (exponent: Int, significand: UInt64)), precision: Int,
        _ environment: inout X87Environment
    ) -> Extended80 {
        let ordered = x.number >= y.number
        let (large, small) = ordered ? (x, y) : (y, x)
        // A bit for the carry above, 63 guard bits below: bits are lost only where at most one digit cancels.
        let augend = UInt128(large.number.significand) &<< 63
        let addend = (UInt128(small.number.significand) &<< 63).shiftedRightSticky(
            large.number.exponent &- small.number.exponent)
        let total = x.negative == y.negative ? augend &+ addend : augend &- addend
        if total == 0 { return .zero(negative: environment.rounding == .down) }
        let shift = total.leadingZeroBitCount
        let digits = total &<< shift
        return environment.round(
            negative: large.negative, exponent: large.number.exponent &+ 1 &- shift,
            significand: UInt64(truncatingIfNeeded: digits &>> 64), tail: UInt64(truncatingIfNeeded: digits),
            precision: precision)
    }

    /// FMUL: `x * y`.
    @inlinable
    public static func multiply(_ x: Extended80, _ y: Extended80, _ environment: inout X87Environment) -> Extended80 {
        let negative = x.isNegative != y.isNegative
        if x.isSpecial || y.isSpecial {
            if x.isNaN || y.isNaN || x.isUnsupported || y.isUnsupported { return environment.nan(x, y) }
            if x.isZero || y.isZero { return environment.invalid() }
            if environment.isStopped(byDenormal: x.isDenormal || y.isDenormal) { return x }
            return .infinity(negative: negative)
        }
        if environment.isStopped(byDenormal: x.isDenormal || y.isDenormal) { return x }
        if x.isZero || y.isZero { return .zero(negative: negative) }
        let (left, right) = (x.normalized, y.normalized)
        let (high, low) = left.significand.multipliedFullWidth(by: right.significand)
        let shift = high.leadingZeroBitCount
        return environment.round(
            negative: negative, exponent: left.exponent &+ right.exponent &- bias &+ 1 &- shift,
            significand: shift == 0 ? high : high &<< 1 | low &>> 63, tail: low &<< shift,
            precision: environment.precision)
    }

    /// FDIV: `x / y`.
    @inlinable
    public static func divide(_ x: Extended80, _ y: Extended80, _ environment: inout X87Environment) -> Extended80 {
        let negative = x.isNegative != y.isNegative
        if x.isSpecial || y.isSpecial {
            if x.isNaN || y.isNaN || x.isUnsupported || y.isUnsupported { return environment.nan(x, y) }
            if x.isInfinite && y.isInfinite { return environment.invalid() }
            if environment.isStopped(byDenormal: x.isDenormal || y.isDenormal) { return x }
            return x.isInfinite ? .infinity(negative: negative) : .zero(negative: negative)
        }
        if y.isZero {
            if x.isZero { return environment.invalid() }
            environment.flags.insert(.divideByZero)
            return .infinity(negative: negative)
        }
        if environment.isStopped(byDenormal: x.isDenormal || y.isDenormal) { return x }
        if x.isZero { return .zero(negative: negative) }
        let (left, right) = (x.normalized, y.normalized)
        // Half of x over y is below one: 64 digits, then 64 more of which the last is sticky.
        let (high, rest) = right.significand.dividingFullWidth((left.significand &>> 1, left.significand &<< 63))
        let (low, remainder) = right.significand.dividingFullWidth((rest, 0))
        let shift = high.leadingZeroBitCount
        let tail = low | (remainder == 0 ? 0 : 1)
        return environment.round(
            negative: negative, exponent: left.exponent &- right.exponent &+ bias &- shift,
            significand: shift == 0 ? high : high &<< 1 | low &>> 63, tail: tail &<< shift,
            precision: environment.precision)
    }

    /// FSQRT.
    @inlinable
    public static func squareRoot(_ x: Extended80, _ environment: inout X87Environment) -> Extended80 {
        if x.isNaN || x.isUnsupported { return environment.nan(x, x) }
        if x.isZero { return x }
        if x.isNegative { return environment.invalid() }
        if x.isInfinite { return x }
        if environment.isStopped(byDenormal: x.isDenormal) { return x }
        let (biased, significand) = x.normalized
        let exponent = biased &- bias
        // The radicand in [1, 4) with an even exponent, the point below its second bit.
        let radicand = UInt128(significand) &<< (63 &+ (exponent & 1))
        let (root, remainder) = rootAndRemainder(of: radicand)
        // (root + 1/2)^2 is root^2 + root + 1/4: the remainder says on which side of one half the fraction lies.
        let tail: UInt64 = remainder == 0 ? 0 : remainder > UInt128(root) ? 3 &<< 62 : 1
        return environment.round(
            negative: false, exponent: (exponent &>> 1) &+ bias, significand: root, tail: tail,
            precision: environment.precision)
    }

    /// The whole root of `radicand`, one of whose two top bits is set, and what is left of it.
    @inlinable
    static func rootAndRemainder(of radicand: UInt128) -> (root: UInt64, remainder: UInt128) {
        // The root of the top half by bits, then as many digits again by one division, at most two too many.
        let top = UInt64(truncatingIfNeeded: radicand &>> 64)
        var high: UInt64 = 0
        var bit: UInt64 = 1 &<< 31
        while bit != 0 {
            let trial = high | bit
            if trial &* trial <= top { high = trial }
            bit &>>= 1
        }
        var rest = UInt128(top &- high &* high) &<< 32 | radicand &>> 32 & 0xffff_ffff
        let low = Swift.min(rest / UInt128(high &<< 1), 0xffff_ffff)
        rest = radicand
        var root = high &<< 32 | UInt64(truncatingIfNeeded: low)
        while true {
            let (squareHigh, squareLow) = root.multipliedFullWidth(by: root)
            let square = UInt128(squareHigh) &<< 64 | UInt128(squareLow)
            if square <= radicand { return (root, rest &- square) }
            root &-= 1
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

// FPREM, FPREM1, FRNDINT, FSCALE and FXTRACT: always in the full precision.
extension Extended80 {
    /// The outcome of a partial remainder.
    @frozen
    public struct PartialRemainder: Sendable {
        /// What replaces the dividend.
        public var remainder: Extended80
        /// The low three bits of the quotient, where the reduction is complete.
        public var quotient: UInt8
        /// C2: the exponents are too far apart for one step.
        public var isIncomplete: Bool

        @inlinable
        init(_ remainder: Extended80, quotient: UInt8 = 0, isIncomplete: Bool = false) {
            self.remainder = remainder
            self.quotient = quotient
            self.isIncomplete = isIncomplete
        }
    }

    /// FPREM, and FPREM1 where `toNearest`: the remainder of `x / y`, the quotient truncated or rounded to nearest. One
    /// step takes up to 63 bits off the distance of the exponents (Intel SDM Vol 2, FPREM).
    @inlinable
    public static func partialRemainder(
        _ x: Extended80, _ y: Extended80, toNearest: Bool, _ environment: inout X87Environment
    ) -> PartialRemainder {
        if x.isNaN || y.isNaN || x.isUnsupported || y.isUnsupported { return .init(environment.nan(x, y)) }
        if x.isInfinite || y.isZero { return .init(environment.invalid()) }
        if environment.isStopped(byDenormal: x.isDenormal || y.isDenormal) { return .init(x) }
        if x.isZero { return .init(x) }
        let left = x.normalized
        if y.isInfinite { return .init(exact(x.isNegative, left.exponent, left.significand, &environment)) }
        let right = y.normalized
        let distance = left.exponent &- right.exponent
        // Below half the divisor, or all of it, the number is its own remainder.
        if distance < (toNearest ? -1 : 0) {
            return .init(exact(x.isNegative, left.exponent, left.significand, &environment))
        }
        if distance >= 64 {
            // Between 32 and 63 bits, so that a multiple of 32 is left.
            let step = distance & 31 | 32
            let (_, rest) = reduced(left.significand, by: right.significand, bits: step)
            guard rest != 0 else { return .init(.zero(negative: x.isNegative), isIncomplete: true) }
            let shift = rest.leadingZeroBitCount
            return .init(
                exact(x.isNegative, left.exponent &- step &- shift, rest &<< shift, &environment),
                isIncomplete: true)
        }
        var quotient: UInt64 = 0
        var rest = UInt128(left.significand)
        var exponent = right.exponent
        if distance < 0 {
            // x below y, but perhaps above its half: in units half as large.
            exponent = left.exponent
        } else {
            let (digits, remainder) = reduced(left.significand, by: right.significand, bits: distance)
            quotient = digits
            rest = UInt128(remainder)
        }
        var negative = x.isNegative
        if toNearest {
            let divisor = UInt128(right.significand) &<< (distance < 0 ? 1 : 0)
            let twice = rest &<< 1
            if twice > divisor || twice == divisor && quotient & 1 != 0 {
                rest = divisor &- rest
                quotient &+= 1
                negative.toggle()
            }
        }
        let low = UInt8(truncatingIfNeeded: quotient & 7)
        if rest == 0 { return .init(.zero(negative: x.isNegative), quotient: low) }
        let digits = UInt64(truncatingIfNeeded: rest)
        let shift = digits.leadingZeroBitCount
        return .init(exact(negative, exponent &- shift, digits &<< shift, &environment), quotient: low)
    }

    /// The low 64 digits of the quotient, and the remainder, of `x * 2^bits` by `y`; both have their top bit set, and
    /// `bits` is at most 63.
    @inlinable
    static func reduced(_ x: UInt64, by y: UInt64, bits: Int) -> (quotient: UInt64, remainder: UInt64) {
        let (first, rest) = x.quotientAndRemainder(dividingBy: y)
        if bits == 0 { return (first, rest) }
        let (digits, remainder) = y.dividingFullWidth((rest &>> (64 &- bits), rest &<< bits))
        return (first &<< bits &+ digits, remainder)
    }

    /// A number that fits: it may still underflow where that is unmasked.
    @inlinable
    static func exact(
        _ negative: Bool, _ exponent: Int, _ significand: UInt64, _ environment: inout X87Environment
    ) -> Extended80 {
        environment.round(negative: negative, exponent: exponent, significand: significand, tail: 0, precision: 64)
    }

    /// FRNDINT: the value rounded to a whole number.
    @inlinable
    public func roundedToIntegral(_ environment: inout X87Environment) -> Extended80 {
        if isNaN || isUnsupported { return environment.nan(self, self) }
        if isZero || isInfinite { return self }
        if environment.isStopped(byDenormal: isDenormal) { return self }
        let (exponent, significand) = normalized
        let places = exponent &- Self.bias
        if places >= 63 { return self }
        // Whole digits from the top, as many as the exponent says: none for magnitudes below one.
        let digits = UInt128(significand).shiftedLeft(places &+ 1)
        let whole = UInt64(truncatingIfNeeded: digits &>> 64)
        let fraction = UInt64(truncatingIfNeeded: digits)
        let isUp = fraction.addingReportingOverflow(
            environment.rounding.increment(half: 1 &<< 63, odd: whole & 1, negative: isNegative)
        ).overflow
        if fraction != 0 { environment.flags.insert(.inexact) }
        environment.roundedUp = isUp
        let result = whole &+ (isUp ? 1 : 0)
        if result == 0 { return .zero(negative: isNegative) }
        let shift = result.leadingZeroBitCount
        return Extended80(
            negative: isNegative, exponent: Self.bias &+ 63 &- shift, significand: result &<< shift)
    }

    /// FSCALE: `x` times two to the power of `y` rounded towards zero.
    @inlinable
    public static func scale(_ x: Extended80, _ y: Extended80, _ environment: inout X87Environment) -> Extended80 {
        if x.isNaN || y.isNaN || x.isUnsupported || y.isUnsupported { return environment.nan(x, y) }
        if y.isInfinite {
            if y.isNegative ? x.isInfinite : x.isZero { return environment.invalid() }
            if environment.isStopped(byDenormal: x.isDenormal) { return x }
            return y.isNegative ? .zero(negative: x.isNegative) : .infinity(negative: x.isNegative)
        }
        if environment.isStopped(byDenormal: x.isDenormal || y.isDenormal) { return x }
        if x.isInfinite || x.isZero { return x }
        let (exponent, significand) = x.normalized
        let places = y.exponentField &- bias
        var distance = 0
        if places >= 17 {
            distance = 1 &<< 17
        } else if places >= 0 {
            distance = Int(truncatingIfNeeded: y.significand &>> (63 &- places))
        }
        return environment.round(
            negative: x.isNegative, exponent: exponent &+ (y.isNegative ? 0 &- distance : distance),
            significand: significand, tail: 0, precision: 64)
    }

    /// FXTRACT: the exponent as a number, and the significand with the exponent of one.
    @inlinable
    public func extracted(
        _ environment: inout X87Environment
    ) -> (exponent: Extended80, significand: Extended80) {
        if isNaN || isUnsupported {
            let nan = environment.nan(self, self)
            return (nan, nan)
        }
        if isInfinite { return (.infinity(), self) }
        if isZero {
            environment.flags.insert(.divideByZero)
            return (.infinity(negative: true), self)
        }
        if environment.isStopped(byDenormal: isDenormal) { return (self, self) }
        let (exponent, significand) = normalized
        return (
            Extended80(integer: Int64(exponent &- Self.bias)),
            Extended80(negative: isNegative, exponent: Self.bias, significand: significand)
        )
    }
}

extension UInt128 {
    /// Shifts left by a count up to 127, or right, with a sticky lowest bit, by a negative one.
    @inlinable
    func shiftedLeft(_ count: Int) -> UInt128 {
        count >= 0 ? self &<< count : shiftedRightSticky(0 &- count)
    }
}

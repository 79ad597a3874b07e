// SPDX-License-Identifier: Apache-2.0

// FLD, FST, FILD, FIST, FBLD and FBSTP.
extension Extended80 {
    /// FILD: an integer, exactly.
    @inlinable
    public init(integer value: Int64) {
        let shift = value.magnitude.leadingZeroBitCount
        self =
            value == 0
            ? .zero()
            : Extended80(
                negative: value < 0, exponent: Self.bias &+ 63 &- shift, significand: value.magnitude &<< shift)
    }

    /// FLD m32fp and m64fp: a number of the other format, exactly; a signaling NaN raises `invalid` and becomes quiet,
    /// a denormal raises DE.
    @inlinable
    public init<Format: FloatFormat>(loading x: Format, _ environment: inout X87Environment) {
        if x.isNaN {
            if x.isSignalingNaN { environment.flags.insert(.invalid) }
            let payload = UInt64(truncatingIfNeeded: x.quieted.pattern & Format.fractionMask)
            self.init(
                negative: x.isNegative, exponent: Self.maximumExponent,
                significand: Self.integerBit | payload &<< (63 &- Format.fractionBits))
        } else if x.isInfinite {
            self = .infinity(negative: x.isNegative)
        } else if x.isZero {
            self = .zero(negative: x.isNegative)
        } else {
            if x.isSubnormal { environment.flags.insert(.denormal) }
            let (exponent, significand) = x.normalized
            self.init(
                negative: x.isNegative, exponent: exponent &- Format.bias &+ Self.bias,
                significand: UInt64(aligning: significand))
        }
    }

    /// A number of a narrower format, exactly and without exceptions: a signaling NaN stays one. What FADD m32fp and
    /// its kin compute with.
    @inlinable
    public init<Format: FloatFormat>(exactly x: Format) {
        var environment = X87Environment(control: 0x37f)
        self.init(loading: x, &environment)
        if x.isSignalingNaN { significand &= ~Self.quietBit }
    }

    /// FST m32fp: the value in single precision.
    @inlinable
    public func toSingle(_ environment: inout X87Environment) -> UInt32 {
        UInt32(truncatingIfNeeded: narrowed(.single, Binary32.self, &environment))
    }

    /// FST m64fp: the value in double precision.
    @inlinable
    public func toDouble(_ environment: inout X87Environment) -> UInt64 {
        narrowed(.double, Binary64.self, &environment)
    }

    @inlinable
    func narrowed<Format: FloatFormat>(
        _ target: RoundingTarget, _ format: Format.Type, _ environment: inout X87Environment
    ) -> UInt64 where Format.Significand == UInt64 {
        let sign = isNegative ? Format.signMask : 0
        if isNaN || isUnsupported {
            let nan = environment.nan(self, self)
            let payload = nan.significand &>> (63 &- Format.fractionBits) & Format.fractionMask
            return Format.infinityPattern | payload | (nan.isNegative ? Format.signMask : 0)
        }
        if isInfinite { return sign | Format.infinityPattern }
        if isZero { return sign }
        let (exponent, significand) = normalized
        let result = environment.round(
            negative: isNegative, exponent: exponent, significand: significand, tail: 0, target: target, wraps: false)
        let fraction = result.significand &>> (63 &- Format.fractionBits)
        // A normal number's integer bit adds one to the exponent field.
        let field = result.exponent == 0 ? 0 : result.exponent &- target.minimum
        return sign | (UInt64(truncatingIfNeeded: field) &<< Format.fractionBits &+ fraction)
    }

    /// FIST, and FISTTP where `truncating`: the value as a signed integer; what it cannot hold raises `invalid` and
    /// gives the integer indefinite.
    @inlinable
    public func toInteger<Integer: FixedWidthInteger & SignedInteger>(
        _ type: Integer.Type, truncating: Bool = false, _ environment: inout X87Environment
    ) -> Integer {
        let limit = UInt64(truncatingIfNeeded: Integer.max) &+ (isNegative ? 1 : 0)
        guard let whole = wholeMagnitude(limit: limit, truncating: truncating, &environment) else { return .min }
        return Integer(truncatingIfNeeded: isNegative ? 0 &- whole : whole)
    }

    /// The magnitude rounded to a whole number; nil, with `invalid` raised, where it exceeds `limit` or there is none.
    @inlinable
    func wholeMagnitude(limit: UInt64, truncating: Bool, _ environment: inout X87Environment) -> UInt64? {
        if isZero { return 0 }
        let (exponent, significand) = normalized
        guard !isSpecial && exponent &- Self.bias < 64 else {
            environment.flags.insert(.invalid)
            return nil
        }
        let digits = UInt128(significand).shiftedLeft(exponent &- Self.bias &+ 1)
        let fraction = UInt64(truncatingIfNeeded: digits)
        let rounding = truncating ? .towardZero : environment.rounding
        let whole = UInt64(truncatingIfNeeded: digits &>> 64)
        let isUp = fraction.addingReportingOverflow(
            rounding.increment(half: 1 &<< 63, odd: whole & 1, negative: isNegative)
        ).overflow
        let (rounded, carries) = whole.addingReportingOverflow(isUp ? 1 : 0)
        guard !carries && rounded <= limit else {
            environment.flags.insert(.invalid)
            return nil
        }
        if fraction != 0 { environment.flags.insert(.inexact) }
        environment.roundedUp = isUp
        return rounded
    }

    /// FBLD: eighteen decimal digits, two a byte from the lowest, and the sign as the top bit of the tenth byte
    /// (Intel SDM Vol 1 §4.7). Digits above nine count as what they are.
    @inlinable
    public init(decimal low: UInt64, _ high: UInt16) {
        var value: UInt64 = 0
        for place in 0..<18 {
            let digit = place < 2 ? UInt64(high) &>> UInt64(4 &- 4 &* place) : low &>> UInt64(68 &- 4 &* place)
            value = value &* 10 &+ digit & 15
        }
        self.init(integer: Int64(truncatingIfNeeded: value))
        if high & 0x8000 != 0 { signExponent |= 0x8000 }
    }

    /// FBSTP: the value as eighteen decimal digits and a sign; what they cannot hold raises `invalid` and gives the
    /// decimal indefinite.
    @inlinable
    public func toDecimal(_ environment: inout X87Environment) -> (low: UInt64, high: UInt16) {
        guard
            var rest = wholeMagnitude(limit: 999_999_999_999_999_999, truncating: false, &environment)
        else { return (0xc000_0000_0000_0000, 0xffff) }
        var digits: UInt128 = 0
        for place in 0..<18 {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            digits |= UInt128(digit) &<< UInt128(4 &* place)
            rest = quotient
        }
        let sign: UInt16 = isNegative ? 0x8000 : 0
        return (UInt64(truncatingIfNeeded: digits), UInt16(truncatingIfNeeded: digits &>> 64) | sign)
    }
}

extension Extended80 {
    /// FCOM, FCOMI (`signalsQuiet`) and FUCOM, FUCOMI: how the numbers lie. A denormal raises DE.
    @inlinable
    public static func relation(
        _ x: Extended80, _ y: Extended80, signalsQuiet: Bool, _ environment: inout X87Environment
    ) -> FloatRelation {
        if x.isNaN || y.isNaN || x.isUnsupported || y.isUnsupported {
            if signalsQuiet || x.isSignalingNaN || y.isSignalingNaN || x.isUnsupported || y.isUnsupported {
                environment.flags.insert(.invalid)
            }
            return .unordered
        }
        if x.isDenormal || y.isDenormal { environment.flags.insert(.denormal) }
        if x.isZero && y.isZero { return .equal }
        if x.isNegative != y.isNegative { return x.isNegative ? .less : .greater }
        // A pseudo-denormal is the number of exponent field 1 with the same significand.
        let left = (Swift.max(x.exponentField, 1), x.significand)
        let right = (Swift.max(y.exponentField, 1), y.significand)
        if left == right { return .equal }
        return (left < right) != x.isNegative ? .less : .greater
    }
}

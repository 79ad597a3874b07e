// SPDX-License-Identifier: Apache-2.0

/// x87's double extended-precision format: sign, 15 bits of exponent, and 64 of significand with the integer bit
/// stored (Intel SDM Vol 1 §4.2.2). It has encodings whose integer bit contradicts the exponent; no operation accepts
/// them but pseudo-denormals, which count as denormals (Intel SDM Vol 1 §8.2.2).
@frozen
public struct Extended80: Hashable, Sendable {
    /// The integer bit and the fraction.
    public var significand: UInt64
    /// The sign as bit 15, the biased exponent below it.
    public var signExponent: UInt16

    @inlinable
    public init(significand: UInt64, signExponent: UInt16) {
        self.significand = significand
        self.signExponent = signExponent
    }

    @inlinable
    init(negative: Bool, exponent: Int, significand: UInt64) {
        self.significand = significand
        signExponent = UInt16(truncatingIfNeeded: exponent) | (negative ? 0x8000 : 0)
    }
}

extension Extended80 {
    /// The exponent field of infinities and NaNs.
    @inlinable static var maximumExponent: Int { 0x7fff }
    /// What is added to an exponent to make its field.
    @inlinable static var bias: Int { 0x3fff }
    @inlinable static var integerBit: UInt64 { 1 &<< 63 }
    @inlinable static var quietBit: UInt64 { 1 &<< 62 }

    /// The negative quiet NaN without payload: the answer of invalid operations (Intel SDM Vol 1 §4.8.3.7).
    @inlinable public static var indefinite: Extended80 {
        Extended80(significand: 3 &<< 62, signExponent: 0xffff)
    }

    /// One.
    @inlinable public static var one: Extended80 { Extended80(significand: 1 &<< 63, signExponent: 0x3fff) }

    /// Zero of the given sign.
    @inlinable
    public static func zero(negative: Bool = false) -> Extended80 {
        Extended80(negative: negative, exponent: 0, significand: 0)
    }

    /// Infinity of the given sign.
    @inlinable
    public static func infinity(negative: Bool = false) -> Extended80 {
        Extended80(negative: negative, exponent: maximumExponent, significand: integerBit)
    }

    /// The exponent field.
    @inlinable public var exponentField: Int { Int(signExponent & 0x7fff) }
    /// Whether the sign is negative, of zeros and NaNs too.
    @inlinable public var isNegative: Bool { signExponent & 0x8000 != 0 }
    /// Whether the value is a zero.
    @inlinable public var isZero: Bool { exponentField == 0 && significand == 0 }
    /// Whether the value is an infinity.
    @inlinable public var isInfinite: Bool {
        exponentField == Self.maximumExponent && significand == Self.integerBit
    }
    /// Whether the value is a NaN of either kind; pseudo-NaNs are not.
    @inlinable public var isNaN: Bool { exponentField == Self.maximumExponent && significand > Self.integerBit }
    /// Whether the value is a NaN that raises `invalid` where it is used.
    @inlinable public var isSignalingNaN: Bool { isNaN && significand & Self.quietBit == 0 }
    /// Whether the exponent field is zero and the value is not: a denormal, or a pseudo-denormal.
    @inlinable public var isDenormal: Bool { exponentField == 0 && significand != 0 }
    /// Whether the encoding is an unnormal, a pseudo-infinity or a pseudo-NaN (Intel SDM Vol 1 §8.2.2, table 8-3).
    @inlinable public var isUnsupported: Bool { exponentField != 0 && significand & Self.integerBit == 0 }
    /// FCHS: the value with the other sign, NaNs included.
    @inlinable public var negated: Extended80 {
        Extended80(significand: significand, signExponent: signExponent ^ 0x8000)
    }
    /// FABS: the value with a positive sign, NaNs included.
    @inlinable public var magnitude: Extended80 {
        Extended80(significand: significand, signExponent: signExponent & 0x7fff)
    }
    /// A NaN made quiet.
    @inlinable var quieted: Extended80 {
        Extended80(significand: significand | Self.quietBit, signExponent: signExponent)
    }

    /// The significand of a finite number other than zero with its leading one as the top bit, and the biased exponent
    /// of that bit, below 1 for denormals.
    @inlinable var normalized: (exponent: Int, significand: UInt64) {
        let shift = significand.leadingZeroBitCount
        return (Swift.max(exponentField, 1) &- shift, significand &<< shift)
    }

    /// FXAM's class as C3, C2 and C0 in their places in the status word, without C1 (Intel SDM Vol 2, FXAM).
    @inlinable public var examination: UInt16 {
        let c0: UInt16 = 0x100
        let c2: UInt16 = 0x400
        let c3: UInt16 = 0x4000
        if isUnsupported { return 0 }
        if isNaN { return c0 }
        if isInfinite { return c2 | c0 }
        if isZero { return c3 }
        return isDenormal ? c3 | c2 : c2
    }
}

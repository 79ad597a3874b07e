// SPDX-License-Identifier: Apache-2.0

// The shape of a format, derived from its two widths.
extension FloatFormat {
    /// The exponent field of infinities and NaNs: all ones.
    @inlinable static var maximumExponent: Int { (1 &<< exponentBits) &- 1 }
    /// What is added to an exponent to make its field.
    @inlinable static var bias: Int { (1 &<< (exponentBits &- 1)) &- 1 }
    /// The sign bit.
    @inlinable static var signMask: Significand { (1 as Significand) &<< (exponentBits &+ fractionBits) }
    /// The integer bit, hidden in the encoding.
    @inlinable static var integerBit: Significand { (1 as Significand) &<< fractionBits }
    /// The fraction field.
    @inlinable static var fractionMask: Significand { integerBit &- 1 }
    /// The top bit of the fraction: set in quiet NaNs (IEEE 754 §6.2.1).
    @inlinable static var quietBit: Significand { (1 as Significand) &<< (fractionBits &- 1) }
    /// The pattern of positive infinity.
    @inlinable static var infinityPattern: Significand {
        Significand(truncatingIfNeeded: maximumExponent) &<< fractionBits
    }
    /// The bits below the precision in a significand whose integer bit is the top bit.
    @inlinable static var guardBits: Int { Significand.bitWidth &- fractionBits &- 1 }

    /// The quiet NaN, positive and without a payload, that RISC-V calls canonical.
    @inlinable public static var canonicalNaN: Self { Self(pattern: infinityPattern | quietBit) }

    /// Infinity of the given sign.
    @inlinable
    public static func infinity(negative: Bool = false) -> Self {
        Self(pattern: infinityPattern | (negative ? signMask : 0))
    }

    /// Zero of the given sign.
    @inlinable
    public static func zero(negative: Bool = false) -> Self { Self(pattern: negative ? signMask : 0) }

    /// The finite number of the greatest magnitude and of the given sign.
    @inlinable
    public static func greatestFinite(negative: Bool = false) -> Self {
        Self(pattern: (infinityPattern &- 1) | (negative ? signMask : 0))
    }
}

// The parts of one value.
extension FloatFormat {
    /// The pattern without its sign.
    @inlinable var magnitude: Significand { pattern & (Self.signMask &- 1) }
    /// The sign bit in its place.
    @inlinable var sign: Significand { pattern & Self.signMask }
    /// The exponent field.
    @inlinable var exponentField: Int { Int(truncatingIfNeeded: magnitude &>> Self.fractionBits) }
    /// Whether the exponent field is neither zero nor all ones.
    @inlinable var isNormal: Bool {
        UInt(bitPattern: exponentField &- 1) < UInt(bitPattern: Self.maximumExponent &- 1)
    }

    /// The integer bit and the fraction of a finite number.
    @inlinable var integerAndFraction: Significand {
        (pattern & Self.fractionMask) | (exponentField == 0 ? 0 : Self.integerBit)
    }

    /// The encoding of `sign` with a significand whose integer bit has biased exponent `exponent`; a carry out of the
    /// significand, as rounding leaves it, counts in the exponent.
    @inlinable
    static func assemble(sign: Significand, exponent: Int, significand: Significand) -> Self {
        // The integer bit adds one to the exponent field; the carry adds another.
        Self(pattern: sign | ((Significand(truncatingIfNeeded: exponent &- 1) &<< fractionBits) &+ significand))
    }

    /// The significand of a finite number other than zero with its leading one as the top bit, and the biased exponent
    /// of that bit, below 1 for subnormal numbers.
    @inlinable
    var normalized: (exponent: Int, significand: Significand) {
        let significand = integerAndFraction
        let shift = significand.leadingZeroBitCount
        return (Swift.max(exponentField, 1) &+ Self.guardBits &- shift, significand &<< shift)
    }

    /// Whether the sign is negative, of zeros and NaNs too.
    @inlinable public var isNegative: Bool { sign != 0 }
    /// Whether the value is an infinity.
    @inlinable public var isInfinite: Bool { magnitude == Self.infinityPattern }
    /// Whether the value is a zero.
    @inlinable public var isZero: Bool { magnitude == 0 }
    /// Whether the value is finite, not zero, and smaller than the smallest normal number.
    @inlinable public var isSubnormal: Bool { magnitude != 0 && exponentField == 0 }
    /// Whether the value is a NaN of either kind.
    @inlinable public var isNaN: Bool { magnitude > Self.infinityPattern }
    /// Whether the value is a NaN that raises `invalid` where it is used.
    @inlinable public var isSignalingNaN: Bool { isNaN && pattern & Self.quietBit == 0 }
    /// The value with the other sign, NaNs included, without flags.
    @inlinable public var negated: Self { Self(pattern: pattern ^ Self.signMask) }
    /// A NaN made quiet, its sign and payload kept.
    @inlinable public var quieted: Self { Self(pattern: pattern | Self.quietBit) }

    /// The class of the value as one of ten bits, as `fclass` gives it (RISC-V Unpriv, F 2.2 §20.9): from bit 0
    /// -infinity, -normal, -subnormal, -0, +0, +subnormal, +normal, +infinity, signaling NaN, quiet NaN.
    @inlinable
    public var classification: UInt16 {
        if isNaN { return isSignalingNaN ? 1 << 8 : 1 << 9 }
        if isInfinite { return isNegative ? 1 << 0 : 1 << 7 }
        if isZero { return isNegative ? 1 << 3 : 1 << 4 }
        if exponentField == 0 { return isNegative ? 1 << 2 : 1 << 5 }
        return isNegative ? 1 << 1 : 1 << 6
    }
}

extension FixedWidthInteger where Self: UnsignedInteger {
    /// Shifts right by any count of 0 or more; the lowest bit of the result is set if any discarded bit was.
    ///
    /// The callers' values leave the top bit clear or their counts are below the width, so that clamping is exact.
    @inlinable @inline(__always)
    func shiftedRightSticky(_ count: Int) -> Self {
        let count = Swift.min(count, Self.bitWidth &- 1)
        // The complement of the count shifts by the width less one more: both shifts by less than the width.
        let discarded = (self &<< 1) &<< ~count
        return (self &>> count) | (discarded == 0 ? 0 : 1)
    }
}

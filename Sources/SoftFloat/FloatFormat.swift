// SPDX-License-Identifier: Apache-2.0

/// A binary floating-point format: from the top a sign, a biased exponent and a fraction, the integer bit hidden
/// (IEEE 754 §3.4).
///
/// The arithmetic works on `Significand`, an unsigned integer some bits wider than the precision, which also holds the
/// whole encoding. A format that stores its integer bit, x87's extended one, has 15 bits of exponent and 63 of fraction
/// here, in `UInt128`; its loads and stores drop and supply that bit, and deal with the encodings that contradict it.
public protocol FloatFormat: Sendable, Hashable {
    /// The integer that significands are computed in.
    associatedtype Significand: FixedWidthInteger & UnsignedInteger & Sendable
    where Significand.Magnitude == Significand

    /// The width of the exponent field in bits.
    static var exponentBits: Int { get }
    /// The width of the fraction field in bits.
    static var fractionBits: Int { get }

    /// The encoding, zero-extended.
    var pattern: Significand { get }

    /// The value encoded in the low bits of `pattern`; the bits above the format's width are ignored.
    init(pattern: Significand)
}

/// A format of IEEE 754 §3.6, for which there is a fused multiply-add.
public protocol InterchangeFormat: FloatFormat {
    /// An integer that holds an exact product of two significands of the format's precision, and a dozen bits more.
    associatedtype Product: FixedWidthInteger & UnsignedInteger & Sendable
}

/// binary16, "half precision" (RISC-V Zfh).
@frozen
public struct Binary16: InterchangeFormat {
    /// The encoding.
    public var bits: UInt16

    @inlinable
    public init(bits: UInt16) { self.bits = bits }

    public typealias Significand = UInt64
    public typealias Product = UInt64
    @inlinable public static var exponentBits: Int { 5 }
    @inlinable public static var fractionBits: Int { 10 }
    @inlinable public var pattern: UInt64 { UInt64(bits) }
    @inlinable public init(pattern: UInt64) { bits = UInt16(truncatingIfNeeded: pattern) }
}

/// binary32, "single precision" (RISC-V F).
@frozen
public struct Binary32: InterchangeFormat {
    /// The encoding.
    public var bits: UInt32

    @inlinable
    public init(bits: UInt32) { self.bits = bits }

    public typealias Significand = UInt64
    public typealias Product = UInt64
    @inlinable public static var exponentBits: Int { 8 }
    @inlinable public static var fractionBits: Int { 23 }
    @inlinable public var pattern: UInt64 { UInt64(bits) }
    @inlinable public init(pattern: UInt64) { bits = UInt32(truncatingIfNeeded: pattern) }
}

/// binary64, "double precision" (RISC-V D).
@frozen
public struct Binary64: InterchangeFormat {
    /// The encoding.
    public var bits: UInt64

    @inlinable
    public init(bits: UInt64) { self.bits = bits }

    public typealias Significand = UInt64
    public typealias Product = UInt128
    @inlinable public static var exponentBits: Int { 11 }
    @inlinable public static var fractionBits: Int { 52 }
    @inlinable public var pattern: UInt64 { bits }
    @inlinable public init(pattern: UInt64) { bits = pattern }
}

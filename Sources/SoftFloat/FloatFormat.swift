// SPDX-License-Identifier: Apache-2.0

/// A binary floating-point format: from the top a sign, a biased exponent and a fraction (IEEE 754 §3.4).
///
/// The arithmetic works on `Significand`, an unsigned integer some bits wider than the format's precision, which also
/// holds the whole encoding. A format that stores its integer bit (x87's extended one, in `UInt128`) replaces
/// `integerAndFraction` and `assemble`, the two places that know of the hidden bit.
public protocol FloatFormat: Sendable, Hashable {
    /// The integer that significands are computed in.
    associatedtype Significand: FixedWidthInteger & UnsignedInteger & Sendable
    where Significand.Magnitude == Significand
    /// An integer that holds an exact product of two significands of the format's precision, and some bits more.
    associatedtype Product: FixedWidthInteger & UnsignedInteger & Sendable

    /// The width of the exponent field in bits.
    static var exponentBits: Int { get }
    /// The width of the fraction field in bits.
    static var fractionBits: Int { get }

    /// The encoding, zero-extended.
    var pattern: Significand { get }

    /// The value encoded in the low bits of `pattern`; the bits above the format's width are ignored.
    init(pattern: Significand)

    /// The integer bit and the fraction of a finite number.
    var integerAndFraction: Significand { get }

    /// The encoding of `sign` with a significand whose integer bit has biased exponent `exponent`; a carry out of the
    /// significand, as rounding leaves it, counts in the exponent.
    static func assemble(sign: Significand, exponent: Int, significand: Significand) -> Self
}

/// binary16, "half precision" (RISC-V Zfh).
@frozen
public struct Binary16: FloatFormat {
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
public struct Binary32: FloatFormat {
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
public struct Binary64: FloatFormat {
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

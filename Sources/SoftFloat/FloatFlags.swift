// SPDX-License-Identifier: Apache-2.0

/// The exceptions of IEEE 754 §7, in the bit layout of RISC-V's `fflags` (RISC-V Unpriv, F 2.2 §20.2).
@frozen
public struct FloatFlags: OptionSet, Hashable, Sendable {
    /// One bit an exception.
    public var rawValue: UInt8

    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// NX: the result was rounded.
    @inlinable public static var inexact: FloatFlags { FloatFlags(rawValue: 1) }
    /// UF: the result is tiny and was rounded.
    @inlinable public static var underflow: FloatFlags { FloatFlags(rawValue: 2) }
    /// OF: the rounded result exceeds the largest number.
    @inlinable public static var overflow: FloatFlags { FloatFlags(rawValue: 4) }
    /// DZ: a finite number was divided by zero.
    @inlinable public static var divideByZero: FloatFlags { FloatFlags(rawValue: 8) }
    /// NV: the operation has no meaningful result, or met a signaling NaN.
    @inlinable public static var invalid: FloatFlags { FloatFlags(rawValue: 16) }

    /// Adds `inexact` where `discarded` is not zero, without a branch.
    @inlinable @inline(__always)
    mutating func insertInexact<Digits: FixedWidthInteger>(if discarded: Digits) {
        rawValue |= discarded == 0 ? 0 : 1
    }
}

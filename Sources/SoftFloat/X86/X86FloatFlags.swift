// SPDX-License-Identifier: Apache-2.0

/// The six exceptions of x86 floating point, in the layout that MXCSR and the x87 status word share; the masks of the
/// x87 control word lie alike, MXCSR's seven bits higher (Intel SDM Vol 1 §8.1.3, §10.2.3).
@frozen
public struct X86FloatFlags: OptionSet, Hashable, Sendable {
    /// One bit an exception.
    public var rawValue: UInt8

    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// IE: the operation has no meaningful result, or met a signaling NaN.
    @inlinable public static var invalid: X86FloatFlags { X86FloatFlags(rawValue: 1) }
    /// DE: an operand is subnormal.
    @inlinable public static var denormal: X86FloatFlags { X86FloatFlags(rawValue: 2) }
    /// ZE: a finite number was divided by zero.
    @inlinable public static var divideByZero: X86FloatFlags { X86FloatFlags(rawValue: 4) }
    /// OE: the rounded result exceeds the largest number.
    @inlinable public static var overflow: X86FloatFlags { X86FloatFlags(rawValue: 8) }
    /// UE: the result is tiny, and rounded unless the exception is unmasked.
    @inlinable public static var underflow: X86FloatFlags { X86FloatFlags(rawValue: 16) }
    /// PE: the result was rounded.
    @inlinable public static var inexact: X86FloatFlags { X86FloatFlags(rawValue: 32) }

    /// All six.
    @inlinable public static var all: X86FloatFlags { X86FloatFlags(rawValue: 0x3f) }
    /// Those found before a result is computed: unmasked, they prevent it (Intel SDM Vol 1 §4.9.2).
    @inlinable public static var beforeComputation: X86FloatFlags { X86FloatFlags(rawValue: 7) }

    /// The same exceptions from the layout of `FloatFlags`, in which they stand the other way around.
    @inlinable
    public init(_ flags: FloatFlags) {
        let bits = flags.rawValue
        // NX 0 to 5, UF 1 to 4, OF 2 to 3, DZ 3 to 2, NV 4 to 0.
        rawValue =
            (bits & 1) &<< 5 | (bits & 2) &<< 3 | (bits & 4) &<< 1 | (bits & 8) &>> 1 | (bits & 16) &>> 4
    }
}

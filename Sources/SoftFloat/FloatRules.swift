// SPDX-License-Identifier: Apache-2.0

/// What IEEE 754 leaves to the architecture. The arithmetic is generic over it, and a conformance without stored
/// properties costs nothing.
///
/// An architecture with controls of its own (x86: flush-to-zero in MXCSR) stores them in its conformance. Controls over
/// operands alone (denormals-are-zero and the denormal-operand flag) need no place here: its handlers apply them before
/// they call.
public protocol FloatRules: Sendable {
    /// Whether a result counts as tiny before it is rounded rather than after (IEEE 754 §7.5).
    static var detectsTininessBeforeRounding: Bool { get }

    /// Whether infinity times zero plus a quiet NaN raises `invalid` (IEEE 754 §7.2 c).
    static var infinityTimesZeroPlusNaNIsInvalid: Bool { get }

    /// Whether a tiny result becomes zero, raising `underflow` and `inexact`.
    var flushesTinyResults: Bool { get }

    /// Whether overflow, or underflow, traps. The flags are then those of a result rounded as if the exponent had no
    /// bounds: a tiny one underflows even if it is exact. The value itself does not count.
    var trapsOverflow: Bool { get }
    var trapsUnderflow: Bool { get }

    /// The NaN of an invalid operation on numbers.
    func defaultNaN<Format: FloatFormat>() -> Format

    /// The result, quiet, where at least one of two operands is a NaN.
    func nan<Format: FloatFormat>(_ x: Format, _ y: Format) -> Format

    /// The result, quiet, of `x*y + z` where at least one operand is a NaN.
    func nan<Format: FloatFormat>(_ x: Format, _ y: Format, _ z: Format) -> Format

    /// The NaN, quiet, that a NaN of another format becomes.
    func nan<Source: FloatFormat, Target: FloatFormat>(converting nan: Source) -> Target

    /// The integer for a number out of its range, negative or not, or for a NaN.
    func unrepresentable<Integer: FixedWidthInteger>(negative: Bool, isNaN: Bool) -> Integer
}

extension FloatRules {
    /// Nothing traps, unless an architecture says so.
    @inlinable public var trapsOverflow: Bool { false }
    @inlinable public var trapsUnderflow: Bool { false }
}

/// RISC-V: every NaN result is the canonical one, tininess after rounding, saturating conversions
/// (RISC-V Unpriv, F 2.2 §20.3, §20.4, §20.7).
@frozen
public struct RISCVFloatRules: FloatRules {
    @inlinable
    public init() {}

    @inlinable public static var detectsTininessBeforeRounding: Bool { false }
    @inlinable public static var infinityTimesZeroPlusNaNIsInvalid: Bool { true }
    @inlinable public var flushesTinyResults: Bool { false }

    @inlinable
    public func defaultNaN<Format: FloatFormat>() -> Format { .canonicalNaN }

    @inlinable
    public func nan<Format: FloatFormat>(_ x: Format, _ y: Format) -> Format { .canonicalNaN }

    @inlinable
    public func nan<Format: FloatFormat>(_ x: Format, _ y: Format, _ z: Format) -> Format { .canonicalNaN }

    @inlinable
    public func nan<Source: FloatFormat, Target: FloatFormat>(converting nan: Source) -> Target { .canonicalNaN }

    @inlinable
    public func unrepresentable<Integer: FixedWidthInteger>(negative: Bool, isNaN: Bool) -> Integer {
        negative && !isNaN ? .min : .max
    }
}

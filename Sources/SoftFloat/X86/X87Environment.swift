// SPDX-License-Identifier: Apache-2.0

/// The x87 control word as one instruction sees it, and the exceptions and C1 that the instruction raises.
///
///     var environment = X87Environment(control: controlWord)
///     let sum = Extended80.add(x, y, &environment)
///     if !environment.isPrevented { register = sum }       // an unmasked IE, DE or ZE leaves the operands as they are
///     statusWord |= UInt16(environment.flags.rawValue)     // and C1 from roundedUp
///
/// An unmasked overflow or underflow gives the result with its exponent wrapped by 24576, as registers take it
/// (Intel SDM Vol 1 §8.5.4, §8.5.5).
@frozen
public struct X87Environment: Sendable {
    /// The exceptions that do not trap.
    public let masks: X86FloatFlags
    /// How results that do not fit are rounded.
    public var rounding: Rounding
    /// The significand bits of sums, products, quotients and roots: 24, 53 or 64 (PC, Intel SDM Vol 1 §8.1.5.2).
    public let precision: Int
    /// The exceptions raised so far.
    public var flags: X86FloatFlags = []
    /// C1: the last rounding made the magnitude larger.
    public var roundedUp = false

    /// The controls in `control`.
    @inlinable
    public init(control: UInt16) {
        masks = X86FloatFlags(rawValue: UInt8(truncatingIfNeeded: control) & 0x3f)
        rounding = Rounding(x86: UInt32(control &>> 10))
        precision =
            switch control &>> 8 & 3 {
            case 0: 24
            case 2: 53
            default: 64
            }
    }

    /// The exceptions that trap.
    @inlinable public var unmasked: X86FloatFlags { flags.subtracting(masks) }

    /// Whether an exception found before computation traps: no result is stored.
    @inlinable public var isPrevented: Bool { !unmasked.isDisjoint(with: .beforeComputation) }

    /// Raises `invalid` and gives the indefinite.
    @inlinable
    mutating func invalid() -> Extended80 {
        flags.insert(.invalid)
        return .indefinite
    }

    /// Raises DE where an operand is a denormal; whether that traps, so that nothing more may be raised.
    @inlinable
    mutating func isStopped(byDenormal isDenormal: Bool) -> Bool {
        if isDenormal { flags.insert(.denormal) }
        return isDenormal && !masks.contains(.denormal)
    }

    /// The result of an operation of which one operand is a NaN or has an unsupported encoding: of two NaNs that of the
    /// larger significand, a quiet one before a signaling one (Intel SDM Vol 1 §4.8.3.5, table 4-7).
    @inlinable @inline(never)
    mutating func nan(_ x: Extended80, _ y: Extended80) -> Extended80 {
        if x.isUnsupported || y.isUnsupported { return invalid() }
        if x.isSignalingNaN || y.isSignalingNaN { flags.insert(.invalid) }
        guard x.isNaN && y.isNaN else { return x.isNaN ? x.quieted : y.quieted }
        if x.isSignalingNaN != y.isSignalingNaN { return x.isSignalingNaN ? y : x }
        if x.significand != y.significand { return (x.significand > y.significand ? x : y).quieted }
        return (x.isNegative ? y : x).quieted
    }
}

/// A format that numbers are rounded to: its precision, and the biased exponents, in x87's bias, of its smallest and
/// largest normal numbers.
@frozen
@usableFromInline
struct RoundingTarget {
    @usableFromInline let precision: Int
    @usableFromInline let minimum: Int
    @usableFromInline let maximum: Int

    @inlinable
    init(precision: Int, minimum: Int = 1, maximum: Int = 0x7ffe) {
        self.precision = precision
        self.minimum = minimum
        self.maximum = maximum
    }

    /// binary32's and binary64's.
    @inlinable static var single: RoundingTarget { RoundingTarget(precision: 24, minimum: 0x3f81, maximum: 0x407e) }
    @inlinable static var double: RoundingTarget { RoundingTarget(precision: 53, minimum: 0x3c01, maximum: 0x43fe) }
}

// SPDX-License-Identifier: Apache-2.0
//
// IEEE 754-2008 binary16, binary32 and binary64 in integer arithmetic: every rounding mode, every flag, the same bits
// on every host. How an instruction handler calls it:
//
//     var environment = RISCVFloatEnvironment(rounding: .nearestEven)        // one a handler, or one kept in the hart
//     let sum = Binary64.add(Binary64(bits: a), Binary64(bits: b), &environment)
//     fflags |= environment.flags.rawValue                                   // flags accrue, in the layout of fcsr
//     register = sum.bits
//
// The operations are static functions of the three formats and take the environment last:
//
//     add subtract multiply divide multiplyAdd squareRoot                    arithmetic, correctly rounded
//     minimum maximum equal less lessOrEqual                                 comparisons
//     x.converted(to: Binary32.self, &environment)                           between formats
//     x.toInteger(Int32.self, &environment)  Binary64.fromInteger(n, &environment)
//     x.roundedToIntegral(&environment)                                      a whole number in the same format
//     x.classification  x.isNaN  x.isSignalingNaN  x.negated  Binary64.canonicalNaN
//
// The other fused forms are multiplyAdd with `negated` operands: fmsub is a*b + (-c), fnmsub (-a)*b + c, fnmadd
// (-a)*b + (-c). Everything is generic and inlinable, so that a call with a concrete format and environment becomes
// straight-line code in the caller: no allocation, no witness table, no call outside the rare paths.
//
// What an architecture decides for itself (which NaN, saturation, tininess) is in `FloatRules`.

/// What an operation reads and writes besides its operands: the rounding mode, the accrued flags and the architecture.
@frozen
public struct FloatEnvironment<Rules: FloatRules>: Sendable {
    /// How results that do not fit are rounded.
    public var rounding: Rounding
    /// The exceptions raised so far; operations only ever add to them.
    public var flags: FloatFlags
    /// The architecture's own decisions, with the controls that it keeps for them.
    public var rules: Rules

    @inlinable
    public init(rounding: Rounding, flags: FloatFlags = [], rules: Rules) {
        self.rounding = rounding
        self.flags = flags
        self.rules = rules
    }
}

/// The environment of a RISC-V hart.
public typealias RISCVFloatEnvironment = FloatEnvironment<RISCVFloatRules>

extension FloatEnvironment where Rules == RISCVFloatRules {
    /// An environment with RISC-V's rules and no flag raised.
    @inlinable
    public init(rounding: Rounding) { self.init(rounding: rounding, rules: RISCVFloatRules()) }
}

extension FloatEnvironment {
    /// Raises `invalid` and gives the NaN of an operation without a meaningful result (IEEE 754 §7.2).
    @inlinable
    mutating func invalid<Format: FloatFormat>() -> Format {
        flags.insert(.invalid)
        return rules.defaultNaN()
    }

    /// The result of a one-operand operation on a NaN.
    @inlinable
    mutating func nan<Format: FloatFormat>(_ x: Format) -> Format { nan(x, x) }

    /// The result of a two-operand operation that has a NaN operand (IEEE 754 §6.2).
    @inlinable
    mutating func nan<Format: FloatFormat>(_ x: Format, _ y: Format) -> Format {
        if x.isSignalingNaN || y.isSignalingNaN { flags.insert(.invalid) }
        return rules.nan(x, y)
    }
}

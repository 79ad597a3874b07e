// SPDX-License-Identifier: Apache-2.0

/// SSE, AVX and FMA: the first NaN operand, made quiet; the negative quiet NaN for invalid operations; tininess after
/// rounding; the most negative integer for what no integer can hold (Intel SDM Vol 1 §4.8.3.4, §4.8.3.5, §4.9.1).
@frozen
public struct SSEFloatRules: FloatRules {
    /// MXCSR's flush-to-zero, in force only while underflow is masked (Intel SDM Vol 1 §10.2.3.3).
    public var flushesTinyResults: Bool
    /// Whether overflow is unmasked.
    public var trapsOverflow: Bool
    /// Whether underflow is unmasked.
    public var trapsUnderflow: Bool

    @inlinable
    public init(flushesTinyResults: Bool = false, trapsOverflow: Bool = false, trapsUnderflow: Bool = false) {
        self.flushesTinyResults = flushesTinyResults
        self.trapsOverflow = trapsOverflow
        self.trapsUnderflow = trapsUnderflow
    }

    @inlinable public static var detectsTininessBeforeRounding: Bool { false }
    @inlinable public static var infinityTimesZeroPlusNaNIsInvalid: Bool { false }

    @inlinable
    public func defaultNaN<Format: FloatFormat>() -> Format { Format.canonicalNaN.negated }

    @inlinable
    public func nan<Format: FloatFormat>(_ x: Format, _ y: Format) -> Format { x.isNaN ? x.quieted : y.quieted }

    @inlinable
    public func nan<Format: FloatFormat>(_ x: Format, _ y: Format, _ z: Format) -> Format {
        x.isNaN ? x.quieted : y.isNaN ? y.quieted : z.quieted
    }

    @inlinable
    public func nan<Source: FloatFormat, Target: FloatFormat>(converting nan: Source) -> Target {
        // The payload keeps its top bits.
        let surplus = Source.fractionBits &- Target.fractionBits
        let payload = nan.pattern & Source.fractionMask
        let kept: Target.Significand =
            surplus > 0
            ? Target.Significand(truncatingIfNeeded: payload &>> surplus)
            : Target.Significand(truncatingIfNeeded: payload) &<< (0 &- surplus)
        return Target(pattern: Target.infinityPattern | kept | (nan.isNegative ? Target.signMask : 0)).quieted
    }

    @inlinable
    public func unrepresentable<Integer: FixedWidthInteger>(negative: Bool, isNaN: Bool) -> Integer {
        // The integer indefinite; of unsigned integers it is all ones (Intel SDM Vol 1 §4.8.4).
        Integer.isSigned ? .min : .max
    }
}

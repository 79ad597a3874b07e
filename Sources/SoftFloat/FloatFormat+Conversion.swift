// SPDX-License-Identifier: Apache-2.0

extension FloatFormat {
    /// The value in another format, rounded if that one is narrower (IEEE 754 §5.4.2).
    @inlinable
    public func converted<Target: FloatFormat, Rules>(
        to target: Target.Type, _ environment: inout FloatEnvironment<Rules>
    ) -> Target where Target.Significand == Significand {
        if magnitude >= Self.infinityPattern {
            if !isNaN { return .infinity(negative: isNegative) }
            if isSignalingNaN { environment.flags.insert(.invalid) }
            return environment.rules.nan(converting: self)
        }
        if isZero { return .zero(negative: isNegative) }
        let (exponent, significand) = normalized
        return Target.round(
            sign: isNegative ? Target.signMask : 0, exponent: exponent &- Self.bias &+ Target.bias,
            significand: significand, &environment)
    }

    /// The value rounded to a whole number of the same format (IEEE 754 §5.9). `raisesInexact` makes a change of value
    /// raise `inexact` (roundToIntegralExact, RISC-V's `froundnx`).
    @inlinable
    public func roundedToIntegral<Rules>(
        raisesInexact: Bool = false, _ environment: inout FloatEnvironment<Rules>
    ) -> Self {
        if isNaN { return environment.nan(self) }
        let exponent = exponentField &- Self.bias
        if exponent >= Self.fractionBits || isZero { return self }
        // From here on the lowest bit of weight one is within the pattern, or, for magnitudes below one, would be above.
        let one = exponent < 0 ? 0 : Self.integerBit &>> exponent
        let (discarded, half, odd): (Significand, Significand, Significand)
        if exponent < 0 {
            // Below one half everything is the same to the rounding: a fraction of less than half.
            discarded = exponent == -1 ? integerAndFraction : 1
            (half, odd) = (Self.integerBit, 0)
        } else {
            discarded = magnitude & (one &- 1)
            (half, odd) = (one &>> 1, magnitude & one == 0 ? 0 : 1)
        }
        if raisesInexact { environment.flags.insertInexact(if: discarded) }
        let increment = environment.rounding.increment(half: half, odd: odd, negative: isNegative)
        let roundsUp = discarded &+ increment >= half &<< 1
        if exponent < 0 {
            let unit = Significand(truncatingIfNeeded: Self.bias) &<< Self.fractionBits
            return Self(pattern: sign | (roundsUp ? unit : 0))
        }
        return Self(pattern: (pattern & ~(one &- 1)) &+ (roundsUp ? one : 0))
    }
}

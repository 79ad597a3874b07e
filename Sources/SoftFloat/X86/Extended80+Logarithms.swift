// SPDX-License-Identifier: Apache-2.0

// F2XM1, FYL2X and FYL2XP1, rounded from 128 bits: the last place is nearly always the nearest one, which is more than
// the manual promises (Intel SDM Vol 1 §8.3.10).
extension Extended80 {
    /// F2XM1: 2 to the power of `x`, less one, for magnitudes up to one; beyond, where the manual defines nothing, `x`.
    public static func powerMinusOne(_ x: Extended80, _ environment: inout X87Environment) -> Extended80 {
        if x.isNaN || x.isUnsupported { return environment.nan(x, x) }
        if x.isInfinite { return x.isNegative ? one.negated : x }
        if x.isZero { return x }
        if environment.isStopped(byDenormal: x.isDenormal) { return x }
        environment.flags.insert(.inexact)
        if x.magnitude.exponentField >= bias {
            // The ends are exact, and reported as all else.
            guard x.magnitude == one else { return x }
            return x.isNegative ? Extended80(negative: true, exponent: bias - 1, significand: integerBit) : one
        }
        // (e^t - 1) / t is 1 + t/2 (1 + t/3 (1 + ...)).
        let t = WideNumber(x) * .logOf2
        return (t * .series(t, terms: 30) { $0 + 1 }).rounded(&environment)
    }

    /// FYL2X: `y` times the binary logarithm of `x`.
    public static func logarithm(
        _ x: Extended80, times y: Extended80, _ environment: inout X87Environment
    ) -> Extended80 {
        if x.isNaN || y.isNaN || x.isUnsupported || y.isUnsupported { return environment.nan(x, y) }
        if x.isNegative && !x.isZero { return environment.invalid() }
        if x.isInfinite || x.isZero {
            if x.isInfinite ? y.isZero : y.isZero { return environment.invalid() }
            if x.isZero && !y.isInfinite { environment.flags.insert(.divideByZero) }
            if environment.isStopped(byDenormal: y.isDenormal && !x.isZero) { return y }
            return .infinity(negative: y.isNegative != x.isZero)
        }
        let isOne = x == one
        if y.isInfinite && isOne { return environment.invalid() }
        if environment.isStopped(byDenormal: x.isDenormal || y.isDenormal) { return y }
        let isBelowOne = x.exponentField < bias
        if y.isInfinite { return .infinity(negative: y.isNegative != isBelowOne) }
        if y.isZero || isOne { return .zero(negative: y.isNegative != isBelowOne) }
        let (exponent, significand) = x.normalized
        if significand == integerBit {
            // A power of two has a whole logarithm; an exact product is reported as all else.
            return scaled(y, by: WideNumber(exponent - bias), &environment)
        }
        return (binaryLogarithm(WideNumber(x)) * WideNumber(y)).rounded(&environment)
    }

    /// FYL2XP1: `y` times the binary logarithm of `x` + 1.
    public static func logarithmPlusOne(
        _ x: Extended80, times y: Extended80, _ environment: inout X87Environment
    ) -> Extended80 {
        if x.isNaN || y.isNaN || x.isUnsupported || y.isUnsupported { return environment.nan(x, y) }
        if x.isNegative && x.exponentField >= bias { return environment.invalid() }
        if x.isInfinite {
            return y.isZero ? environment.invalid() : .infinity(negative: y.isNegative)
        }
        if y.isInfinite && x.isZero { return environment.invalid() }
        if environment.isStopped(byDenormal: x.isDenormal || y.isDenormal) { return y }
        let negative = x.isNegative != y.isNegative
        if y.isInfinite { return .infinity(negative: negative) }
        if x.isZero || y.isZero { return .zero(negative: negative) }
        let number = WideNumber(x)
        // Near zero the sum would lose what counts: (m - 1) / (m + 1) is x / (x + 2).
        let logarithm =
            number.exponent < -2
            ? hyperbolic(number / (number + WideNumber(2))) : binaryLogarithm(number + .one)
        return (logarithm * WideNumber(y)).rounded(&environment)
    }

    /// `y` times a whole number.
    private static func scaled(
        _ y: Extended80, by factor: WideNumber, _ environment: inout X87Environment
    ) -> Extended80 {
        // 64 bits by at most 15: the product is exact in 128.
        let product = WideNumber(y) * factor
        environment.flags.insert(.inexact)
        return environment.round(
            negative: product.isNegative, exponent: product.exponent + bias,
            significand: UInt64(truncatingIfNeeded: product.significand >> 64),
            tail: UInt64(truncatingIfNeeded: product.significand), precision: 64)
    }

    /// The binary logarithm of a positive number.
    private static func binaryLogarithm(_ x: WideNumber) -> WideNumber {
        // The significand between the roots of one half and of two, so that the series is short.
        let isUpper = x.significand > 0xb504_f333_f9de_6484 << 64
        let exponent = x.exponent + (isUpper ? 1 : 0)
        let m = WideNumber(exponent: isUpper ? -1 : 0, significand: x.significand)
        return WideNumber(exponent) + hyperbolic((m - .one) / (m + .one))
    }

    /// 2 / ln 2 times the inverse hyperbolic tangent of `s`, at most 0.18: s (1 + s^2/3 + s^4/5 + ...).
    private static func hyperbolic(_ s: WideNumber) -> WideNumber {
        if s.isZero { return s }
        let square = s * s
        var sum = WideNumber.one / 55
        for divisor in stride(from: 53, through: 1, by: -2) { sum = .one / divisor + square * sum }
        return s * sum * .twoOverLogOf2
    }
}

// SPDX-License-Identifier: Apache-2.0

// FSIN, FCOS, FPTAN and FPATAN. Arguments are reduced by the 66 bits of pi that x87 has always had
// (Intel SDM Vol 1 §8.3.8); the rest is rounded from 128 bits.
extension Extended80 {
    /// Whether FSIN and its kin leave the operand alone and set C2: finite magnitudes from 2^63.
    public var isBeyondTrigonometry: Bool {
        !isSpecial && exponentField >= Self.bias + 63
    }

    /// FSIN.
    public static func sine(_ x: Extended80, _ environment: inout X87Environment) -> Extended80 {
        if let special = specialOperand(x, &environment) { return special }
        if x.isZero { return x }
        let (angle, quadrant) = reduced(x)
        let value = quadrant & 1 == 0 ? sine(angle) : cosine(angle)
        return finish(quadrant & 2 == 0 ? value : -value, &environment)
    }

    /// FCOS.
    public static func cosine(_ x: Extended80, _ environment: inout X87Environment) -> Extended80 {
        if let special = specialOperand(x, &environment) { return special }
        if x.isZero { return one }
        let (angle, quadrant) = reduced(x)
        let value = quadrant & 1 == 0 ? cosine(angle) : sine(angle)
        return finish((quadrant + 1) & 2 == 0 ? value : -value, &environment)
    }

    /// FPTAN without the one that it pushes.
    public static func tangent(_ x: Extended80, _ environment: inout X87Environment) -> Extended80 {
        if let special = specialOperand(x, &environment) { return special }
        if x.isZero { return x }
        let (angle, quadrant) = reduced(x)
        let (sine, cosine) = (sine(angle), cosine(angle))
        return finish(quadrant & 1 == 0 ? sine / cosine : -(cosine / sine), &environment)
    }

    /// FPATAN: the angle of the point (`x`, `y`).
    public static func arctangent(
        _ y: Extended80, over x: Extended80, _ environment: inout X87Environment
    ) -> Extended80 {
        if x.isNaN || y.isNaN || x.isUnsupported || y.isUnsupported { return environment.nan(x, y) }
        if environment.isStopped(byDenormal: x.isDenormal || y.isDenormal) { return y }
        var angle: WideNumber
        if y.isInfinite || x.isZero && !y.isZero {
            angle = !x.isInfinite ? .halfPi : x.isNegative ? .threeQuartersPi : .quarterPi
        } else if y.isZero || x.isInfinite {
            if !x.isNegative { return .zero(negative: y.isNegative) }
            angle = .pi
        } else {
            let (height, width) = (WideNumber(y).magnitude, WideNumber(x).magnitude)
            let isSteep = WideNumber.isSmaller(width, height)
            angle = arctangent(isSteep ? width / height : height / width)
            if isSteep { angle = .halfPi - angle }
            if x.isNegative { angle = .pi - angle }
        }
        return finish(y.isNegative ? -angle : angle, &environment)
    }

    /// The arctangent of a number from 0 to 1: that of the nearest eighth, and of what the angle between them is.
    private static func arctangent(_ ratio: WideNumber) -> WideNumber {
        let sixteenths =
            ratio.exponent < -4 ? 0 : Int(truncatingIfNeeded: ratio.significand >> UInt128(127 - 4 - ratio.exponent))
        let eighths = (sixteenths + 1) / 2
        if eighths == 0 { return arctangentSeries(ratio) }
        let center = WideNumber(eighths) / 8
        return .arctangent(eighths: eighths) + arctangentSeries((ratio - center) / (.one + ratio * center))
    }

    /// z (1 - z^2/3 + z^4/5 - ...), of magnitudes up to 1/16.
    private static func arctangentSeries(_ z: WideNumber) -> WideNumber {
        if z.isZero { return z }
        let square = -(z * z)
        var sum = WideNumber.one / 37
        for divisor in stride(from: 35, through: 1, by: -2) { sum = .one / divisor + square * sum }
        return z * sum
    }

    private static func specialOperand(_ x: Extended80, _ environment: inout X87Environment) -> Extended80? {
        if x.isNaN || x.isUnsupported { return environment.nan(x, x) }
        if x.isInfinite { return environment.invalid() }
        return environment.isStopped(byDenormal: x.isDenormal) ? x : nil
    }

    private static func finish(_ value: WideNumber, _ environment: inout X87Environment) -> Extended80 {
        environment.flags.insert(.inexact)
        if value.isZero { return .zero(negative: value.isNegative) }
        return value.rounded(&environment)
    }

    /// The angle less a multiple of pi/2, at most pi/4 in magnitude, and that multiple's low two bits.
    private static func reduced(_ x: Extended80) -> (angle: WideNumber, quadrant: Int) {
        let (biased, significand) = x.normalized
        let exponent = biased - bias
        if exponent < -1 { return (WideNumber(x), 0) }
        // pi/2 as 66 bits, in units of 2^-65; the number in the same units, bit by bit from the top.
        let divisor: UInt128 = 0x3_243f_6a88_85a3_08d3
        var rest: UInt128 = 0
        var quotient = 0
        for place in stride(from: 63, through: 0 - (exponent + 2), by: -1) {
            rest = rest << 1 | (place < 0 ? 0 : UInt128(significand >> UInt64(place) & 1))
            quotient <<= 1
            if rest >= divisor {
                rest -= divisor
                quotient |= 1
            }
            quotient &= 3
        }
        var negative = x.isNegative
        if rest > divisor >> 1 {
            rest = divisor - rest
            negative.toggle()
            quotient += 1
        }
        if x.isNegative { quotient = 0 - quotient }
        guard rest != 0 else { return (WideNumber(0), quotient & 3) }
        let shift = rest.leadingZeroBitCount
        return (
            WideNumber(isNegative: negative, exponent: 127 - 65 - shift, significand: rest << UInt128(shift)),
            quotient & 3
        )
    }

    /// r (1 - r^2/(2 3) (1 - r^2/(4 5) (...))).
    private static func sine(_ angle: WideNumber) -> WideNumber {
        angle * .series(-(angle * angle), terms: 17) { 2 * $0 * (2 * $0 + 1) }
    }

    /// 1 - r^2/(1 2) (1 - r^2/(3 4) (...)).
    private static func cosine(_ angle: WideNumber) -> WideNumber {
        .series(-(angle * angle), terms: 17) { 2 * $0 * (2 * $0 - 1) }
    }
}

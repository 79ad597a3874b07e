// SPDX-License-Identifier: Apache-2.0

// One element of CVTPS2PD and its kin.
extension SSEEnvironment {
    /// CVTSS2SD, CVTSD2SS: the value in the other format.
    @inlinable
    public mutating func convert<Source: FloatFormat, Target: FloatFormat>(
        _ x: Source, to target: Target.Type
    ) -> Target {
        let x = operand(x)
        let result = x.converted(to: target, &arithmetic)
        finish(sawSubnormal: x.isSubnormal, sawNaN: x.isNaN)
        return result
    }

    /// VCVTPH2PS: DAZ does not hold, and a subnormal operand raises nothing (Intel SDM Vol 1 §14.4.1).
    @inlinable
    public mutating func widenHalf(_ x: Binary16) -> Binary32 {
        let result = x.converted(to: Binary32.self, &arithmetic)
        finish(sawSubnormal: false, sawNaN: x.isNaN)
        return result
    }

    /// VCVTPS2PH: DAZ holds, flush-to-zero does not (Intel SDM Vol 1 §14.4.1).
    @inlinable
    public mutating func narrowToHalf(_ x: Binary32) -> Binary16 {
        let flushes = arithmetic.rules.flushesTinyResults
        arithmetic.rules.flushesTinyResults = false
        let result = convert(x, to: Binary16.self)
        arithmetic.rules.flushesTinyResults = flushes
        return result
    }

    /// CVTSS2SI, CVTPS2DQ: the integer by the rounding mode; `truncating` as CVTTSS2SI does.
    @inlinable
    public mutating func toInteger<Format: FloatFormat, Integer: FixedWidthInteger>(
        _ x: Format, _ type: Integer.Type, truncating: Bool
    ) -> Integer {
        let rounding = arithmetic.rounding
        if truncating { arithmetic.rounding = .towardZero }
        let result = operand(x).toInteger(type, &arithmetic)
        arithmetic.rounding = rounding
        finish(sawSubnormal: false, sawNaN: false)
        return result
    }

    /// CVTSI2SS, CVTDQ2PS: the number nearest to an integer.
    @inlinable
    public mutating func fromInteger<Format: FloatFormat, Integer: FixedWidthInteger>(
        _ value: Integer, to format: Format.Type
    ) -> Format {
        let result = Format.fromInteger(value, &arithmetic)
        finish(sawSubnormal: false, sawNaN: false)
        return result
    }

    /// ROUNDSS: a whole number of the same format. Bits 1:0 of `immediate` are the rounding mode unless bit 2 takes
    /// MXCSR's; bit 3 leaves inexactness unreported (Intel SDM Vol 2, ROUNDPD).
    @inlinable
    public mutating func round<Format: FloatFormat>(_ x: Format, immediate: UInt8) -> Format {
        let rounding = arithmetic.rounding
        if immediate & 4 == 0 { arithmetic.rounding = Rounding(x86: UInt32(immediate)) }
        let result = operand(x).roundedToIntegral(raisesInexact: immediate & 8 == 0, &arithmetic)
        arithmetic.rounding = rounding
        finish(sawSubnormal: false, sawNaN: false)
        return result
    }
}

// SPDX-License-Identifier: Apache-2.0
import SoftFloat
import Testing

/// A conversion with its source and result as patterns.
struct ConversionCase: Sendable {
    var source: UInt64
    var rounding: Rounding = .nearestEven
    var result: UInt64
    var flags: FloatFlags = []
}

@Suite struct ConversionTests {
    @Test(
        "binary64 narrows to binary16 with one rounding",
        arguments: [
            ConversionCase(source: 0x3ff0_0000_0000_0000, result: 0x3c00),
            ConversionCase(source: 0x8000_0000_0000_0000, result: 0x8000),
            ConversionCase(source: 0xfff0_0000_0000_0000, result: 0xfc00),
            ConversionCase(source: 0xfff8_0000_0000_1234, result: 0x7e00),
            ConversionCase(source: 0x7ff0_0000_0000_0001, result: 0x7e00, flags: .invalid),
            // 65504 is the greatest; 65519.99… rounds to it, 65520 is the tie that rounds to infinity.
            ConversionCase(source: 0x40ef_fc00_0000_0000, result: 0x7bff),
            ConversionCase(source: 0x40ef_fdff_ffff_ffff, result: 0x7bff, flags: .inexact),
            ConversionCase(source: 0x40ef_fe00_0000_0000, result: 0x7c00, flags: [.overflow, .inexact]),
            ConversionCase(source: 0x40ef_fe00_0000_0000, rounding: .down, result: 0x7bff, flags: .inexact),
            ConversionCase(
                source: 0x40f0_0000_0000_0000, rounding: .down, result: 0x7bff, flags: [.overflow, .inexact]),
            // 1 + 2^-11 is a tie; a hair more is not, though binary32 in between would lose it.
            ConversionCase(source: 0x3ff0_0200_0000_0000, result: 0x3c00, flags: .inexact),
            ConversionCase(source: 0x3ff0_0200_0000_0001, result: 0x3c01, flags: .inexact),
            // 2^-24 is the smallest subnormal number, 2^-25 its half; 2^-14 is the smallest normal one.
            ConversionCase(source: 0x3e70_0000_0000_0000, result: 0x0001),
            ConversionCase(source: 0x3e60_0000_0000_0000, result: 0x0000, flags: [.underflow, .inexact]),
            ConversionCase(source: 0x3e60_0000_0000_0001, result: 0x0001, flags: [.underflow, .inexact]),
            ConversionCase(source: 0x3f0f_ffff_ffff_ffff, result: 0x0400, flags: .inexact),
            ConversionCase(
                source: 0x0000_0000_0000_0001, rounding: .up, result: 0x0001, flags: [.underflow, .inexact]),
        ])
    func narrowing(row: ConversionCase) {
        var environment = RISCVFloatEnvironment(rounding: row.rounding)
        let result = Binary64(bits: row.source).converted(to: Binary16.self, &environment)
        #expect(UInt64(result.bits) == row.result)
        #expect(environment.flags == row.flags)
    }

    @Test(
        "binary16 widens to binary64 exactly, subnormal numbers too",
        arguments: [
            ConversionCase(source: 0x0001, result: 0x3e70_0000_0000_0000),
            ConversionCase(source: 0x83ff, result: 0xbf0f_f800_0000_0000),
            ConversionCase(source: 0x7bff, result: 0x40ef_fc00_0000_0000),
            ConversionCase(source: 0x7c00, result: 0x7ff0_0000_0000_0000),
            ConversionCase(source: 0x7c01, result: 0x7ff8_0000_0000_0000, flags: .invalid),
            ConversionCase(source: 0xfe01, result: 0x7ff8_0000_0000_0000),
        ])
    func widening(row: ConversionCase) {
        var environment = RISCVFloatEnvironment(rounding: row.rounding)
        let source = Binary16(bits: UInt16(row.source))
        #expect(source.converted(to: Binary64.self, &environment).bits == row.result)
        #expect(environment.flags == row.flags)
    }

    @Test(
        "to Int32: rounding, saturation, and invalid without inexact",
        arguments: [
            (0x3ff8_0000_0000_0000, .nearestEven, 2, .inexact),
            (0x4004_0000_0000_0000, .nearestEven, 2, .inexact),
            (0x4004_0000_0000_0000, .nearestAway, 3, .inexact),
            (0xc004_0000_0000_0000, .down, -3, .inexact),
            (0xc004_0000_0000_0000, .towardZero, -2, .inexact),
            (0x0000_0000_0000_0001, .up, 1, .inexact),
            (0x8000_0000_0000_0000, .down, 0, []),
            // 2147483647.5 is out of range once rounded up; -2147483648.5 is in range rounded up.
            (0x41df_ffff_ffe0_0000, .down, 2_147_483_647, .inexact),
            (0x41df_ffff_ffe0_0000, .nearestEven, 2_147_483_647, .invalid),
            (0xc1e0_0000_0010_0000, .up, -2_147_483_648, .inexact),
            (0xc1e0_0000_0010_0000, .down, -2_147_483_648, .invalid),
            (0xc1e0_0000_0000_0000, .nearestEven, -2_147_483_648, []),
            (0x7ff0_0000_0000_0000, .nearestEven, 2_147_483_647, .invalid),
            (0xfff0_0000_0000_0000, .nearestEven, -2_147_483_648, .invalid),
            (0xfff8_0000_0000_0000, .nearestEven, 2_147_483_647, .invalid),
        ] as [(UInt64, Rounding, Int32, FloatFlags)])
    func toInt32(bits: UInt64, rounding: Rounding, result: Int32, flags: FloatFlags) {
        var environment = RISCVFloatEnvironment(rounding: rounding)
        #expect(Binary64(bits: bits).toInteger(Int32.self, &environment) == result)
        #expect(environment.flags == flags)
    }

    @Test(
        "to UInt64: negative numbers saturate at 0 unless they round to it",
        arguments: [
            (0xbfe0_0000_0000_0000, .nearestEven, 0, .inexact),
            (0xbfe0_0000_0000_0000, .down, 0, .invalid),
            (0xbff0_0000_0000_0000, .nearestEven, 0, .invalid),
            (0x43ef_ffff_ffff_ffff, .nearestEven, 0xffff_ffff_ffff_f800, []),
            (0x43f0_0000_0000_0000, .nearestEven, .max, .invalid),
            (0xfff0_0000_0000_0000, .nearestEven, 0, .invalid),
            (0xfff8_0000_0000_0000, .nearestEven, .max, .invalid),
        ] as [(UInt64, Rounding, UInt64, FloatFlags)])
    func toUInt64(bits: UInt64, rounding: Rounding, result: UInt64, flags: FloatFlags) {
        var environment = RISCVFloatEnvironment(rounding: rounding)
        #expect(Binary64(bits: bits).toInteger(UInt64.self, &environment) == result)
        #expect(environment.flags == flags)
    }

    @Test(
        "a binary16 NaN is no integer, though its exponent is small", arguments: [0x7e00, 0xfc01, 0x7dff] as [UInt16])
    func smallNaN(bits: UInt16) {
        var environment = RISCVFloatEnvironment(rounding: .nearestEven)
        #expect(Binary16(bits: bits).toInteger(Int64.self, &environment) == .max)
        #expect(environment.flags == .invalid)
    }

    @Test(
        "from UInt64: rounded where the precision does not suffice",
        arguments: [
            ConversionCase(source: 0, rounding: .down, result: 0),
            ConversionCase(source: 1, result: 0x3f80_0000),
            ConversionCase(source: 0xffff_ff00_0000_0000, result: 0x5f7f_ffff),
            ConversionCase(source: .max, result: 0x5f80_0000, flags: .inexact),
            ConversionCase(source: .max, rounding: .towardZero, result: 0x5f7f_ffff, flags: .inexact),
            ConversionCase(source: 0x0100_0001, result: 0x4b80_0000, flags: .inexact),
            ConversionCase(source: 0x0100_0001, rounding: .up, result: 0x4b80_0001, flags: .inexact),
        ])
    func fromUInt64(row: ConversionCase) {
        var environment = RISCVFloatEnvironment(rounding: row.rounding)
        #expect(UInt64(Binary32.fromInteger(row.source, &environment).bits) == row.result)
        #expect(environment.flags == row.flags)
    }

    @Test("from Int64: the least one is exact")
    func fromLeastInt64() {
        var environment = RISCVFloatEnvironment(rounding: .nearestEven)
        #expect(Binary64.fromInteger(Int64.min, &environment).bits == 0xc3e0_0000_0000_0000)
        #expect(environment.flags == [])
    }

    @Test("integers beyond binary16 overflow")
    func integerOverflow() {
        var environment = RISCVFloatEnvironment(rounding: .nearestEven)
        #expect(Binary16.fromInteger(65_520 as UInt32, &environment).bits == 0x7c00)
        #expect(environment.flags == [.overflow, .inexact])
    }

    @Test(
        "to a whole number of the same format",
        arguments: [
            (0x3fe0_0000_0000_0000, .nearestEven, 0x0000_0000_0000_0000),
            (0x3fe0_0000_0000_0000, .nearestAway, 0x3ff0_0000_0000_0000),
            (0xbfe0_0000_0000_0001, .nearestEven, 0xbff0_0000_0000_0000),
            (0xbfe0_0000_0000_0000, .towardZero, 0x8000_0000_0000_0000),
            (0x8000_0000_0000_0001, .down, 0xbff0_0000_0000_0000),
            (0x3ff8_0000_0000_0000, .nearestEven, 0x4000_0000_0000_0000),
            (0x4004_0000_0000_0000, .nearestEven, 0x4000_0000_0000_0000),
            (0x432f_ffff_ffff_ffff, .nearestEven, 0x4330_0000_0000_0000),
        ] as [(UInt64, Rounding, UInt64)])
    func integral(bits: UInt64, rounding: Rounding, result: UInt64) {
        var quiet = RISCVFloatEnvironment(rounding: rounding)
        var exact = quiet
        #expect(Binary64(bits: bits).roundedToIntegral(&quiet).bits == result)
        #expect(Binary64(bits: bits).roundedToIntegral(raisesInexact: true, &exact).bits == result)
        #expect(quiet.flags == [])
        #expect(exact.flags == .inexact)
    }

    @Test(
        "whole numbers, infinities and zeros stay as they are",
        arguments: [
            0, 0x8000_0000_0000_0000, 0x3ff0_0000_0000_0000, 0xc008_0000_0000_0000, 0x7ff0_0000_0000_0000,
            0x4330_0000_0000_0001,
        ] as [UInt64], Rounding.allCases)
    func alreadyIntegral(bits: UInt64, rounding: Rounding) {
        var environment = RISCVFloatEnvironment(rounding: rounding)
        #expect(Binary64(bits: bits).roundedToIntegral(raisesInexact: true, &environment).bits == bits)
        #expect(environment.flags == [])
    }

    @Test("a signaling NaN has no whole part")
    func signalingIntegral() {
        var environment = RISCVFloatEnvironment(rounding: .nearestEven)
        #expect(Binary64(bits: Pattern.signalingNaN).roundedToIntegral(&environment).bits == Pattern.canonicalNaN)
        #expect(environment.flags == .invalid)
    }
}

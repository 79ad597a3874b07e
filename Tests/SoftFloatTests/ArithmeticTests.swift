// SPDX-License-Identifier: Apache-2.0
import SoftFloat
import Testing

/// An operation on binary64 patterns with the result and flags worked out by hand.
struct ArithmeticCase: Sendable, CustomTestStringConvertible {
    var x: UInt64
    var y: UInt64
    var rounding: Rounding = .nearestEven
    var result: UInt64
    var flags: FloatFlags = []

    var testDescription: String {
        "\(rounding) \(String(x, radix: 16)) \(String(y, radix: 16)) -> \(String(result, radix: 16))"
    }
}

/// Patterns of binary64 that the tables name.
enum Pattern {
    static let zero: UInt64 = 0
    static let negativeZero: UInt64 = 0x8000_0000_0000_0000
    static let one: UInt64 = 0x3ff0_0000_0000_0000
    static let negativeOne: UInt64 = 0xbff0_0000_0000_0000
    static let two: UInt64 = 0x4000_0000_0000_0000
    static let half: UInt64 = 0x3fe0_0000_0000_0000
    static let three: UInt64 = 0x4008_0000_0000_0000
    /// Half a unit in the last place of 1.
    static let tie: UInt64 = 0x3ca0_0000_0000_0000
    static let negativeTie: UInt64 = 0xbca0_0000_0000_0000
    static let greatest: UInt64 = 0x7fef_ffff_ffff_ffff
    static let negativeGreatest: UInt64 = 0xffef_ffff_ffff_ffff
    static let infinity: UInt64 = 0x7ff0_0000_0000_0000
    static let negativeInfinity: UInt64 = 0xfff0_0000_0000_0000
    static let smallestNormal: UInt64 = 0x0010_0000_0000_0000
    static let largestSubnormal: UInt64 = 0x000f_ffff_ffff_ffff
    static let smallest: UInt64 = 1
    static let negativeSmallest: UInt64 = 0x8000_0000_0000_0001
    static let canonicalNaN: UInt64 = 0x7ff8_0000_0000_0000
    static let quietNaN: UInt64 = 0xfff8_0000_0000_1234
    static let signalingNaN: UInt64 = 0x7ff0_0000_0000_0001
}

@Suite struct ArithmeticTests {
    typealias P = Pattern

    @Test(
        "addition: zeros, infinities, NaNs, ties and the ends of the range",
        arguments: [
            ArithmeticCase(x: P.zero, y: P.negativeZero, result: P.zero),
            ArithmeticCase(x: P.zero, y: P.negativeZero, rounding: .down, result: P.negativeZero),
            ArithmeticCase(x: P.negativeZero, y: P.negativeZero, rounding: .up, result: P.negativeZero),
            ArithmeticCase(x: P.one, y: P.negativeOne, result: P.zero),
            ArithmeticCase(x: P.one, y: P.negativeOne, rounding: .down, result: P.negativeZero),
            ArithmeticCase(x: P.infinity, y: P.negativeGreatest, result: P.infinity),
            ArithmeticCase(x: P.infinity, y: P.negativeInfinity, result: P.canonicalNaN, flags: .invalid),
            ArithmeticCase(x: P.quietNaN, y: P.one, result: P.canonicalNaN),
            ArithmeticCase(x: P.infinity, y: P.signalingNaN, result: P.canonicalNaN, flags: .invalid),
            // 1 + half an ulp: the tie goes to the even 1; away, up: to its neighbour.
            ArithmeticCase(x: P.one, y: P.tie, result: P.one, flags: .inexact),
            ArithmeticCase(x: P.one + 1, y: P.tie, result: P.one + 2, flags: .inexact),
            ArithmeticCase(x: P.one, y: P.tie + 1, result: P.one + 1, flags: .inexact),
            ArithmeticCase(x: P.one, y: P.tie, rounding: .nearestAway, result: P.one + 1, flags: .inexact),
            ArithmeticCase(x: P.one, y: P.tie, rounding: .up, result: P.one + 1, flags: .inexact),
            ArithmeticCase(x: P.one, y: P.smallest, rounding: .up, result: P.one + 1, flags: .inexact),
            ArithmeticCase(x: P.one + 1, y: P.tie, rounding: .down, result: P.one + 1, flags: .inexact),
            ArithmeticCase(x: P.one + 1, y: P.tie, rounding: .towardZero, result: P.one + 1, flags: .inexact),
            ArithmeticCase(
                x: P.negativeOne, y: P.negativeTie, rounding: .down, result: P.negativeOne + 1, flags: .inexact),
            // Below 1 the spacing halves: 1 - half an ulp is exact.
            ArithmeticCase(x: P.one, y: P.negativeTie, result: P.one - 1),
            ArithmeticCase(x: P.one, y: P.negativeSmallest, rounding: .towardZero, result: P.one - 1, flags: .inexact),
            ArithmeticCase(x: P.largestSubnormal, y: P.smallest, result: P.smallestNormal),
            ArithmeticCase(x: P.smallestNormal, y: P.negativeSmallest, result: P.largestSubnormal),
            ArithmeticCase(x: P.greatest, y: P.greatest, result: P.infinity, flags: [.overflow, .inexact]),
            ArithmeticCase(
                x: P.greatest, y: P.greatest, rounding: .towardZero, result: P.greatest, flags: [.overflow, .inexact]),
            ArithmeticCase(
                x: P.greatest, y: P.greatest, rounding: .down, result: P.greatest, flags: [.overflow, .inexact]),
            ArithmeticCase(
                x: P.negativeGreatest, y: P.negativeGreatest, rounding: .down, result: P.negativeInfinity,
                flags: [.overflow, .inexact]),
            ArithmeticCase(
                x: P.negativeGreatest, y: P.negativeGreatest, rounding: .up, result: P.negativeGreatest,
                flags: [.overflow, .inexact]),
            // The greatest number plus 2^969, a quarter of its ulp, is in range; plus 2^970, half of it, is not.
            ArithmeticCase(x: P.greatest, y: 0x7c80_0000_0000_0000, result: P.greatest, flags: .inexact),
            ArithmeticCase(x: P.greatest, y: 0x7c90_0000_0000_0000, result: P.infinity, flags: [.overflow, .inexact]),
            ArithmeticCase(
                x: P.greatest, y: P.smallest, rounding: .up, result: P.infinity, flags: [.overflow, .inexact]),
        ])
    func addition(row: ArithmeticCase) {
        var environment = RISCVFloatEnvironment(rounding: row.rounding)
        #expect(Binary64.add(Binary64(bits: row.x), Binary64(bits: row.y), &environment).bits == row.result)
        #expect(environment.flags == row.flags)
    }

    @Test(
        "subtraction is addition of the negated operand",
        arguments: [
            ArithmeticCase(x: P.one, y: P.one, result: P.zero),
            ArithmeticCase(x: P.zero, y: P.zero, rounding: .down, result: P.negativeZero),
            ArithmeticCase(x: P.negativeZero, y: P.zero, result: P.negativeZero),
            ArithmeticCase(x: P.infinity, y: P.infinity, result: P.canonicalNaN, flags: .invalid),
            ArithmeticCase(x: P.infinity, y: P.negativeInfinity, result: P.infinity),
            ArithmeticCase(x: P.one, y: P.signalingNaN, result: P.canonicalNaN, flags: .invalid),
            ArithmeticCase(x: P.one, y: P.tie, result: P.one - 1),
        ])
    func subtraction(row: ArithmeticCase) {
        var environment = RISCVFloatEnvironment(rounding: row.rounding)
        #expect(Binary64.subtract(Binary64(bits: row.x), Binary64(bits: row.y), &environment).bits == row.result)
        #expect(environment.flags == row.flags)
    }

    @Test(
        "multiplication: zeros, infinities, NaNs, overflow and the edge of the subnormal range",
        arguments: [
            ArithmeticCase(x: P.two, y: P.three, result: 0x4018_0000_0000_0000),
            ArithmeticCase(x: P.negativeOne, y: P.zero, result: P.negativeZero),
            ArithmeticCase(x: P.infinity, y: P.negativeOne, result: P.negativeInfinity),
            ArithmeticCase(x: P.infinity, y: P.zero, result: P.canonicalNaN, flags: .invalid),
            ArithmeticCase(x: P.quietNaN, y: P.infinity, result: P.canonicalNaN),
            ArithmeticCase(x: P.signalingNaN, y: P.zero, result: P.canonicalNaN, flags: .invalid),
            ArithmeticCase(x: P.greatest, y: P.two, result: P.infinity, flags: [.overflow, .inexact]),
            ArithmeticCase(x: P.greatest, y: P.one, result: P.greatest),
            // (1 + ulp)^2 = 1 + 2 ulp + ulp^2.
            ArithmeticCase(x: P.one + 1, y: P.one + 1, result: P.one + 2, flags: .inexact),
            ArithmeticCase(x: P.one + 1, y: P.one + 1, rounding: .up, result: P.one + 3, flags: .inexact),
            // Exact subnormal results raise nothing.
            ArithmeticCase(x: P.smallestNormal, y: P.half, result: 0x0008_0000_0000_0000),
            // Half of the smallest subnormal number is a tie between 0 and it.
            ArithmeticCase(x: P.smallest, y: P.half, result: P.zero, flags: [.underflow, .inexact]),
            ArithmeticCase(
                x: P.smallest, y: P.half, rounding: .nearestAway, result: P.smallest, flags: [.underflow, .inexact]),
            ArithmeticCase(
                x: P.negativeSmallest, y: P.half, rounding: .up, result: P.negativeZero, flags: [.underflow, .inexact]),
            ArithmeticCase(
                x: P.negativeSmallest, y: P.smallest, rounding: .down, result: P.negativeSmallest,
                flags: [.underflow, .inexact]),
            // 1 - 2^-53 of the smallest normal number rounds to it, but needs no rounding at full precision: tiny.
            ArithmeticCase(
                x: P.smallestNormal, y: P.one - 1, result: P.smallestNormal, flags: [.underflow, .inexact]),
            // (1 + 2^-52)(1 - 2^-52) = 1 - 2^-104 of it reaches it at full precision as well: not tiny.
            ArithmeticCase(x: P.smallestNormal + 1, y: P.one - 2, result: P.smallestNormal, flags: .inexact),
        ])
    func multiplication(row: ArithmeticCase) {
        var environment = RISCVFloatEnvironment(rounding: row.rounding)
        #expect(Binary64.multiply(Binary64(bits: row.x), Binary64(bits: row.y), &environment).bits == row.result)
        #expect(environment.flags == row.flags)
    }

    @Test(
        "division: zeros, infinities, NaNs and inexact quotients",
        arguments: [
            ArithmeticCase(x: P.one, y: P.three, result: 0x3fd5_5555_5555_5555, flags: .inexact),
            ArithmeticCase(x: P.one, y: P.three, rounding: .up, result: 0x3fd5_5555_5555_5556, flags: .inexact),
            ArithmeticCase(x: P.three, y: P.two, result: 0x3ff8_0000_0000_0000),
            ArithmeticCase(x: P.one, y: P.zero, result: P.infinity, flags: .divideByZero),
            ArithmeticCase(x: P.one, y: P.negativeZero, result: P.negativeInfinity, flags: .divideByZero),
            ArithmeticCase(x: P.zero, y: P.negativeZero, result: P.canonicalNaN, flags: .invalid),
            ArithmeticCase(x: P.infinity, y: P.infinity, result: P.canonicalNaN, flags: .invalid),
            ArithmeticCase(x: P.infinity, y: P.zero, result: P.infinity),
            ArithmeticCase(x: P.one, y: P.negativeInfinity, result: P.negativeZero),
            ArithmeticCase(x: P.quietNaN, y: P.zero, result: P.canonicalNaN),
            ArithmeticCase(x: P.signalingNaN, y: P.one, result: P.canonicalNaN, flags: .invalid),
            ArithmeticCase(x: P.greatest, y: P.half, result: P.infinity, flags: [.overflow, .inexact]),
            ArithmeticCase(x: P.smallest, y: P.two, result: P.zero, flags: [.underflow, .inexact]),
            ArithmeticCase(x: P.smallest, y: P.smallest, result: P.one),
        ])
    func division(row: ArithmeticCase) {
        var environment = RISCVFloatEnvironment(rounding: row.rounding)
        #expect(Binary64.divide(Binary64(bits: row.x), Binary64(bits: row.y), &environment).bits == row.result)
        #expect(environment.flags == row.flags)
    }

    @Test(
        "square root: signs, exact roots and rounded ones",
        arguments: [
            ArithmeticCase(x: 0x4010_0000_0000_0000, y: 0, result: P.two),
            ArithmeticCase(x: P.two, y: 0, result: 0x3ff6_a09e_667f_3bcd, flags: .inexact),
            ArithmeticCase(x: P.two, y: 0, rounding: .down, result: 0x3ff6_a09e_667f_3bcc, flags: .inexact),
            ArithmeticCase(x: P.negativeZero, y: 0, result: P.negativeZero),
            ArithmeticCase(x: P.negativeOne, y: 0, result: P.canonicalNaN, flags: .invalid),
            ArithmeticCase(x: P.negativeInfinity, y: 0, result: P.canonicalNaN, flags: .invalid),
            ArithmeticCase(x: P.infinity, y: 0, result: P.infinity),
            ArithmeticCase(x: P.quietNaN, y: 0, result: P.canonicalNaN),
            ArithmeticCase(x: P.signalingNaN, y: 0, result: P.canonicalNaN, flags: .invalid),
            // The root of 2^-1074 is 2^-537.
            ArithmeticCase(x: P.smallest, y: 0, result: 0x1e60_0000_0000_0000),
            ArithmeticCase(x: P.one - 1, y: 0, result: P.one - 1, flags: .inexact),
        ])
    func squareRoot(row: ArithmeticCase) {
        var environment = RISCVFloatEnvironment(rounding: row.rounding)
        #expect(Binary64.squareRoot(Binary64(bits: row.x), &environment).bits == row.result)
        #expect(environment.flags == row.flags)
    }
}

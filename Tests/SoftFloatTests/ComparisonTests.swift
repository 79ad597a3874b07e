// SPDX-License-Identifier: Apache-2.0
import SoftFloat
import Testing

/// Two binary32 operands with everything that comparing them gives.
struct ComparisonCase: Sendable {
    var x: UInt32
    var y: UInt32
    var equal = false
    var less = false
    var minimum: UInt32
    var maximum: UInt32
    /// What `equal`, `minimum` and `maximum` raise.
    var quietFlags: FloatFlags = []
    /// What `less` and `lessOrEqual` raise.
    var orderFlags: FloatFlags = []
}

@Suite struct ComparisonTests {
    static let one: UInt32 = 0x3f80_0000
    static let two: UInt32 = 0x4000_0000
    static let sign: UInt32 = 0x8000_0000
    static let infinity: UInt32 = 0x7f80_0000
    static let quietNaN: UInt32 = 0xffc0_0001
    static let signalingNaN: UInt32 = 0x7f80_0001
    static let canonicalNaN: UInt32 = 0x7fc0_0000

    static let rows: [ComparisonCase] = [
        ComparisonCase(x: one, y: two, less: true, minimum: one, maximum: two),
        ComparisonCase(x: two, y: one, minimum: one, maximum: two),
        ComparisonCase(x: one, y: one, equal: true, minimum: one, maximum: one),
        ComparisonCase(x: one | sign, y: two | sign, minimum: two | sign, maximum: one | sign),
        ComparisonCase(x: two | sign, y: one, less: true, minimum: two | sign, maximum: one),
        ComparisonCase(x: 0, y: sign, equal: true, minimum: sign, maximum: 0),
        ComparisonCase(x: sign, y: 0, equal: true, minimum: sign, maximum: 0),
        ComparisonCase(x: infinity | sign, y: infinity, less: true, minimum: infinity | sign, maximum: infinity),
        ComparisonCase(x: sign | 1, y: 0, less: true, minimum: sign | 1, maximum: 0),
        ComparisonCase(x: quietNaN, y: one, minimum: one, maximum: one, orderFlags: .invalid),
        ComparisonCase(x: one, y: quietNaN, minimum: one, maximum: one, orderFlags: .invalid),
        ComparisonCase(
            x: signalingNaN, y: one, minimum: one, maximum: one, quietFlags: .invalid, orderFlags: .invalid),
        ComparisonCase(x: quietNaN, y: quietNaN, minimum: canonicalNaN, maximum: canonicalNaN, orderFlags: .invalid),
        ComparisonCase(
            x: quietNaN, y: signalingNaN, minimum: canonicalNaN, maximum: canonicalNaN, quietFlags: .invalid,
            orderFlags: .invalid),
    ]

    @Test("equal is quiet", arguments: rows)
    func equal(row: ComparisonCase) {
        var environment = RISCVFloatEnvironment(rounding: .nearestEven)
        #expect(Binary32.equal(Binary32(bits: row.x), Binary32(bits: row.y), &environment) == row.equal)
        #expect(environment.flags == row.quietFlags)
    }

    @Test("less is signaling", arguments: rows)
    func less(row: ComparisonCase) {
        var environment = RISCVFloatEnvironment(rounding: .nearestEven)
        #expect(Binary32.less(Binary32(bits: row.x), Binary32(bits: row.y), &environment) == row.less)
        #expect(environment.flags == row.orderFlags)
    }

    @Test("less or equal is signaling", arguments: rows)
    func lessOrEqual(row: ComparisonCase) {
        var environment = RISCVFloatEnvironment(rounding: .nearestEven)
        let result = Binary32.lessOrEqual(Binary32(bits: row.x), Binary32(bits: row.y), &environment)
        #expect(result == (row.less || row.equal))
        #expect(environment.flags == row.orderFlags)
    }

    @Test("the minimum prefers numbers to NaNs and orders the zeros", arguments: rows)
    func minimum(row: ComparisonCase) {
        var environment = RISCVFloatEnvironment(rounding: .nearestEven)
        #expect(Binary32.minimum(Binary32(bits: row.x), Binary32(bits: row.y), &environment).bits == row.minimum)
        #expect(environment.flags == row.quietFlags)
    }

    @Test("the maximum prefers numbers to NaNs and orders the zeros", arguments: rows)
    func maximum(row: ComparisonCase) {
        var environment = RISCVFloatEnvironment(rounding: .nearestEven)
        #expect(Binary32.maximum(Binary32(bits: row.x), Binary32(bits: row.y), &environment).bits == row.maximum)
        #expect(environment.flags == row.quietFlags)
    }

    @Test(
        "each value has one class",
        arguments: [
            (0xfc00, 0), (0xc000, 1), (0x8400, 1), (0x83ff, 2), (0x8000, 3), (0x0000, 4), (0x0001, 5), (0x7bff, 6),
            (0x7c00, 7), (0x7c01, 8), (0xfdff, 8), (0x7e00, 9), (0xffff, 9),
        ] as [(UInt16, Int)])
    func classification(bits: UInt16, bit: Int) {
        #expect(Binary16(bits: bits).classification == 1 << bit)
    }
}

// SPDX-License-Identifier: Apache-2.0
import SoftFloat
import Testing

/// A fused multiplication and addition of binary64 patterns, worked out by hand.
struct FusedCase: Sendable {
    var x: UInt64
    var y: UInt64
    var z: UInt64
    var rounding: Rounding = .nearestEven
    var result: UInt64
    var flags: FloatFlags = []
}

@Suite struct FusedMultiplyAddTests {
    typealias P = Pattern

    @Test(
        "the product is not rounded before the sum",
        arguments: [
            // (1 + ulp)^2 - (1 + 2 ulp) = ulp^2 = 2^-104.
            FusedCase(x: P.one + 1, y: P.one + 1, z: (P.one + 2) | P.negativeZero, result: 0x3970_0000_0000_0000),
            FusedCase(x: P.two, y: P.three, z: P.one, result: 0x401c_0000_0000_0000),
            FusedCase(x: P.one, y: P.one, z: P.negativeOne, result: P.zero),
            FusedCase(x: P.one, y: P.one, z: P.negativeOne, rounding: .down, result: P.negativeZero),
            FusedCase(x: P.smallest, y: P.smallest, z: P.one, result: P.one, flags: .inexact),
            FusedCase(x: P.smallest, y: P.smallest, z: P.one, rounding: .up, result: P.one + 1, flags: .inexact),
            FusedCase(
                x: P.negativeSmallest, y: P.smallest, z: P.one, rounding: .down, result: P.one - 1, flags: .inexact),
            FusedCase(x: P.one, y: P.tie, z: P.one, result: P.one, flags: .inexact),
            FusedCase(x: P.one + 1, y: P.tie, z: P.one, result: P.one + 1, flags: .inexact),
            // A product beyond the range that the addend brings back: twice the greatest minus the greatest.
            FusedCase(x: P.greatest, y: P.two, z: P.negativeGreatest, result: P.greatest),
            FusedCase(x: P.greatest, y: P.two, z: P.one, result: P.infinity, flags: [.overflow, .inexact]),
            FusedCase(x: P.smallest, y: P.half, z: P.smallest, result: 2, flags: [.underflow, .inexact]),
        ])
    func roundsOnce(row: FusedCase) {
        var environment = RISCVFloatEnvironment(rounding: row.rounding)
        let (x, y, z) = (Binary64(bits: row.x), Binary64(bits: row.y), Binary64(bits: row.z))
        #expect(Binary64.multiplyAdd(x, y, z, &environment).bits == row.result)
        #expect(environment.flags == row.flags)
    }

    @Test(
        "zeros, infinities and NaNs",
        arguments: [
            FusedCase(x: P.zero, y: P.one, z: P.negativeZero, result: P.zero),
            FusedCase(x: P.zero, y: P.negativeOne, z: P.negativeZero, result: P.negativeZero),
            FusedCase(x: P.zero, y: P.one, z: P.smallest, result: P.smallest),
            FusedCase(x: P.infinity, y: P.one, z: P.negativeInfinity, result: P.canonicalNaN, flags: .invalid),
            FusedCase(x: P.infinity, y: P.negativeOne, z: P.negativeInfinity, result: P.negativeInfinity),
            FusedCase(x: P.one, y: P.one, z: P.infinity, result: P.infinity),
            FusedCase(x: P.infinity, y: P.zero, z: P.one, result: P.canonicalNaN, flags: .invalid),
            // RISC-V Unpriv, F 2.2 §20.6: infinity times zero raises invalid even when the addend is a quiet NaN.
            FusedCase(x: P.infinity, y: P.zero, z: P.quietNaN, result: P.canonicalNaN, flags: .invalid),
            FusedCase(x: P.one, y: P.one, z: P.quietNaN, result: P.canonicalNaN),
            FusedCase(x: P.one, y: P.one, z: P.signalingNaN, result: P.canonicalNaN, flags: .invalid),
            FusedCase(x: P.quietNaN, y: P.one, z: P.infinity, result: P.canonicalNaN),
        ])
    func specialOperands(row: FusedCase) {
        var environment = RISCVFloatEnvironment(rounding: row.rounding)
        let (x, y, z) = (Binary64(bits: row.x), Binary64(bits: row.y), Binary64(bits: row.z))
        #expect(Binary64.multiplyAdd(x, y, z, &environment).bits == row.result)
        #expect(environment.flags == row.flags)
    }
}

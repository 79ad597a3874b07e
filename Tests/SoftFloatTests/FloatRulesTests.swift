// SPDX-License-Identifier: Apache-2.0
import SoftFloat
import Testing

/// Rules as different from RISC-V's as IEEE 754 lets them be: NaNs carry on, conversions have one indefinite integer.
private struct ContraryRules: FloatRules {
    static var detectsTininessBeforeRounding: Bool { true }
    static var infinityTimesZeroPlusNaNIsInvalid: Bool { false }
    var flushesTinyResults = false

    func defaultNaN<Format: FloatFormat>() -> Format { Format.canonicalNaN.negated }
    func nan<Format: FloatFormat>(_ x: Format, _ y: Format) -> Format { (x.isNaN ? x : y).quieted }
    func nan<Format: FloatFormat>(_ x: Format, _ y: Format, _ z: Format) -> Format {
        (x.isNaN ? x : y.isNaN ? y : z).quieted
    }
    func nan<Source: FloatFormat, Target: FloatFormat>(converting nan: Source) -> Target {
        nan.isNegative ? Target.canonicalNaN.negated : .canonicalNaN
    }
    func unrepresentable<Integer: FixedWidthInteger>(negative: Bool, isNaN: Bool) -> Integer { .min }
}

@Suite struct FloatRulesTests {
    private let x = Binary64(bits: 0xfff0_0000_0000_0abc)
    private let one = Binary64(bits: Pattern.one)

    private func environment(flushing: Bool = false) -> FloatEnvironment<ContraryRules> {
        FloatEnvironment(rounding: .nearestEven, rules: ContraryRules(flushesTinyResults: flushing))
    }

    @Test("the rules choose the NaN of an addition, and signaling ones still raise invalid")
    func propagation() {
        var environment = environment()
        #expect(Binary64.add(one, x, &environment).bits == 0xfff8_0000_0000_0abc)
        #expect(environment.flags == .invalid)
    }

    @Test("the sign of a subtracted NaN reaches the rules as it was")
    func subtractedNaN() {
        var environment = environment()
        #expect(Binary64.subtract(one, x, &environment).bits == 0xfff8_0000_0000_0abc)
    }

    @Test("the rules choose the NaN of an invalid operation")
    func invalidOperation() {
        var environment = environment()
        let infinity = Binary64.infinity()
        #expect(Binary64.subtract(infinity, infinity, &environment).bits == 0xfff8_0000_0000_0000)
        #expect(environment.flags == .invalid)
    }

    @Test("infinity times zero plus a quiet NaN raises invalid only where the rules say so")
    func quietFusedNaN() {
        var environment = environment()
        let nan = Binary64(bits: Pattern.quietNaN)
        #expect(Binary64.multiplyAdd(.infinity(), .zero(), nan, &environment) == nan)
        #expect(environment.flags == [])
    }

    @Test("tininess before rounding raises underflow for a result that rounds to the smallest normal number")
    func tininess() {
        var environment = environment()
        let product = Binary64.multiply(
            Binary64(bits: Pattern.smallestNormal + 1), Binary64(bits: Pattern.one - 2), &environment)
        #expect(product.bits == Pattern.smallestNormal)
        #expect(environment.flags == [.underflow, .inexact])
    }

    @Test("flushed results are zeros of their sign with underflow, exact ones too")
    func flushing() {
        var environment = environment(flushing: true)
        let product = Binary64.multiply(
            Binary64(bits: Pattern.smallestNormal), Binary64(bits: Pattern.half).negated, &environment)
        #expect(product.bits == Pattern.negativeZero)
        #expect(environment.flags == [.underflow, .inexact])
    }

    @Test("the rules choose the integer for what is out of range")
    func unrepresentable() {
        var environment = environment()
        #expect(Binary64(bits: Pattern.infinity).toInteger(Int32.self, &environment) == .min)
        #expect(environment.flags == .invalid)
    }

    @Test("the rules choose the NaN of a conversion")
    func convertedNaN() {
        var environment = environment()
        #expect(Binary64(bits: Pattern.quietNaN).converted(to: Binary32.self, &environment).bits == 0xffc0_0000)
    }
}

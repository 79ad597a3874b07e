// SPDX-License-Identifier: Apache-2.0
import RISCVOracle
import SoftFloat
import Testing
import X86Oracle

/// x87's transcendental functions against the host's. Processors differ in the last place there, and say so: results may
/// be one unit apart, exceptions may not differ.
@Suite struct TranscendentalTests {
    /// A function of the top of the stack, or of the top two, with what it does to operands to bring them into range.
    struct Function: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var operation: x86_x87_operation
        var prepare: @Sendable (Extended80) -> Extended80
        var evaluate: @Sendable (Extended80, Extended80, inout X87Environment) -> Extended80
    }

    /// Magnitudes below `2^(power)`, at least `2^-40`.
    private static func limited(_ x: Extended80, below power: Int, range: Int = 40) -> Extended80 {
        let exponent = 0x3fff + power - 1 - Int(x.signExponent & 0x7fff) % range
        return Extended80(
            significand: x.significand | 1 << 63, signExponent: UInt16(exponent) | x.signExponent & 0x8000)
    }

    static let functions: [Function] = [
        Function(testDescription: "f2xm1", operation: X86_F2XM1, prepare: { limited($0, below: 0) }) { x, _, e in
            .powerMinusOne(x, &e)
        },
        Function(testDescription: "fyl2x", operation: X86_FYL2X, prepare: { limited($0, below: 20).magnitude }) {
            x, y, e in
            .logarithm(x, times: y, &e)
        },
        Function(testDescription: "fyl2xp1", operation: X86_FYL2XP1, prepare: { limited($0, below: -2) }) { x, y, e in
            .logarithmPlusOne(x, times: y, &e)
        },
        Function(testDescription: "fpatan", operation: X86_FPATAN, prepare: { limited($0, below: 20) }) { x, y, e in
            .arctangent(y, over: x, &e)
        },
        Function(testDescription: "fsin", operation: X86_FSIN, prepare: { limited($0, below: 63, range: 90) }) {
            x, _, e in
            .sine(x, &e)
        },
        Function(testDescription: "fcos", operation: X86_FCOS, prepare: { limited($0, below: 63, range: 90) }) {
            x, _, e in
            .cosine(x, &e)
        },
    ]

    @Test(
        "numbers give what the host gives, or its neighbour",
        .enabled(if: x86_oracle_is_available() != 0, "the host is no x86-64 processor"), arguments: functions)
    func numbers(function: Function) {
        var generator = ExtendedGenerator(seed: ConformanceTests.seed)
        let wrong = (0..<2_000).compactMap { _ -> String? in
            let (x, y) = (function.prepare(generator.operand()), Self.limited(generator.operand(), below: 20))
            let host = x86_oracle_x87(function.operation.rawValue, 0x37f, x.oracle, y.oracle)
            var environment = X87Environment(control: 0x37f)
            let soft = function.evaluate(x, y, &environment)
            let expected = Extended80(host.top)
            let isNear = soft == expected || soft.isNeighbour(of: expected)
            return isNear && UInt16(environment.flags.rawValue) == host.status & 0x3f
                ? nil
                : "\(function.testDescription) \(x.text) \(y.text): \(soft.text) \(environment.flags.rawValue), host "
                    + "\(expected.text) \(String(host.status, radix: 16))"
        }
        #expect(wrong.isEmpty, "seed \(ConformanceTests.seed): \(wrong.prefix(8).joined(separator: "\n"))")
    }

    @Test(
        "special operands give the host's results and exceptions",
        .enabled(if: x86_oracle_is_available() != 0, "the host is no x86-64 processor"), arguments: functions)
    func specials(function: Function) {
        let values: [Extended80] = [
            .zero(), .zero(negative: true), .one, Extended80.one.negated, .infinity(), .infinity(negative: true),
            .indefinite, Extended80(significand: 1 << 63 | 5, signExponent: 0x7fff),
            Extended80(significand: 3 << 62 | 5, signExponent: 0x7fff),
            Extended80(significand: 1, signExponent: 0x3fff),
        ]
        // FYL2XP1 is not defined for -1 (Intel SDM Vol 2).
        let firsts = values.filter { function.operation != X86_FYL2XP1 || $0 != Extended80.one.negated }
        let wrong = firsts.flatMap { x in values.map { (x, $0) } }.compactMap { x, y -> String? in
            let host = x86_oracle_x87(function.operation.rawValue, 0x37f, x.oracle, y.oracle)
            var environment = X87Environment(control: 0x37f)
            let soft = function.evaluate(x, y, &environment)
            let expected = Extended80(host.top)
            return (soft == expected || soft.isNeighbour(of: expected))
                && UInt16(environment.flags.rawValue) == host.status & 0x3f
                ? nil
                : "\(function.testDescription) \(x.text) \(y.text): \(soft.text) \(environment.flags.rawValue), host "
                    + "\(expected.text) \(String(host.status, radix: 16))"
        }
        #expect(wrong.isEmpty, "\(wrong.joined(separator: "\n"))")
    }
}

extension Extended80 {
    /// Whether the value is one unit in the last place away.
    func isNeighbour(of other: Extended80) -> Bool {
        guard isNegative == other.isNegative else { return false }
        let (x, y) = (
            UInt128(exponentField) << 63 | UInt128(significand & .max >> 1),
            UInt128(other.exponentField) << 63 | UInt128(other.significand & .max >> 1)
        )
        return (x > y ? x - y : y - x) <= 1
    }
}

// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64)
import RISCVOracle
import SoftFloat
import Testing

/// x87's extended format without its explicit integer bit: the arithmetic must serve formats beyond those it ships.
struct Extended: FloatFormat {
    var pattern: UInt128

    init(pattern: UInt128) { self.pattern = pattern }

    init(_ host: Float80) {
        let sign: UInt128 = host.sign == .minus ? 1 << 78 : 0
        pattern = sign | UInt128(host.exponentBitPattern) << 63 | UInt128(host.significandBitPattern & (1 << 63 - 1))
    }

    static var exponentBits: Int { 15 }
    static var fractionBits: Int { 63 }

    /// The host's value of the same encoding.
    var host: Float80 {
        let exponent = UInt(truncatingIfNeeded: pattern >> 63 & 0x7fff)
        let fraction = UInt64(truncatingIfNeeded: pattern) & (1 << 63 - 1)
        return Float80(
            sign: isNegative ? .minus : .plus, exponentBitPattern: exponent,
            significandBitPattern: fraction | (exponent == 0 ? 0 : 1 << 63))
    }
}

@Suite struct ExtendedFormatTests {
    /// An operation in both arithmetics.
    struct Operation: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var soft: @Sendable (Extended, Extended, inout RISCVFloatEnvironment) -> Extended
        var host: @Sendable (Float80, Float80) -> Float80
    }

    static let operations: [Operation] = [
        Operation(testDescription: "add", soft: { .add($0, $1, &$2) }, host: { $0 + $1 }),
        Operation(testDescription: "subtract", soft: { .subtract($0, $1, &$2) }, host: { $0 - $1 }),
        Operation(testDescription: "multiply", soft: { .multiply($0, $1, &$2) }, host: { $0 * $1 }),
        Operation(testDescription: "divide", soft: { .divide($0, $1, &$2) }, host: { $0 / $1 }),
        Operation(
            testDescription: "square root", soft: { x, _, e in .squareRoot(x, &e) }, host: { x, _ in x.squareRoot() }),
        Operation(
            testDescription: "through binary64",
            soft: { x, _, e in x.converted(to: Binary64.self, &e).converted(to: Extended.self, &e) },
            host: { x, _ in Float80(Double(x)) }),
        Operation(
            testDescription: "through Int64",
            soft: { x, _, e in .fromInteger(x.toInteger(Int64.self, &e), &e) },
            host: { x, _ in Float80(Int64(exactly: x.rounded(.toNearestOrEven)) ?? (x < 0 ? .min : .max)) }),
    ]

    @Test("a format with a significand of 64 bits computes as the host's x87 does", arguments: operations)
    func matchesHost(operation: Operation) {
        var generator = SeededGenerator(seed: ConformanceTests.seed)
        let wrong = (0..<2_000).compactMap { _ -> [Float80]? in
            let (x, y) = (Self.operand(&generator), Self.operand(&generator))
            var environment = RISCVFloatEnvironment(rounding: .nearestEven)
            let soft = operation.soft(Extended(x), Extended(y), &environment)
            let host = operation.host(x, y)
            return soft == (host.isNaN ? .canonicalNaN : Extended(host)) ? nil : [x, y, soft.host, host]
        }
        #expect(wrong.isEmpty, "seed \(ConformanceTests.seed)")
    }

    /// A number of any size, a subnormal one, a zero or an infinity, with few or many digits.
    private static func operand(_ generator: inout SeededGenerator) -> Float80 {
        let exponents = [
            0, generator.below(4), 0x3fff - 70 + generator.below(140), 0x7ff0 + generator.below(16),
            generator.below(0x8000),
        ]
        let fractions = [0, generator.next(), ~0 << UInt64(generator.below(63)), 1 << UInt64(generator.below(63))]
        let exponent = UInt128(exponents[generator.below(exponents.count)])
        let fraction = exponent == 0x7fff ? 0 : fractions[generator.below(fractions.count)] & (1 << 63 - 1)
        return Extended(pattern: UInt128(generator.below(2)) << 78 | exponent << 63 | UInt128(fraction)).host
    }
}
#endif

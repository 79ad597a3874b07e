// SPDX-License-Identifier: Apache-2.0
import RISCVOracle
import SoftFloat
import Testing

/// The host's floating point, which rounds to nearest, as a second opinion on values; it knows nothing of flags.
@Suite struct HostComparisonTests {
    static let count = 20_000

    /// One operation in both arithmetics.
    struct Operation<Format: FloatFormat, Host: BinaryFloatingPoint & SendableMetatype>: Sendable,
        CustomTestStringConvertible
    {
        var testDescription: String
        var soft: @Sendable (Format, Format, Format, inout RISCVFloatEnvironment) -> Format
        var host: @Sendable (Host, Host, Host) -> Host
    }

    private static func operations<Format: InterchangeFormat, Host: BinaryFloatingPoint & SendableMetatype>(
        _ format: Format.Type, _ host: Host.Type
    ) -> [Operation<Format, Host>] {
        [
            Operation(testDescription: "add") { x, y, _, e in
                .add(x, y, &e)
            } host: { x, y, _ in
                x + y
            },
            Operation(testDescription: "subtract") { x, y, _, e in
                .subtract(x, y, &e)
            } host: { x, y, _ in
                x - y
            },
            Operation(testDescription: "multiply") { x, y, _, e in
                .multiply(x, y, &e)
            } host: { x, y, _ in
                x * y
            },
            Operation(testDescription: "divide") { x, y, _, e in
                .divide(x, y, &e)
            } host: { x, y, _ in
                x / y
            },
            Operation(testDescription: "square root") { x, _, _, e in
                .squareRoot(x, &e)
            } host: { x, _, _ in
                x.squareRoot()
            },
            Operation(testDescription: "multiply-add") { x, y, z, e in
                .multiplyAdd(x, y, z, &e)
            } host: { x, y, z in
                z.addingProduct(x, y)
            },
        ]
    }

    @Test("binary64 results are the host's", arguments: operations(Binary64.self, Double.self))
    func double(operation: Operation<Binary64, Double>) {
        var generator = OperandGenerator(seed: ConformanceTests.seed)
        let wrong = (0..<Self.count).compactMap { _ -> [UInt64]? in
            let x = generator.operand(.double)
            let y = generator.operand(.double, near: x)
            let z = generator.operand(.double, near: (Double(bitPattern: x) * Double(bitPattern: y)).bitPattern)
            var environment = RISCVFloatEnvironment(rounding: .nearestEven)
            let soft = operation.soft(Binary64(bits: x), Binary64(bits: y), Binary64(bits: z), &environment).bits
            let host = operation.host(Double(bitPattern: x), Double(bitPattern: y), Double(bitPattern: z))
            let expected = host.isNaN ? Binary64.canonicalNaN.bits : host.bitPattern
            return soft == expected ? nil : [x, y, z, soft, expected]
        }
        #expect(wrong.isEmpty, "seed \(ConformanceTests.seed)")
    }

    @Test("binary32 results are the host's", arguments: operations(Binary32.self, Float.self))
    func single(operation: Operation<Binary32, Float>) {
        var generator = OperandGenerator(seed: ConformanceTests.seed)
        let wrong = (0..<Self.count).compactMap { _ -> [UInt32]? in
            let x = UInt32(generator.operand(.single))
            let y = UInt32(generator.operand(.single, near: UInt64(x)))
            let product = Float(bitPattern: x) * Float(bitPattern: y)
            let z = UInt32(generator.operand(.single, near: UInt64(product.bitPattern)))
            var environment = RISCVFloatEnvironment(rounding: .nearestEven)
            let soft = operation.soft(Binary32(bits: x), Binary32(bits: y), Binary32(bits: z), &environment).bits
            let host = operation.host(Float(bitPattern: x), Float(bitPattern: y), Float(bitPattern: z))
            let expected = host.isNaN ? Binary32.canonicalNaN.bits : host.bitPattern
            return soft == expected ? nil : [x, y, z, soft, expected]
        }
        #expect(wrong.isEmpty, "seed \(ConformanceTests.seed)")
    }

    @Test(
        "whole numbers are the host's in every rounding mode",
        arguments: [
            (.nearestEven, .toNearestOrEven), (.towardZero, .towardZero), (.down, .down), (.up, .up),
            (.nearestAway, .toNearestOrAwayFromZero),
        ] as [(Rounding, FloatingPointRoundingRule)])
    func integral(rounding: Rounding, rule: FloatingPointRoundingRule) {
        var generator = OperandGenerator(seed: ConformanceTests.seed)
        let wrong = (0..<Self.count).compactMap { _ -> [UInt64]? in
            let x = generator.operand(.double)
            var environment = RISCVFloatEnvironment(rounding: rounding)
            let soft = Binary64(bits: x).roundedToIntegral(raisesInexact: true, &environment).bits
            let host = Double(bitPattern: x).rounded(rule)
            let expected = host.isNaN ? Binary64.canonicalNaN.bits : host.bitPattern
            let changes = !host.isNaN && host != Double(bitPattern: x)
            return soft == expected && environment.flags.contains(.inexact) == changes ? nil : [x, soft, expected]
        }
        #expect(wrong.isEmpty, "seed \(ConformanceTests.seed)")
    }
}

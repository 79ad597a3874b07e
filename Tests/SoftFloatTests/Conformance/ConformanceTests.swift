// SPDX-License-Identifier: Apache-2.0
import Foundation
import RISCVOracle
import SoftFloat
import Testing

/// Every instruction in every rounding mode against `qemu-riscv64`.
///
/// The ordinary run draws a sample; `APUS_CONFORMANCE=1` compares 100,000 operands for each instruction and mode
/// (`APUS_CONFORMANCE=1 swift test -c release --filter ConformanceTests`). `APUS_SEED` draws other operands.
@Suite struct ConformanceTests {
    static let count = isConformanceRun ? 100_000 : 2_000
    static let seed = ProcessInfo.processInfo.environment["APUS_SEED"].flatMap { UInt64($0) } ?? 1

    @Test(
        "results and flags are those of qemu-riscv64, in every rounding mode",
        .enabled(if: FloatOracle.isAvailable, Comment(rawValue: FloatOracle.remedy)),
        arguments: GuestInstruction.all)
    func matchesOracle(instruction: GuestInstruction) throws {
        let oracle = try FloatOracle.shared.get()
        let mismatches = try Rounding.allCases.flatMap { try Self.mismatches(instruction, $0, oracle) }
        print("\(instruction.name): \(Rounding.allCases.count) x \(Self.count) operands, seed \(Self.seed)")
        #expect(mismatches.isEmpty, "seed \(Self.seed): \(mismatches.prefix(10).joined(separator: "\n"))")
    }

    /// A line for each operand on which SoftFloat and the oracle differ.
    static func mismatches(
        _ instruction: GuestInstruction, _ rounding: Rounding, _ oracle: FloatOracle
    ) throws -> [String] {
        var generator = OperandGenerator(seed: seed &+ UInt64(rounding.rawValue) &<< 32)
        let operands = (0..<count).map { _ in
            let a = generator.operand(instruction.source)
            let b = generator.operand(instruction.source, near: a)
            let c = generator.operand(instruction.source, near: cancelling(instruction.source, a, b))
            return Operands(a: a, b: b, c: c)
        }
        let boxed = operands.map {
            let source = instruction.source
            return Operands(a: source.boxed($0.a), b: source.boxed($0.b), c: source.boxed($0.c))
        }
        let answers = try oracle.answers(instruction.name, rounding: rounding.rawValue, boxed)
        return zip(operands, answers).compactMap { operands, answer in
            var environment = RISCVFloatEnvironment(rounding: rounding)
            let result = instruction.evaluate(operands, &environment)
            let expected = answer.result & instruction.resultMask
            if result == expected && UInt64(environment.flags.rawValue) == answer.flags { return nil }
            let inputs = [operands.a, operands.b, operands.c].map { String($0, radix: 16) }.joined(separator: " ")
            return "\(instruction.name) \(rounding) \(inputs): \(String(result, radix: 16)) "
                + "flags \(environment.flags.rawValue), expected \(String(expected, radix: 16)) flags \(answer.flags)"
        }
    }

    /// The product of two operands, near which a third makes a fused sum cancel.
    private static func cancelling(_ format: OperandFormat, _ a: UInt64, _ b: UInt64) -> UInt64 {
        var environment = RISCVFloatEnvironment(rounding: .nearestEven)
        return switch format {
        case .half: Binary16.multiply(Binary16(pattern: a), Binary16(pattern: b), &environment).pattern
        case .single: Binary32.multiply(Binary32(pattern: a), Binary32(pattern: b), &environment).pattern
        case .double: Binary64.multiply(Binary64(pattern: a), Binary64(pattern: b), &environment).pattern
        case .integer: 0
        }
    }
}

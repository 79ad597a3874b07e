// SPDX-License-Identifier: Apache-2.0
import RISCVOracle
import SoftFloat
import Testing
import X86Oracle

/// SSE, AVX and F16C against the host's own instructions: results and MXCSR, every control of it drawn at random.
/// `APUS_CONFORMANCE=1` compares fifty times as many operands, `APUS_SEED` draws others.
@Suite struct SSEHostTests {
    static let scale = isConformanceRun ? 50 : 1
    static let absent: Comment = "the host is no x86-64 processor, or lacks AVX, FMA or F16C"

    @Test(
        "results and flags are the host's, exceptions masked",
        .enabled(if: x86_oracle_is_available() != 0, absent), arguments: SSEInstruction.baseline)
    func baseline(instruction: SSEInstruction) {
        let wrong = Self.differences(instruction, count: 20_000 * Self.scale, trapping: false)
        #expect(wrong.isEmpty, "seed \(ConformanceTests.seed): \(wrong.prefix(10).joined(separator: "\n"))")
    }

    @Test(
        "results and flags are the host's, exceptions masked, of AVX, FMA and F16C",
        .enabled(if: x86_oracle_has_fma() != 0, absent), arguments: SSEInstruction.extended)
    func extended(instruction: SSEInstruction) {
        let wrong = Self.differences(instruction, count: 20_000 * Self.scale, trapping: false)
        #expect(wrong.isEmpty, "seed \(ConformanceTests.seed): \(wrong.prefix(10).joined(separator: "\n"))")
    }

    @Test(
        "unmasked exceptions trap where the host's do, with its flags",
        .enabled(if: x86_oracle_has_fma() != 0, absent),
        arguments: SSEInstruction.baseline + SSEInstruction.extended)
    func traps(instruction: SSEInstruction) {
        let wrong = Self.differences(instruction, count: 2_000 * Self.scale, trapping: true)
        #expect(wrong.isEmpty, "seed \(ConformanceTests.seed): \(wrong.prefix(10).joined(separator: "\n"))")
    }

    /// A line for each operand on which SoftFloat and the host differ.
    static func differences(_ instruction: SSEInstruction, count: Int, trapping: Bool) -> [String] {
        var operands = OperandGenerator(seed: ConformanceTests.seed)
        var controls = SeededGenerator(seed: ~ConformanceTests.seed)
        return (0..<count).compactMap { _ in
            let a = operands.operand(instruction.source)
            let b = operands.operand(instruction.source, near: a)
            let c = operands.operand(instruction.source, near: product(instruction.source, a, b))
            // RC, FTZ and DAZ; the masks.
            let mxcsr =
                UInt32(truncatingIfNeeded: controls.next()) & (trapping ? 0xffc0 : 0xe040) | (trapping ? 0 : 0x1f80)
            let host = x86_oracle_sse(instruction.operation, mxcsr, a, b, c)
            var environment = SSEEnvironment(mxcsr: mxcsr)
            let result = instruction.evaluate(a, b, c, &environment)
            let traps = !environment.unmasked.isEmpty
            let flags = UInt32(environment.reported.rawValue)
            let same = traps || result & instruction.mask == host.result & instruction.mask
            if same && traps == (host.trapped != 0) && flags == host.mxcsr & 0x3f { return nil }
            let inputs = [a, b, c, UInt64(mxcsr)].map { String($0, radix: 16) }.joined(separator: " ")
            return "\(instruction.testDescription) \(inputs): \(String(result, radix: 16)) flags "
                + "\(String(flags, radix: 16)) \(traps), host \(String(host.result & instruction.mask, radix: 16)) flags "
                + "\(String(host.mxcsr & 0x3f, radix: 16)) \(host.trapped)"
        }
    }

    /// A product near which a third operand makes a fused sum cancel.
    private static func product(_ format: OperandFormat, _ a: UInt64, _ b: UInt64) -> UInt64 {
        var environment = SSEEnvironment(mxcsr: 0x1f80)
        return switch format {
        case .single: environment.multiply(Binary32(pattern: a), Binary32(pattern: b)).pattern
        case .double: environment.multiply(Binary64(pattern: a), Binary64(pattern: b)).pattern
        default: 0
        }
    }
}

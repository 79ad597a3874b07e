// SPDX-License-Identifier: Apache-2.0

import Foundation
import RISCVOracle
import Testing

@testable import RISCV64

/// Every instruction of F, D and Zfh that computes, executed by the interpreter and by `qemu-riscv64`: all 64 bits of the
/// result and the flags, in each rounding mode, by its field and by `frm`, on operands that are NaN-boxed and not.
///
/// The ordinary run draws a sample; `APUS_CONFORMANCE=1` compares 100,000 operands for each instruction and mode.
@Suite("Floating-point instructions beside QEMU")
struct FloatInstructionTests {
    private static let count = isConformanceRun ? 100_000 : 1_000
    private static let seed = ProcessInfo.processInfo.environment["APUS_SEED"].flatMap { UInt64($0) } ?? 2

    @Test(
        "results and flags are QEMU's, with the rounding mode in the instruction and in frm",
        .enabled(if: FloatOracle.isAvailable, Comment(rawValue: FloatOracle.remedy)), arguments: FloatInstruction.all)
    func matchesOracle(instruction: FloatInstruction) throws {
        let oracle = try FloatOracle.shared.get()
        let loop = FloatLoop()
        let differences = try (UInt32(0)..<5).flatMap { mode in
            let operands = instruction.operands(Self.count, seed: Self.seed << 3 | UInt64(mode))
            let expected = try oracle.answers(instruction.name, rounding: UInt8(mode), operands)
            return instruction.encodings(mode).flatMap { encoding in
                zip(operands, zip(loop.run(encoding, operands), expected)).compactMap { operands, answers in
                    encoding.difference(operands, answers.0, answers.1)
                }
            }
        }
        #expect(differences.isEmpty, "seed \(Self.seed): \(differences.prefix(10).joined(separator: "\n"))")
    }

    @Test(
        "a reserved rounding mode is an illegal instruction, in the field and behind a dynamic field in frm",
        arguments: FloatInstruction.all.filter(\.hasMode))
    func reservedModes(instruction: FloatInstruction) {
        let inField = [UInt32(5), 6].map { FloatEncoding(bits: instruction.bits(mode: $0), frm: 0) }
        let inRegister = [UInt32(5), 6, 7].map { FloatEncoding(bits: instruction.bits(mode: 7), frm: $0) }
        let endings = (inField + inRegister).map { encoding in
            let fixture = HartFixture()
            fixture.enableFloat()
            fixture.hart.setCSR(CSR.frm, UInt64(encoding.frm))
            return fixture.run([encoding.bits]) == .trap(2, value: UInt64(encoding.bits), at: 0)
        }
        #expect(endings == [true, true, true, true, true])
    }
}

/// An instruction and what `frm` holds when it runs.
struct FloatEncoding {
    var bits: UInt32
    var frm: UInt32

    /// A line if the interpreter's answer is not QEMU's.
    func difference(_ operands: Operands, _ ours: FloatOracle.Answer, _ theirs: FloatOracle.Answer) -> String? {
        if ours == theirs { return nil }
        let inputs = [operands.a, operands.b, operands.c].map { "0x" + String($0, radix: 16) }.joined(separator: " ")
        return "\(Disassembler.text(bits)), frm \(frm), \(inputs): 0x\(String(ours.result, radix: 16)) flags "
            + "\(ours.flags), QEMU 0x\(String(theirs.result, radix: 16)) flags \(theirs.flags)"
    }
}

/// A row of the tables with its operands in f0, f1, f2 or t0, and its result in f3 or t1.
struct FloatInstruction: Sendable, CustomTestStringConvertible {
    private static let formats: Set<InstructionFormat> = [
        .float4, .float2, .float1, .floatToInteger, .integerToFloat, .floatCompare,
    ]

    /// All but loads and stores.
    static let all = InstructionSet.rows.filter { formats.contains($0.format) }.map { FloatInstruction(row: $0) }

    let row: InstructionRow
    var name: String { "\(row.name)" }
    var testDescription: String { name }

    /// Whether funct3 is a rounding mode.
    var hasMode: Bool { row.mask & 0x7000 == 0 }
    var givesInteger: Bool { row.format == .floatToInteger || row.format == .floatCompare }

    /// The format of the sources, by the last part of the name: `fcvt.s.w` reads a word, `fmv.x.h` a half.
    private var source: OperandFormat {
        switch name.split(separator: ".").last {
        case "h": .half
        case "s": .single
        case "d": .double
        case "w" where name == "fmv.x.w": .single
        default: .integer
        }
    }

    /// With `mode` in the field of the rounding mode, where it has one.
    func bits(mode: UInt32) -> UInt32 {
        let (source, target): (UInt32, UInt32) = (row.format == .integerToFloat ? X.t0 : 0, givesInteger ? X.t1 : 3)
        let fields = target << 7 | mode << 12 | source << 15 | 1 << 20 | 2 << 27
        return row.match | fields & ~row.mask
    }

    /// The ways to ask for `mode`: in the field, while `frm` says something else, and in `frm`.
    func encodings(_ mode: UInt32) -> [FloatEncoding] {
        let dynamic = FloatEncoding(bits: bits(mode: 7), frm: mode)
        return hasMode ? [FloatEncoding(bits: bits(mode: mode), frm: (mode + 2) % 5), dynamic] : [dynamic]
    }

    /// Random and special operands, some near each other, one in 16 not boxed.
    func operands(_ count: Int, seed: UInt64) -> [Operands] {
        var generator = OperandGenerator(seed: seed)
        var random = SeededGenerator(seed: ~seed)
        func boxed(_ pattern: UInt64) -> UInt64 {
            let value = random.next()
            return value & 15 == 0 ? pattern | value & ~(source.shape?.mask ?? .max) : source.boxed(pattern)
        }
        return (0..<count).map { _ in
            let a = generator.operand(source)
            let b = generator.operand(source, near: a)
            return Operands(a: boxed(a), b: boxed(b), c: boxed(generator.operand(source, near: b)))
        }
    }
}

/// A program in a hart's memory that runs an instruction on operands in a row.
final class FloatLoop {
    /// Operands a run: 24 bytes each from `data` on, and 16 of answer.
    private static let chunk = 4096
    private static let answers = HartFixture.data + 0x8_0000

    private let fixture = HartFixture()

    init() { fixture.enableFloat() }

    /// The answers, in the operands' order.
    func run(_ encoding: FloatEncoding, _ operands: [Operands]) -> [FloatOracle.Answer] {
        stride(from: 0, to: operands.count, by: Self.chunk).flatMap { first in
            run(encoding, operands[first..<min(first + Self.chunk, operands.count)])
        }
    }

    private func run(_ encoding: FloatEncoding, _ operands: ArraySlice<Operands>) -> [FloatOracle.Answer] {
        for (index, operand) in operands.enumerated() {
            let place = HartFixture.data + UInt64(index) * 24
            fixture.ram[place] = operand.a
            fixture.ram[place + 8] = operand.b
            fixture.ram[place + 16] = operand.c
        }
        let hart = fixture.hart
        hart[x: Int(X.a0)] = HartFixture.data
        hart[x: Int(X.a1)] = Self.answers
        hart[x: Int(X.a2)] = UInt64(operands.count)
        hart[x: Int(X.a3)] = UInt64(encoding.frm) << 5
        // Each branch goes back over all that is before it.
        let body = Self.body(encoding.bits)
        let ending = fixture.run(body + [Asm.b("bne", X.a2, X.zero, Int32(body.count) * -4)])
        precondition(ending == .finished, "\(Disassembler.text(encoding.bits)): \(ending)")
        return operands.indices.map { index in
            let place = Self.answers + UInt64(index - operands.startIndex) * 16
            return FloatOracle.Answer(result: fixture.ram[place], flags: fixture.ram[place + 8])
        }
    }

    private static func body(_ bits: UInt32) -> [UInt32] {
        // rd, bits 11:7: an f register, or t1.
        let isInteger = bits >> 7 & 31 == X.t1
        return [
            Asm.i("fld", 0, X.a0, 0), Asm.i("fld", 1, X.a0, 8), Asm.i("fld", 2, X.a0, 16), Asm.i("ld", X.t0, X.a0, 0),
            Asm.csr("csrrw", X.zero, CSR.fcsr, X.a3), bits, Asm.csr("csrrs", X.t2, CSR.fflags, X.zero),
            isInteger ? Asm.s("sd", X.t1, X.a1, 0) : Asm.s("fsd", 3, X.a1, 0), Asm.s("sd", X.t2, X.a1, 8),
            Asm.i("addi", X.a0, X.a0, 24), Asm.i("addi", X.a1, X.a1, 16), Asm.i("addi", X.a2, X.a2, -1),
        ]
    }
}

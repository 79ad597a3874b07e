// SPDX-License-Identifier: Apache-2.0

import Foundation
import RISCVOracle
import Testing

@testable import RISCV64

/// Random instances of every row against Debian's assembler and disassembler.
@Suite("Disassembler beside the binary utilities")
struct AssemblerComparisonTests {
    private static let instances = isConformanceRun ? 1000 : 25
    private static let seed: UInt64 = 20_240_411
    // What binutils 2.40 does not know.
    private static let unassembled: Set<String> = ["czero.eqz", "czero.nez"]

    private struct Instance {
        let row: InstructionRow
        let bits: UInt32
        var name: String { "\(row.name)" }
    }

    /// Rows with their free bits at random, as far as the assembler can write them.
    private static func samples() -> [Instance] {
        var generator = SeededGenerator(seed: seed)
        return InstructionSet.rows.filter { !unassembled.contains("\($0.name)") }.flatMap { row in
            (0..<instances).compactMap { _ -> Instance? in
                var bits = row.match | UInt32(truncatingIfNeeded: generator.next()) & ~row.mask
                switch row.format {
                case .fence: bits = bits & 0x0ff0_000f | 0x0110_0000
                case .none: bits = row.match
                case .float1, .float2, .float4, .integerToFloat, .floatToInteger:
                    // Only some rounding modes exist; where none matters the assembler writes 0.
                    if row.mask & 0x7000 == 0 { bits = bits & ~0x7000 | (isExact(row) ? 0 : bits & 0x7000) }
                    if row.mask & 0x7000 == 0, [5, 6].contains(bits >> 12 & 7) { return nil }
                default: break
                }
                // A special case of this row, with a name of its own.
                guard InstructionSet.row(of: bits)?.match == row.match else { return nil }
                return Instance(row: row, bits: bits)
            }
        }
    }

    private static func isExact(_ row: InstructionRow) -> Bool {
        ["fcvt.d.w", "fcvt.d.wu", "fcvt.d.s", "fcvt.d.h", "fcvt.s.h"].contains("\(row.name)")
    }

    @Test(
        "every row's text is objdump's",
        .enabled(if: HostProgram.exist(HostProgram.disassembler), "riscv64-linux-gnu-objdump is not on PATH"))
    func sameText() throws {
        let samples = Self.samples()
        let texts = try HostProgram.disassemble(samples.map(\.bits), in: TestFolder())
        let differences = samples.indices.compactMap { index -> String? in
            let ours = Self.normalized(Disassembler.text(samples[index].bits, at: UInt64(index) * 4))
            let theirs = Self.normalized(texts[index])
            return ours == theirs ? nil : "0x\(String(samples[index].bits, radix: 16)): \(ours) is not \(theirs)"
        }
        #expect(differences.isEmpty, "\(differences.count): \(differences.prefix(20))")
    }

    @Test(
        "every row's text assembles back to its bits",
        .enabled(if: HostProgram.exist(HostProgram.assembler), "riscv64-linux-gnu-as is not on PATH"))
    func assemblesBack() throws {
        let samples = Self.samples()
        let folder = try TestFolder()
        let lines = samples.map { sample in
            var text = Disassembler.text(sample.bits)
            if sample.row.format == .b || sample.row.format == .j {
                // Absolute targets need a linker; the distance from here does not.
                let distance = Decoder.decode(wide: sample.bits).immediate
                text = text.split(separator: ",").dropLast().joined(separator: ",") + ",. + (\(distance))"
            }
            return text
        }
        try folder.write(Data((".option norvc\n" + lines.joined(separator: "\n") + "\n").utf8), to: "code.s")
        try HostProgram.run(
            HostProgram.assembler, ["-march=" + HostProgram.architecture, "code.s", "-o", "code.o"], in: folder)
        try HostProgram.run(
            "riscv64-linux-gnu-objcopy", ["-O", "binary", "-j", ".text", "code.o", "code.bin"], in: folder)
        let bytes = try Data(contentsOf: folder.url.appending(path: "code.bin"))
        try #require(bytes.count == samples.count * 4)
        let differences = samples.indices.compactMap { index -> String? in
            let back = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self) }
            let bits = samples[index].bits
            return back == bits
                ? nil : "\(lines[index]): 0x\(String(bits, radix: 16)), back 0x\(String(back, radix: 16))"
        }
        #expect(differences.isEmpty, "\(differences.count): \(differences.prefix(20))")
    }

    /// Names of CSRs and spellings that mean the same.
    private static func normalized(_ text: String) -> String {
        var words = text.split(separator: " ", maxSplits: 1).map(String.init)
        guard words.count == 2 else { return text }
        if words[0].hasPrefix("csrr") {
            // objdump names the CSR.
            var operands = words[1].split(separator: ",").map(String.init)
            operands[1] = "csr"
            words[1] = operands.joined(separator: ",")
        }
        // Shift counts are in hexadecimal there, targets without 0x; an offset of zero may be left out.
        var operands = words[1].split(separator: ",").map(String.init)
        if let last = operands.last {
            let isTarget = words[0] == "jal" || ["beq", "bne", "blt", "bge", "bltu", "bgeu"].contains(words[0])
            let digits = last.hasPrefix("0x") ? String(last.dropFirst(2)) : isTarget ? last : "none"
            operands[operands.count - 1] = UInt64(digits, radix: 16).map { "\($0)" } ?? last
        }
        words[1] = operands.joined(separator: ",")
        if words[1].hasPrefix("0(") { words[1].removeFirst() }
        return words.joined(separator: " ")
    }
}

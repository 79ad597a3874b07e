// SPDX-License-Identifier: Apache-2.0

import RISCVOracle
import Testing

@testable import RISCV64

@Suite("Compressed instructions")
struct CompressedTests {
    @Test(
        "reserved encodings are illegal",
        arguments: [
            // All zero, c.addi4spn 0, quadrant 0's gap, c.addiw x0, c.addi16sp 0, c.lui 0, c.lwsp x0, c.ldsp x0, c.jr x0,
            // the two holes beside c.subw and c.addw.
            0x0000, 0x0004, 0x8000, 0x2001, 0x6101, 0x6081, 0x6001, 0x4002, 0x6002, 0x8002, 0x9c41, 0x9c61,
        ] as [UInt16])
    func reserved(bits: UInt16) {
        #expect(Compressed.expand(bits) == nil)
        #expect(Decoder.decode(UInt32(bits), index: 0).operation == .illegal)
        let fixture = HartFixture()
        let ending = fixture.run([UInt32(bits) | 0x0001 << 16])
        #expect(ending == .trap(2, value: UInt64(bits), at: 0))
    }

    @Test("every halfword decodes to something, alone and at both ends of a page")
    func total() {
        for bits in (0...UInt32(0xffff)) where bits & 3 != 3 {
            let alone = Decoder.decode(bits, index: nil).operation
            #expect((alone == .illegal) == (Compressed.expand(UInt16(bits)) == nil))
            _ = Decoder.decode(bits, index: 0)
            _ = Decoder.decode(bits, index: 2047)
        }
    }

    /// objdump's own text of the short form must be its text of the long form that the decoder takes it for.
    @Test(
        "every expansion is what objdump reads",
        .enabled(if: HostProgram.exist(HostProgram.disassembler), "riscv64-linux-gnu-objdump is not on PATH"))
    func expansions() throws {
        let folder = try TestFolder()
        // objdump shows c.addi16sp with 0, which is reserved (Unpriv 20240411 §26.5).
        let shorts = (0...UInt32(0xffff)).filter { $0 & 3 != 3 && $0 != 0x6101 }
        let texts = try HostProgram.disassemble(raw: shorts.map { $0 | 0x0001 << 16 }, in: folder)
        let longs = try HostProgram.disassemble(
            raw: shorts.map { Compressed.expand(UInt16($0)) ?? 0xffff_ffff }, in: folder)
        let differences = shorts.indices.compactMap { index -> String? in
            let (short, long) = (texts[index], longs[index])
            let isReserved = Compressed.expand(UInt16(shorts[index])) == nil
            let matches = isReserved ? Self.isUnknown(short) : Self.spelledOut(short) == Self.spelledOut(long)
            return matches ? nil : "0x\(String(shorts[index], radix: 16)): \(short) is not \(long)"
        }
        #expect(differences.isEmpty, "\(differences.count): \(differences.prefix(20))")
    }

    private static func isUnknown(_ text: String) -> Bool {
        text.hasPrefix(".2byte") || text.hasPrefix(".short") || text.hasPrefix("c.unimp") || text.hasPrefix("unimp")
    }

    /// objdump spells hints, and copies, by the short form that they are: the same in the words of the long form.
    private static func spelledOut(_ text: String) -> [String] {
        var words = text.split { $0 == " " || $0 == "," }.map(String.init)
        if words[0].hasPrefix("c.") { words[0].removeFirst(2) }
        switch (words[0], words.count) {
        case ("slli64", 2), ("srli64", 2), ("srai64", 2):
            return [String(words[0].dropLast(2)), words[1], words[1], "0x0"]
        case ("sll", 4), ("srl", 4), ("sra", 4): return [words[0] + "i"] + words[1...]
        case ("slli", 3): return ["slli", words[1], words[1], words[2]]
        case ("nop", 1): return ["add", "zero", "zero", "0"]
        case ("nop", 2): return ["add", "zero", "zero", words[1]]
        case ("li", 3): return ["add", words[1], "zero", words[2]]
        case ("mv", 3): return ["copy", words[1], words[2]]
        case ("add", 3) where words[1] == "zero": return ["copy", "zero", words[2]]
        case ("add", 3): return ["add", words[1], words[1], words[2]]
        case ("add", 4) where words[2] == "zero" && words[3].first?.isLetter == true:
            return ["copy", words[1], words[3]]
        case ("add", 4) where words[3] == "0" && words[2] != "zero": return ["copy", words[1], words[2]]
        default: return words
        }
    }
}

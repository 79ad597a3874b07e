// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import RISCV64

@Suite("Instruction tables")
struct InstructionTableTests {
    @Test("each row decodes to itself", arguments: InstructionSet.rows)
    func decodesToItself(row: InstructionRow) throws {
        let found = try #require(InstructionSet.row(of: row.match))
        #expect("\(found.name)" == "\(row.name)")
    }

    @Test("a row's fixed bits lie in its mask", arguments: InstructionSet.rows)
    func matchWithinMask(row: InstructionRow) {
        #expect(row.match & ~row.mask == 0)
        #expect(row.match & 3 == 3)
    }

    @Test("two rows overlap only where one is a special case of the other")
    func noOverlaps() {
        let rows = InstructionSet.rows
        let clashes = rows.indices.flatMap { first in
            rows[(first + 1)...].compactMap { other -> String? in
                let one = rows[first]
                let common = one.mask & other.mask
                let overlap = (one.match ^ other.match) & common == 0
                let nested = common == one.mask || common == other.mask
                return overlap && (!nested || one.mask == other.mask) ? "\(one.name) and \(other.name)" : nil
            }
        }
        #expect(clashes == [])
    }

    @Test("names are unique")
    func uniqueNames() {
        let names = InstructionSet.rows.map { "\($0.name)" }
        #expect(Set(names).count == names.count)
    }

    @Test(
        "text is what the assembler takes",
        arguments: [
            (0x00c5_8533, "add a0,a1,a2"), (0xfff5_0513, "addi a0,a0,-1"), (0x0305_1513, "slli a0,a0,48"),
            (0x0081_3503, "ld a0,8(sp)"), (0xfea1_3c23, "sd a0,-8(sp)"), (0xfe05_1ee3, "bne a0,zero,0xffc"),
            (0x0000_80e7, "jalr ra,0(ra)"), (0x1234_5537, "lui a0,0x12345"), (0x3000_2573, "csrrs a0,0x300,zero"),
            (0x02b5_7553, "fadd.d fa0,fa0,fa1"), (0x02b5_1553, "fadd.d fa0,fa0,fa1,rtz"), (0x1005_252f, "lr.w a0,(a0)"),
            (0x0ff0_000f, "fence iorw,iorw"), (0x0000_8082, "jalr zero,0(ra)"), (0x0000_0000, ".half 0x0000"),
        ] as [(UInt32, String)])
    func text(bits: UInt32, expected: String) {
        #expect(Disassembler.text(bits, at: 0x1000) == expected)
    }
}

// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import X86_64

@Suite("Instruction tables")
struct InstructionTableTests {
    private static let everything: FeatureSet = {
        var set = FeatureSet()
        for row in InstructionSet.rows { set.insert(row.feature) }
        return set
    }()

    /// Rows whose instances the builder makes.
    private static let rows = InstructionSet.integerRows + InstructionSet.systemRows

    @Test("each row's instances decode to it", arguments: rows)
    func decodesToItself(row: InstructionRow) throws {
        let mode = row.attributes.contains(.not64) ? CodeMode.legacy32 : .long64
        var random = SeededGenerator(seed: UInt64(row.encoding.opcode))
        var builder = InstructionBuilder(row, data: 0x1000)
        let decoder = Decoder(mode: mode, features: Self.everything)
        let decoded = (0..<20).map { _ -> String in
            _ = builder.build(using: &random)
            let bytes =
                mode == .long64 ? builder.bytes : builder.bytes.filter { $0 & 0xf0 != 0x40 || row.encoding.hasRegister }
            guard case .instruction(let found) = decoder.decode(CodeBytes(bytes)) else { return "nothing: \(bytes)" }
            return "\(found.row.name) \(found.row.operands.all)"
        }
        let expected = "\(row.name) \(row.operands.all)"
        #expect(mode == .legacy32 || decoded.allSatisfy { $0 == expected }, "\(decoded)")
    }

    @Test("no two rows have the same encoding")
    func noOverlaps() {
        let rows = Self.rows
        let clashes = rows.indices.flatMap { first in
            rows[(first + 1)...].compactMap { other -> String? in
                let one = rows[first]
                let modes: InstructionRow.Attributes = [.not64, .only64]
                let apart =
                    one.attributes.intersection(modes) != other.attributes.intersection(modes)
                    || one.operands.all.map(\.place) != other.operands.all.map(\.place)
                return one.encoding == other.encoding && !apart ? "\(one.name) and \(other.name)" : nil
            }
        }
        #expect(clashes == [])
    }

    @Test("what a row leaves undefined it writes", arguments: InstructionSet.rows)
    func flags(row: InstructionRow) {
        #expect(row.flags.undefined & ~row.flags.written == 0)
    }
}

@Suite("Layout of a processor's state")
struct ProcessorStateLayoutTests {
    private static func offset(_ field: PartialKeyPath<ProcessorState>) -> Int? {
        MemoryLayout<ProcessorState>.offset(of: field)
    }

    @Test(
        "fields lie where generated code expects them",
        arguments: [
            ("general", offset(\.general), 0), ("rip", offset(\.rip), 144), ("systemFlags", offset(\.systemFlags), 152),
            ("lazyFlags", offset(\.lazyFlags), 160), ("segments", offset(\.segments), 176),
        ] as [(String, Int?, Int)])
    func offsets(name: String, offset: Int?, expected: Int) {
        #expect(offset == expected)
    }

    @Test("a micro-op is 24 bytes, a segment register too; the mailbox has a cache line of its own")
    func sizes() {
        #expect(MemoryLayout<MicroOp>.stride == 24)
        #expect(MemoryLayout<SegmentRegister>.stride == 24)
        #expect(ProcessorPointer.mailboxOffset % 64 == 0)
    }
}

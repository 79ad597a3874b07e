// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Machines

@Suite struct PVHTests {
    private static let address = LittleEndianWriter.bytes(UInt32(0x10_0010))

    private static func entry(_ note: [UInt8], is64Bit: Bool = true) throws -> UInt64? {
        try ELFFile(TestKernels.elf(is64Bit: is64Bit, code: [0x90], note: note), for: .pc).pvhEntry
    }

    @Test("the note's address is found, in files and fields of 32 and of 64 bits", arguments: [true, false], [4, 8])
    func found(is64Bit: Bool, width: Int) throws {
        let description = Self.address + [UInt8](repeating: 0, count: width - 4)
        #expect(try Self.entry(TestKernels.note(description), is64Bit: is64Bit) == 0x10_0010)
    }

    @Test("other notes are passed over, whatever the length of their names and texts")
    func behindOthers() throws {
        let others = TestKernels.note([1, 2, 3], owner: "GNU") + TestKernels.note([], type: 18, owner: "Xenon")
        #expect(try Self.entry(others + TestKernels.note(Self.address)) == 0x10_0010)
    }

    @Test(
        "what is no such note is none",
        arguments: [
            [], [0, 0, 0], TestKernels.note(address, type: 17), TestKernels.note(address, owner: "XEN"),
            TestKernels.note(address, owner: "GNU"), TestKernels.note([1, 2]),
            Array(TestKernels.note(address).dropLast()),
            LittleEndianWriter.bytes(UInt32.max) + [UInt8](repeating: 0xFF, count: 20),
        ])
    func notFound(note: [UInt8]) throws {
        #expect(try Self.entry(note) == nil)
    }

    @Test(
        "ELF files for other machines are refused",
        arguments: [
            (TestELF().bytes, .notPC(machine: 243)),
            (Array(TestKernels.elf(is64Bit: false, code: [1]).prefix(50)), .truncated("header")),
            ([0x7F, 0x45, 0x4C, 0x46, 2, 2] + [UInt8](repeating: 0, count: 60), .wrongByteOrder),
            ([0x7F, 0x45, 0x4C, 0x46, 3, 1] + [UInt8](repeating: 0, count: 60), .badHeader("class 3")),
        ] as [([UInt8], ELFError)])
    func otherMachines(bytes: [UInt8], error: ELFError) {
        #expect(throws: error) { try ELFFile(bytes, for: .pc) }
    }

    @Test("the start information points to the command line, the modules, the RSDP and the memory map")
    func startInformation() {
        let start = PVHStartInformation(
            commandLine: 0x1_0000, modules: [BootPlan.Span(start: 0x70_0000, size: 0x345)], rootPointer: 0xE_0000,
            memory: AddressRangeMap.ranges(memorySize: 8 << 30))
        let head = LittleEndianBytes(bytes: start.bytes(lists: 0x8000))
        let lists = LittleEndianBytes(bytes: start.lists)
        #expect(head.count == 56)
        #expect(head.integer(UInt32.self, at: 0) == 0x336E_C578)
        #expect(head.integer(UInt32.self, at: 4) == 1)
        #expect(head.integer(UInt32.self, at: 12) == 1)
        #expect(head.integer(UInt64.self, at: 16) == 0x8000)
        #expect(head.integer(UInt64.self, at: 24) == 0x1_0000)
        #expect(head.integer(UInt64.self, at: 32) == 0xE_0000)
        #expect(head.integer(UInt64.self, at: 40) == 0x8020)
        #expect(head.integer(UInt32.self, at: 48) == 7)
        #expect(lists.count == 32 + 7 * 24)
        #expect(lists.integer(UInt64.self, at: 0) == 0x70_0000)
        #expect(lists.integer(UInt64.self, at: 8) == 0x345)
        #expect(lists.integer(UInt64.self, at: 32 + 6 * 24) == 1 << 32)
        #expect(lists.integer(UInt64.self, at: 32 + 6 * 24 + 8) == (8 << 30) - 0xB000_0000)
        #expect(lists.integer(UInt32.self, at: 32 + 6 * 24 + 16) == 1)
    }
}

// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Machines

@Suite struct PCBootPlannerTests {
    private static let tables = PCTables(bytes: [1, 2, 3], rootPointer: 0xE_0000)

    private static func plan(
        _ kernel: [UInt8], initrd: [UInt8]? = nil, commandLine: String = "", megabytes: UInt64 = 128
    ) throws -> PCBootPlan {
        let source = BootSource(
            kernel: .bytes(kernel, name: "kernel"), initrd: initrd.map { .bytes($0, name: "initrd") },
            commandLine: commandLine)
        return try PCBootPlanner.plan(source, memorySize: megabytes << 20, tables: tables)
    }

    private static func bytes(at address: UInt64, of plan: PCBootPlan) throws -> LittleEndianBytes {
        let piece = try #require(plan.pieces.first { $0.address == address })
        return LittleEndianBytes(bytes: try piece.content.head())
    }

    // MARK: What each protocol promises

    @Test("a bzImage starts in long mode, 0x200 into itself, with the zero page in RSI and interrupts off")
    func linux64() throws {
        let entry = try Self.plan(TestKernels.BzImage().bytes).entry
        #expect(entry.instructionPointer == 0x100_0200)
        #expect(entry.rsi == 0x7000)
        #expect((entry.cr0, entry.cr3, entry.cr4, entry.efer) == (0x8000_0011, 0x9000, 0x20, 0x500))
        #expect(entry.rflags & 1 << 9 == 0)
        #expect((entry.code.selector, entry.data.selector) == (0x10, 0x18))
        #expect(entry.code.rights >> 13 & 1 == 1)
    }

    @Test("a bzImage without a 64-bit entry starts in protected mode, at its first byte")
    func linux32() throws {
        let plan = try Self.plan(TestKernels.BzImage().edited { $0.flags = 0 })
        #expect(plan.entry.instructionPointer == 0x100_0000)
        #expect(plan.entry.rsi == 0x7000)
        #expect((plan.entry.cr0, plan.entry.efer) == (0x11, 0))
        #expect(!plan.pieces.contains { $0.name == "the page tables" })
    }

    @Test("a PVH kernel starts at its note's address, in protected mode with a task register")
    func pvh() throws {
        let note = TestKernels.note(LittleEndianWriter.bytes(UInt32(0x10_0004)))
        let plan = try Self.plan(
            TestKernels.elf(
                is64Bit: true, virtual: 0xFFFF_FFFF_8010_0000, code: [UInt8](repeating: 0x90, count: 16), note: note))
        #expect(plan.entry.instructionPointer == 0x10_0004)
        #expect(plan.entry.rbx == 0x7000)
        #expect(plan.entry.cr0 == 0x11)
        #expect(plan.entry.task?.rights == 0x8B)
        #expect(try Self.bytes(at: 0x7000, of: plan).integer(UInt32.self, at: 0) == 0x336E_C578)
    }

    @Test(
        "a Multiboot program starts with its magic number in EAX, where its entry is linked or where it lies",
        arguments: [
            (UInt64(0xC010_0000), UInt64(0xC010_0010), UInt64(0x10_0010)), (0xC010_0000, 0x10_0010, 0x10_0010),
            (0x10_0000, 0x10_0000, 0x10_0000),
        ])
    func multiboot(virtual: UInt64, entry: UInt64, start: UInt64) throws {
        let code = TestKernels.multiboot() + [UInt8](repeating: 0x90, count: 16)
        let plan = try Self.plan(TestKernels.elf(is64Bit: false, virtual: virtual, entry: entry, code: code))
        #expect(plan.entry.instructionPointer == start)
        #expect((plan.entry.rax, plan.entry.rbx) == (0x2BAD_B002, 0x7000))
        #expect(plan.entry.mode == .protected)
        #expect(plan.entry.task == nil)
    }

    @Test("a flat Multiboot kernel is loaded where its header says, with its zeroed memory")
    func flat() throws {
        let plan = try Self.plan(TestKernels.flat())
        let piece = try #require(plan.pieces.first { $0.name == "kernel" })
        #expect((piece.address, piece.content.count, piece.size) == (0x10_0000, 256, 0x1000))
        #expect(plan.entry.instructionPointer == 0x10_0020)
    }

    // MARK: What is put where

    @Test("the descriptor table holds what the segment registers were loaded with")
    func descriptors() throws {
        let plan = try Self.plan(TestKernels.BzImage().bytes)
        let table = try Self.bytes(at: 0x500, of: plan)
        #expect(table.integer(UInt64.self, at: 0) == 0)
        #expect(table.integer(UInt64.self, at: 0x10) == 0x00AF_9B00_0000_FFFF)
        #expect(table.integer(UInt64.self, at: 0x18) == 0x00CF_9300_0000_FFFF)
    }

    @Test(
        "the page tables map the first 4 GiB to themselves",
        arguments: [UInt64(0), 0x20_0000, 0x7FE0_0000, 0xFFE0_0000])
    func identity(address: UInt64) throws {
        let tables = try Self.bytes(at: 0x9000, of: try Self.plan(TestKernels.BzImage().bytes))
        let pointers = try #require(tables.integer(UInt64.self, at: 0)) & ~0xFFF
        let directory = try #require(tables.integer(UInt64.self, at: pointers - 0x9000 + address >> 30 * 8)) & ~0xFFF
        let entry = try #require(tables.integer(UInt64.self, at: directory - 0x9000 + (address >> 21 & 511) * 8))
        #expect(entry & ~0x1F_FFFF == address)
        #expect(entry & 0x83 == 0x83)
    }

    @Test(
        "the initrd lies on a page, as high as RAM, the kernel's limit and 4 GiB let it",
        arguments: [
            (UInt64(128), UInt32(0x7FFF_FFFF), UInt64(0x7FF_F000)), (8192, 0x7FFF_FFFF, 0x7FFF_F000),
            (8192, 0xFFFF_FFFF, 0xAFFF_F000), (128, 0x37F_FFFF, 0x37F_F000),
        ])
    func initrd(megabytes: UInt64, limit: UInt32, address: UInt64) throws {
        let kernel = TestKernels.BzImage().edited { $0.initrdLimit = limit }
        let plan = try Self.plan(kernel, initrd: [1, 2, 3], megabytes: megabytes)
        let page = try Self.bytes(at: 0x7000, of: plan)
        #expect(page.integer(UInt32.self, at: 0x218) == UInt32(address))
        #expect(page.integer(UInt32.self, at: 0x21C) == 3)
        #expect(plan.pieces.contains { $0.name == "initrd" && $0.address == address })
    }

    @Test("a Multiboot command line begins with the kernel's name, a bzImage's does not")
    func commandLines() throws {
        let multiboot = try Self.plan(TestKernels.flat(), commandLine: "a=b")
        let linux = try Self.plan(TestKernels.BzImage().bytes, commandLine: "a=b")
        #expect(try Self.bytes(at: 0x1_0000, of: multiboot).bytes == Array("kernel a=b\0".utf8))
        #expect(try Self.bytes(at: 0x1_0000, of: linux).bytes == Array("a=b\0".utf8))
    }

    @Test("a bzImage gets a random seed, others have nowhere to look for one")
    func randomSeed() throws {
        #expect(try Self.plan(TestKernels.BzImage().bytes).randomSeed == BootPlan.Span(start: 0xF000, size: 48))
        #expect(try Self.plan(TestKernels.flat()).randomSeed == nil)
    }

    // MARK: What is refused

    @Test(
        "what cannot be started is refused in a sentence with the file's name and what is wrong",
        arguments: [
            ([], "'kernel' is empty"),
            ([1, 2, 3], "'kernel' is neither a bzImage nor an ELF or multiboot kernel for x86"),
            (TestELF().bytes, "'kernel' is an ELF file for machine type 243"),
            (TestKernels.elf(is64Bit: true, code: [0x90]), "'kernel' is an ELF program with neither a PVH note"),
            (TestKernels.multiboot(), "'kernel' has a Multiboot header without addresses"),
            (TestKernels.multiboot(flags: 8), "'kernel' asks for Multiboot features"),
            (
                TestKernels.elf(is64Bit: true, code: [0x90], note: TestKernels.note([0, 0, 0, 1])),
                "'kernel' starts at 0x1000000, outside of its own segments"
            ),
            (
                TestKernels.elf(is64Bit: false, entry: 0x20, code: TestKernels.multiboot()),
                "'kernel' starts at 0x20, outside of its own segments"
            ),
            (
                TestKernels.BzImage().edited { $0.workSize = 0x800_0000 },
                "'kernel' needs 134217728 bytes at 0x1000000, past the 128 MiB of RAM below 4 GiB"
            ),
            (
                TestKernels.elf(is64Bit: false, address: 0xA_0000, code: TestKernels.multiboot()),
                "'kernel, segment 0,' is to be loaded at 0xa0000, where a PC has its VGA window"
            ),
            (
                TestKernels.elf(is64Bit: false, address: 0x7000, code: TestKernels.multiboot()),
                "'kernel, segment 0,' at 0x7000 and 'the Multiboot information' at 0x7000 do not fit"
            ),
        ] as [([UInt8], String)])
    func refused(kernel: [UInt8], sentence: String) {
        #expect {
            try Self.plan(kernel)
        } throws: { "\($0)".hasPrefix(sentence) }
    }

    @Test(
        "an initrd that does not fit beside the kernel, is too large or is empty is refused",
        arguments: [0, 110, 127, 200])
    func initrdRefused(megabytes: Int) {
        #expect(throws: MachineError.self) {
            try Self.plan(TestKernels.BzImage().bytes, initrd: [UInt8](repeating: 0, count: megabytes << 20))
        }
    }

    @Test("a command line longer than the kernel takes is refused")
    func longCommandLine() {
        #expect(
            throws: MachineError.configuration(
                "the kernel's command line has 2048 bytes, more than the 2047 that this kernel takes")
        ) {
            try Self.plan(TestKernels.BzImage().bytes, commandLine: String(repeating: "x", count: 2048))
        }
    }

    @Test("a firmware is refused")
    func firmware() {
        let source = BootSource(firmware: .none, kernel: .bytes(TestKernels.flat(), name: "kernel"))
        #expect(throws: MachineError.self) {
            try PCBootPlanner.plan(source, memorySize: 128 << 20, tables: Self.tables)
        }
    }
}

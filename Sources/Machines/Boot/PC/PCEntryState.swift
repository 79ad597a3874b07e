// SPDX-License-Identifier: Apache-2.0

/// The state in which a boot protocol enters a kernel on the first processor: what differs from the state after INIT
/// (Intel SDM Vol 3A §9.1.1, table 9-1).
struct PCEntryState: Equatable, Sendable {
    /// A segment register: selector, and what its hidden part holds.
    struct Segment: Equatable, Sendable {
        let selector: UInt16
        let base: UInt64
        let limit: UInt32
        /// Access rights as VMX has them (Intel SDM Vol 3C §24.4.1, table 24-2): type 3:0, S 4, DPL 6:5, P 7, AVL 12,
        /// L 13, D/B 14, G 15.
        let rights: UInt32

        static func code(selector: UInt16, is64Bit: Bool) -> Segment {
            Segment(selector: selector, base: 0, limit: .max, rights: is64Bit ? 0xA09B : 0xC09B)
        }
        static func data(selector: UInt16) -> Segment {
            Segment(selector: selector, base: 0, limit: .max, rights: 0xC093)
        }
        static func task(selector: UInt16) -> Segment {
            Segment(selector: selector, base: 0, limit: 0x67, rights: 0x8B)
        }

        /// The descriptor that loads it (Intel SDM Vol 3A §3.4.5, figure 3-8).
        var descriptor: UInt64 {
            let limit = UInt64(rights >> 15 & 1 != 0 ? self.limit >> 12 : self.limit)
            let attributes = UInt64(rights & 0xF0FF)
            return limit & 0xFFFF | (base & 0xFF_FFFF) << 16 | attributes << 40 | (limit >> 16 & 0xF) << 48
                | (base >> 24 & 0xFF) << 56
        }
    }

    /// How the processor is to be when the kernel's first instruction is fetched.
    enum Mode: Equatable, Sendable {
        /// Long mode, the first 4 GiB mapped to themselves.
        case long
        /// Protected mode without paging.
        case protected
    }

    let mode: Mode
    let instructionPointer: UInt64
    var rax: UInt64 = 0
    var rbx: UInt64 = 0
    var rsi: UInt64 = 0
    /// CS, the other segment registers, and the task register where the protocol asks for one.
    let code: Segment
    let data: Segment
    var task: Segment?

    /// CR0.PE, ET, and in long mode PG.
    var cr0: UInt64 { mode == .long ? 0x8000_0011 : 0x11 }
    /// The root of the page tables in long mode.
    var cr3: UInt64 { mode == .long ? PCLowMemory.pageTables.base : 0 }
    /// CR4.PAE in long mode.
    var cr4: UInt64 { mode == .long ? 1 << 5 : 0 }
    /// EFER.LME and LMA in long mode.
    var efer: UInt64 { mode == .long ? 1 << 8 | 1 << 10 : 0 }
    /// Interrupts are off in all protocols.
    var rflags: UInt64 { 2 }

    /// The GDT at `PCLowMemory.descriptors` from which the segment registers were loaded.
    var descriptorTable: [UInt8] {
        let segments = [code, data] + (task.map { [$0] } ?? [])
        let last = segments.map(\.selector).max() ?? 0
        var table = LittleEndianWriter(count: Int(last) + 8)
        for segment in segments { table.set(segment.descriptor, at: Int(segment.selector)) }
        return table.bytes
    }

    /// Page tables at `PCLowMemory.pageTables` that map the first 4 GiB to themselves by 2 MiB pages (Intel SDM Vol 3A
    /// §4.5): one of each upper level, four page directories. Entries are present, writable, and accessed.
    static var identityPageTables: [UInt8] {
        let base = PCLowMemory.pageTables.base
        var tables = LittleEndianWriter(count: Int(PCLowMemory.pageTables.size))
        tables.set(base + 0x1000 | 0x23, at: 0)
        for directory in 0..<4 {
            tables.set(base + 0x2000 + UInt64(directory) << 12 | 0x23, at: 0x1000 + directory * 8)
            for page in 0..<512 {
                let address = UInt64(directory) << 30 | UInt64(page) << 21
                tables.set(address | 0xE3, at: 0x2000 + directory << 12 + page * 8)
            }
        }
        return tables.bytes
    }
}

extension PCEntryState {
    /// Linux's 64-bit protocol (Linux, Documentation/arch/x86/boot.rst, "64-bit Boot Protocol"): __BOOT_CS 0x10,
    /// __BOOT_DS 0x18, RSI the zero page.
    static func linux64(kernel: UInt64) -> PCEntryState {
        PCEntryState(
            mode: .long, instructionPointer: kernel + 0x200, rsi: PCLowMemory.information.base,
            code: .code(selector: 0x10, is64Bit: true), data: .data(selector: 0x18))
    }

    /// Linux's 32-bit protocol (the same, "32-bit Boot Protocol").
    static func linux32(kernel: UInt64) -> PCEntryState {
        PCEntryState(
            mode: .protected, instructionPointer: kernel, rsi: PCLowMemory.information.base,
            code: .code(selector: 0x10, is64Bit: false), data: .data(selector: 0x18))
    }

    /// PVH (xen, docs/misc/pvh.pandoc): flat segments, a 32-bit TSS, EBX the start information.
    static func pvh(entry: UInt64) -> PCEntryState {
        PCEntryState(
            mode: .protected, instructionPointer: entry, rbx: PCLowMemory.information.base,
            code: .code(selector: 0x10, is64Bit: false), data: .data(selector: 0x18), task: .task(selector: 0x20))
    }

    /// Multiboot (0.6.96 §3.2): EAX the magic number, EBX the information.
    static func multiboot(entry: UInt64) -> PCEntryState {
        PCEntryState(
            mode: .protected, instructionPointer: entry, rax: 0x2BAD_B002, rbx: PCLowMemory.information.base,
            code: .code(selector: 0x10, is64Bit: false), data: .data(selector: 0x18))
    }
}

// SPDX-License-Identifier: Apache-2.0

import Host

/// Makes a `PCBootPlan`: reads the files, finds a place for each, and refuses what does not fit.
struct PCBootPlanner {
    /// RAM below 4 GiB: all that boot protocols reach.
    private let memory: BootPlan.Span
    private let map: [AddressRange]
    private let tables: PCTables
    private var plan = PCBootPlan()

    /// The seed's size in bytes: what Linux mixes in at once.
    static let seedSize = 32

    /// The plan for `source` on a machine with `memorySize` bytes of RAM, whose ACPI and SMBIOS tables are `tables`.
    static func plan(
        _ source: BootSource, memorySize: UInt64, tables: PCTables
    ) throws(MachineError) -> PCBootPlan {
        guard case .builtIn = source.firmware else {
            throw .configuration("an x86-64 machine starts a kernel itself: leave the firmware option out")
        }
        guard let file = source.kernel else {
            throw .configuration("no kernel is given: an x86-64 machine starts a bzImage, a PVH or a Multiboot kernel")
        }
        let low = PCMemoryMap.lowMemory(memorySize)
        var planner = PCBootPlanner(
            memory: BootPlan.Span(start: 0, size: low.size), map: AddressRangeMap.ranges(memorySize: memorySize),
            tables: tables)
        try planner.place(try PCKernelImage(file.open(limit: memorySize), name: file.name), file.name, source)
        planner.add("the ACPI and SMBIOS tables", PCMemoryMap.tables, tables.bytes)
        planner.add("the BIOS data area", PCLowMemory.biosData, biosData)
        planner.add("the GDT", PCLowMemory.descriptors, planner.plan.entry.descriptorTable)
        try planner.check()
        return planner.plan
    }

    /// The words of the BIOS data area that systems still read: COM1's ports (offset 0), the EBDA's segment (0x0E), and
    /// the KiB of conventional memory (0x13).
    private static var biosData: [UInt8] {
        var area = LittleEndianWriter(count: Int(PCLowMemory.biosData.size))
        area.set(PCPort.uart.base, at: 0x00)
        area.set(UInt16(PCMemoryMap.extendedBIOSData.base >> 4), at: 0x0E)
        area.set(UInt16(PCMemoryMap.conventional.size >> 10), at: 0x13)
        return area.bytes
    }

    private init(memory: BootPlan.Span, map: [AddressRange], tables: PCTables) {
        self.memory = memory
        self.map = map
        self.tables = tables
    }

    // MARK: Kernels

    private mutating func place(
        _ image: PCKernelImage, _ name: String, _ source: BootSource
    ) throws(MachineError) {
        switch image {
        case .bzImage(let header, let content): try place(header, content, name, source)
        case .pvh(let file, let entry, let content):
            place(file, content, name)
            plan.entry = .pvh(entry: entry)
            guard file.containsPhysical(entry) else { throw outside(entry, name) }
            try placePVH(source)
        case .multibootELF(let header, let file, let content):
            place(file, content, name)
            // A virtual address, or what linkers for Multiboot take for granted: a physical one.
            let entry = file.physicalAddress(of: file.entry) ?? file.entry
            guard file.containsPhysical(entry) else { throw outside(entry, name) }
            plan.entry = .multiboot(entry: entry)
            try placeMultiboot(header, name, source)
        case .multiboot(let header, let addresses, let content):
            add(
                name, at: addresses.loadAddress, content.part(addresses.fileOffset, count: addresses.fileSize),
                size: addresses.memorySize)
            plan.entry = .multiboot(entry: addresses.entry)
            try placeMultiboot(header, name, source)
        }
    }

    private func outside(_ entry: UInt64, _ name: String) -> MachineError {
        .bootFile(name: name, reason: "starts at 0x\(hex(entry)), outside of its own segments")
    }

    private mutating func place(_ file: ELFFile, _ content: BootContent, _ name: String) {
        for (index, segment) in file.segments.enumerated() {
            add(
                "\(name), segment \(index),", at: segment.physicalAddress,
                segment.fileSize == 0 ? .bytes([]) : content.part(segment.fileOffset, count: segment.fileSize),
                size: segment.memorySize)
        }
    }

    private mutating func place(
        _ header: BzImageHeader, _ content: BootContent, _ name: String, _ source: BootSource
    ) throws(MachineError) {
        let address = header.address(endOfMemory: memory.end)
        add(
            name, at: address, content.part(header.kernelOffset, count: header.kernelSize), size: header.workSize)
        let initrd = try placeInitrd(source, limit: min(header.initrdLimit, UInt64(UInt32.max)) + 1)
        try placeCommandLine(source.commandLine, limit: header.commandLineLimit)
        let seed = BootPlan.Span(start: PCLowMemory.setupData.base, size: UInt64(Self.seedSize + 16))
        let page = ZeroPage(
            header: header, kernelAddress: address, commandLine: PCLowMemory.commandLine.base, initrd: initrd,
            setupData: seed.start, rootPointer: tables.rootPointer, memory: map)
        add("the zero page", PCLowMemory.information, page.bytes)
        plan.randomSeed = seed
        switch header.entry {
        case .bits64:
            plan.entry = .linux64(kernel: address)
            add("the page tables", PCLowMemory.pageTables, PCEntryState.identityPageTables)
        case .bits32: plan.entry = .linux32(kernel: address)
        }
    }

    private mutating func placePVH(_ source: BootSource) throws(MachineError) {
        let initrd = try placeInitrd(source, limit: PCMemoryMap.highMemoryBase)
        try placeCommandLine(source.commandLine, limit: PCLowMemory.commandLine.size - 1)
        let start = PVHStartInformation(
            commandLine: PCLowMemory.commandLine.base, modules: initrd.map { [$0] } ?? [],
            rootPointer: tables.rootPointer, memory: map)
        add("the start information", PCLowMemory.information, start.bytes(lists: PCLowMemory.lists.base))
        add("the module list and the memory map", PCLowMemory.lists, start.lists)
    }

    private mutating func placeMultiboot(
        _ header: MultibootHeader, _ name: String, _ source: BootSource
    ) throws(MachineError) {
        let module = try placeInitrd(source, limit: PCMemoryMap.highMemoryBase)
        // §3.3: the command line begins with the name of the kernel, and so does a module's.
        let line = source.commandLine.isEmpty ? name : "\(name) \(source.commandLine)"
        try placeCommandLine(line, limit: PCLowMemory.commandLine.size - 1)
        let information = MultibootInformation(
            commandLine: PCLowMemory.commandLine.base,
            modules: module.map { [MultibootInformation.Module(span: $0, commandLine: moduleName(source))] } ?? [],
            memory: map)
        let lists = information.lists(at: PCLowMemory.lists.base)
        guard UInt64(lists.count) <= PCLowMemory.lists.size else {
            throw .configuration(
                "the initrd's name has \(moduleName(source).utf8.count) bytes, more than a kernel takes")
        }
        add("the Multiboot information", PCLowMemory.information, information.bytes(lists: PCLowMemory.lists.base))
        add("the module list and the memory map", PCLowMemory.lists, lists)
    }

    private func moduleName(_ source: BootSource) -> String { source.initrd?.name ?? "" }

    // MARK: Data

    /// Places the initrd as high as its last byte may be, below 4 GiB.
    private mutating func placeInitrd(_ source: BootSource, limit: UInt64) throws(MachineError) -> BootPlan.Span? {
        guard let file = source.initrd else { return nil }
        let content = try file.open(limit: memory.size)
        guard content.count > 0 else { throw .bootFile(name: file.name, reason: "is empty") }
        let top = min(memory.end, limit)
        guard content.count <= top, (top - content.count) & ~0xFFF >= PCMemoryMap.extendedBase else {
            throw doesNotFit("the initrd '\(file.name)'")
        }
        let span = BootPlan.Span(start: (top - content.count) & ~0xFFF, size: content.count)
        add(file.name, at: span.start, content, size: span.size)
        return span
    }

    private mutating func placeCommandLine(_ line: String, limit: UInt64) throws(MachineError) {
        let bytes = line.utf8.filter { $0 != 0 } + [0]
        let most = min(limit, PCLowMemory.commandLine.size - 1)
        guard UInt64(bytes.count - 1) <= most else {
            throw .configuration(
                "the kernel's command line has \(bytes.count - 1) bytes, more than the \(most) that this kernel takes")
        }
        add("the command line", PCLowMemory.commandLine, bytes)
    }

    private mutating func add(_ name: String, _ range: PCMemoryMap.Range, _ bytes: [UInt8]) {
        precondition(UInt64(bytes.count) <= range.size, "\(name) fits into its place")
        add(name, at: range.base, .bytes(bytes[...]), size: range.size)
    }

    private mutating func add(_ name: String, at address: UInt64, _ content: BootContent, size: UInt64) {
        plan.pieces.append(BootPlan.Piece(name: name, address: address, content: content, size: size))
    }

    // MARK: Checks

    /// Every piece lies in RAM and no two overlap.
    private func check() throws(MachineError) {
        var spans = plan.pieces.map { (name: $0.name, span: BootPlan.Span(start: $0.address, size: $0.size)) }
        if let seed = plan.randomSeed { spans.append(("the random seed", seed)) }
        for (name, span) in spans {
            guard span.start < memory.end, span.size <= memory.end - span.start else {
                throw .bootFile(
                    name: name,
                    reason:
                        "needs \(span.size) bytes at 0x\(hex(span.start)), past the \(memory.size >> 20) MiB of RAM "
                        + "below 4 GiB: give the machine more memory")
            }
            guard span.end <= PCMemoryMap.video.base || span.start >= PCMemoryMap.shadow.base else {
                throw .bootFile(
                    name: name, reason: "is to be loaded at 0x\(hex(span.start)), where a PC has its VGA window")
            }
        }
        spans.sort { $0.span.start < $1.span.start }
        for (lower, upper) in zip(spans, spans.dropFirst()) where lower.span.end > upper.span.start {
            throw .configuration(
                "'\(lower.name)' at 0x\(hex(lower.span.start)) and '\(upper.name)' at 0x\(hex(upper.span.start)) do not "
                    + "fit into \(memory.size >> 20) MiB of RAM beside each other: give the machine more memory, or "
                    + "link the kernel elsewhere")
        }
    }

    private func doesNotFit(_ name: String) -> MachineError {
        .configuration("\(name) does not fit into \(memory.size >> 20) MiB of RAM: give the machine more memory")
    }

    private func hex(_ value: UInt64) -> String { String(value, radix: 16) }
}

extension ELFFile {
    /// Whether a segment is loaded over `address`.
    func containsPhysical(_ address: UInt64) -> Bool {
        segments.contains { address &- $0.physicalAddress < $0.memorySize }
    }
}

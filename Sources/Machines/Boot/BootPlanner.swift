// SPDX-License-Identifier: Apache-2.0

import RISCV64

/// Makes a `BootPlan`: reads the files, finds a place for each, and refuses what does not fit.
struct BootPlanner {
    let memory: BootPlan.Span
    /// The devicetree's size in bytes.
    let devicetreeSize: UInt64
    private var plan = BootPlan()

    /// The kernel's place under a firmware file: what OpenSBI's fw_jump is built for.
    private static var payloadOffset: UInt64 { 0x20_0000 }
    /// Firmware adds to the devicetree in place; OpenSBI asks for 4 KiB a fix-up.
    private static var devicetreeSlack: UInt64 { 0x1_0000 }
    /// Where 32-bit pointers in boot protocols and loaders end.
    private static var loaderLimit: UInt64 { 1 << 32 }

    /// A planner for `memorySize` bytes of RAM and a devicetree of `devicetreeSize`.
    init(memorySize: UInt64, devicetreeSize: UInt64) {
        memory = BootPlan.Span(start: VirtMemoryMap.memoryBase, size: memorySize)
        self.devicetreeSize = devicetreeSize
    }

    /// The plan for `source`.
    static func plan(
        _ source: BootSource, memorySize: UInt64, devicetreeSize: UInt64
    ) throws(MachineError) -> BootPlan {
        var planner = BootPlanner(memorySize: memorySize, devicetreeSize: devicetreeSize)
        switch source.firmware {
        case .builtIn: try planner.placeSupervisorKernel(source)
        case .file(let firmware): try planner.placeFirmware(firmware, source)
        case .none: try planner.placeBareProgram(source)
        }
        try planner.placeData(source)
        try planner.check()
        return planner.plan
    }

    // MARK: Programs

    private mutating func placeSupervisorKernel(_ source: BootSource) throws(MachineError) {
        guard let file = source.kernel else {
            throw .configuration("no kernel is given: the built-in SBI starts a Linux Image or an ELF kernel")
        }
        let kernel = try KernelImage(file.open(limit: memory.size), name: file.name, acceptsRaw: false)
        plan.entry = try place(kernel, name: file.name, at: nil)
        plan.privilege = .supervisor
        plan.startsBootHartAlone = true
    }

    private mutating func placeFirmware(_ firmware: BootFile, _ source: BootSource) throws(MachineError) {
        let image = try KernelImage(firmware.open(limit: memory.size), name: firmware.name, acceptsRaw: true)
        if case .linux = image {
            throw .bootFile(name: firmware.name, reason: "is a Linux kernel, not a firmware: give it as the kernel")
        }
        plan.entry = try place(image, name: firmware.name, at: memory.start)
        var next: UInt64 = 0
        if let file = source.kernel {
            let kernel = try KernelImage(file.open(limit: memory.size), name: file.name, acceptsRaw: true)
            next = try place(kernel, name: file.name, at: memory.start + BootPlanner.payloadOffset)
        }
        plan.firmwareInformation = BootPlan.Span(start: next, size: 4096)
    }

    private mutating func placeBareProgram(_ source: BootSource) throws(MachineError) {
        guard let file = source.kernel else {
            throw .configuration("no kernel is given: without firmware the machine starts an ELF or raw program")
        }
        let program = try KernelImage(file.open(limit: memory.size), name: file.name, acceptsRaw: true)
        if case .linux = program {
            throw .bootFile(
                name: file.name, reason: "is a Linux kernel, which needs an SBI: leave the firmware option out")
        }
        plan.entry = try place(program, name: file.name, at: memory.start)
    }

    /// Adds the pieces of `image` and answers where it starts. Raw code goes to `preferred`, an Image there or where
    /// its header says, an ELF where it is linked.
    private mutating func place(
        _ image: KernelImage, name: String, at preferred: UInt64?
    ) throws(MachineError) -> UInt64 {
        switch image {
        case .raw(let content):
            let address = preferred ?? memory.start
            plan.pieces.append(BootPlan.Piece(name: name, address: address, content: content, size: content.count))
            return address
        case .linux(let header, let content):
            let address = preferred ?? memory.start + header.textOffset
            plan.pieces.append(BootPlan.Piece(name: name, address: address, content: content, size: header.imageSize))
            return address
        case .elf(let file, let content):
            return try place(file, content, name: name)
        }
    }

    private mutating func place(
        _ file: ELFFile, _ content: BootContent, name: String
    ) throws(MachineError) -> UInt64 {
        // A kernel that is linked for anywhere lies below RAM as a whole, and is moved to where an Image would be.
        let range = file.physicalRange
        let moves = range.upperBound < memory.start
        let shift = moves ? memory.start + BootPlanner.payloadOffset - (range.lowerBound & ~0x1F_FFFF) : 0
        for (index, segment) in file.segments.enumerated() {
            plan.pieces.append(
                BootPlan.Piece(
                    name: "\(name), segment \(index),", address: segment.physicalAddress + shift,
                    content: segment.fileSize == 0
                        ? .bytes([]) : content.part(segment.fileOffset, count: segment.fileSize),
                    size: segment.memorySize))
        }
        guard let entry = file.physicalAddress(of: file.entry) else {
            throw .bootFile(name: name, reason: "starts at 0x\(hex(file.entry)), outside of its own segments")
        }
        let symbols = file.symbols(named: ["tohost", "fromhost"])
        if let toHost = symbols["tohost"].flatMap(file.physicalAddress) {
            plan.hostInterface = BootPlan.HostInterface(
                toHost: toHost + shift, fromHost: symbols["fromhost"].flatMap(file.physicalAddress).map { $0 + shift })
        }
        return entry + shift
    }

    // MARK: Data

    /// Places from the top of RAM, or of what 32 bits reach, downwards.
    private mutating func placeData(_ source: BootSource) throws(MachineError) {
        var top = min(memory.end, max(BootPlanner.loaderLimit, memory.start))
        let reserved = devicetreeSize + BootPlanner.devicetreeSlack
        top = try takeBelow(top, size: reserved, alignment: 0x1_0000, name: "the devicetree")
        plan.devicetree = BootPlan.Span(start: top, size: reserved)
        if let information = plan.firmwareInformation {
            let next = information.start
            top = try takeBelow(top, size: information.size, alignment: 4096, name: "the firmware's information")
            plan.firmwareInformation = BootPlan.Span(start: top, size: information.size)
            plan.pieces.append(
                BootPlan.Piece(
                    name: "the firmware's information", address: top,
                    content: .bytes(BootPlanner.dynamicInformation(next: next)[...]), size: information.size))
        }
        if let file = source.initrd {
            let content = try file.open(limit: memory.size)
            guard content.count > 0 else { throw .bootFile(name: file.name, reason: "is empty") }
            top = try takeBelow(top, size: content.count, alignment: 4096, name: "the initrd '\(file.name)'")
            plan.initrd = BootPlan.Span(start: top, size: content.count)
            plan.pieces.append(BootPlan.Piece(name: file.name, address: top, content: content, size: content.count))
        }
    }

    private func takeBelow(
        _ top: UInt64, size: UInt64, alignment: UInt64, name: String
    ) throws(MachineError) -> UInt64 {
        guard size <= top - memory.start else { throw doesNotFit(name) }
        let address = (top - size) & ~(alignment - 1)
        guard address >= memory.start else { throw doesNotFit(name) }
        return address
    }

    /// OpenSBI's `struct fw_dynamic_info`, version 2 (opensbi, docs/firmware/fw_dynamic.md): magic "OSBI", version,
    /// next address, next mode (1: S), options, preferred boot hart.
    private static func dynamicInformation(next: UInt64) -> [UInt8] {
        [0x4942_534F, 2, next, 1, 0, 0].flatMap { (value: UInt64) in
            (0..<8).map { UInt8(truncatingIfNeeded: value >> (UInt64($0) * 8)) }
        }
    }

    // MARK: Checks

    /// Every piece lies in RAM and no two overlap.
    private func check() throws(MachineError) {
        var spans = plan.pieces.map { (name: $0.name, span: BootPlan.Span(start: $0.address, size: $0.size)) }
        spans.append(("the devicetree", plan.devicetree))
        for (name, span) in spans where span.start < memory.start || span.start >= memory.end {
            throw .bootFile(
                name: name, reason: "is to be loaded at 0x\(hex(span.start)), outside of RAM at 0x\(hex(memory.start))")
        }
        for (name, span) in spans where span.size > memory.end - span.start { throw doesNotFit("'\(name)'") }
        spans.sort { $0.span.start < $1.span.start }
        for (lower, upper) in zip(spans, spans.dropFirst()) where lower.span.end > upper.span.start {
            throw .configuration(
                "'\(lower.name)' and '\(upper.name)' do not fit into \(memory.size >> 20) MiB of RAM beside each other: "
                    + "give the machine more memory")
        }
    }

    private func doesNotFit(_ name: String) -> MachineError {
        .configuration(
            "\(name) does not fit into \(memory.size >> 20) MiB of RAM: give the machine more memory")
    }

    private func hex(_ value: UInt64) -> String { String(value, radix: 16) }
}

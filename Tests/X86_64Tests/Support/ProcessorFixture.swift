// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Synchronization
import VMMemory

@testable import X86_64

/// RAM that tests own, from address 0.
final class TestRAM: @unchecked Sendable {
    let memory: GuestMemory
    private let host: UnsafeMutableRawPointer

    init(size: Int = 4 << 20) {
        host = .allocate(byteCount: size, alignment: 4096)
        host.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        memory = GuestMemory(regions: [MemoryRegion(base: GuestAddress(0), size: UInt64(size), host: host)])
    }

    deinit { host.deallocate() }

    func put(_ bytes: [UInt8], at address: UInt64) {
        precondition(memory.write(bytes, at: GuestAddress(address)), "tests write to RAM")
    }

    subscript(address: UInt64) -> UInt64 {
        get { memory.load(UInt64.self, at: GuestAddress(address)) ?? 0 }
        set { precondition(memory.store(newValue, at: GuestAddress(address)), "tests write to RAM") }
    }

    subscript(word address: UInt64) -> UInt32 {
        get { memory.load(UInt32.self, at: GuestAddress(address)) ?? 0 }
        set { precondition(memory.store(newValue, at: GuestAddress(address)), "tests write to RAM") }
    }

    subscript(half address: UInt64) -> UInt16 {
        get { memory.load(UInt16.self, at: GuestAddress(address)) ?? 0 }
        set { precondition(memory.store(newValue, at: GuestAddress(address)), "tests write to RAM") }
    }
}

/// A door that tests hold the other side of.
final class TestDoor: ProcessorDoor {
    struct Script: Sendable {
        var nanoseconds: UInt64 = 0
        var events: ProcessorEvents = []
        var vector: UInt8 = 0x20
        var startUpVector: UInt8 = 0
        var priority: UInt8 = 0
        var unblocked = 0
        var timeStampOffset: UInt64 = 0
        var portValue: UInt64 = 0x1122_3344
        /// Port, bytes, value.
        var writes: [[UInt64]] = []
        var reads: [[UInt64]] = []
        var registers: [UInt32: UInt64] = [0x1b: 0xfee0_0900, 0x6e0: 0, 0x808: 0]
    }

    private let lock = Mutex(Script())

    var script: Script {
        get { lock.withLock { $0 } }
        set { lock.withLock { $0 = newValue } }
    }

    func busRead(at address: GuestAddress, width: AccessWidth) -> UInt64? {
        address.value >> 12 == 0xfee00 ? (address.value & 0xfff | 0x8080_8080_8080_8000) & width.mask : nil
    }
    func busWrite(_ value: UInt64, at address: GuestAddress, width: AccessWidth) -> Bool {
        lock.withLock { $0.writes.append([address.value, width.bytes, value]) }
        return address.value >> 12 == 0xfee00
    }
    func time() -> UInt64 { script.nanoseconds }
    func random() -> UInt64 { 4 }
    func interrupts(_ mailbox: Mailbox) -> UInt64 { script.events.rawValue }
    func portRead(at port: UInt16, width: AccessWidth) -> UInt64 {
        lock.withLock { script in
            script.reads.append([UInt64(port), width.bytes])
            return script.portValue & width.mask
        }
    }
    func portWrite(_ value: UInt64, at port: UInt16, width: AccessWidth) {
        lock.withLock { $0.writes.append([UInt64(port), width.bytes, value]) }
    }
    func acknowledge() -> UInt8? {
        lock.withLock { script in
            guard script.events.contains(.maskable) else { return nil }
            script.events.remove(.maskable)
            return script.vector
        }
    }
    func take(_ event: ProcessorEvents) -> Bool {
        lock.withLock { script in
            guard script.events.contains(event) else { return false }
            script.events.remove(event)
            return true
        }
    }
    func unblockNonMaskable() { lock.withLock { $0.unblocked += 1 } }
    func takeStartUp() -> UInt8? {
        lock.withLock { script in
            guard script.events.contains(.startUp) else { return nil }
            script.events.remove(.startUp)
            return script.startUpVector
        }
    }
    func taskPriority() -> UInt8 { script.priority }
    func setTaskPriority(_ priority: UInt8) { lock.withLock { $0.priority = priority } }
    func readLocalRegister(_ index: UInt32) -> UInt64? { script.registers[index] }
    func writeLocalRegister(_ value: UInt64, _ index: UInt32) -> Bool {
        lock.withLock { script in
            guard script.registers[index] != nil else { return false }
            script.registers[index] = value
            return true
        }
    }
    func setTimeStampOffset(_ offset: UInt64) { lock.withLock { $0.timeStampOffset = offset } }
}

/// A processor with 4 MiB of RAM, in a mode of the test's choice: tables, stacks and handlers where the constants say.
final class ProcessorFixture {
    // Physical and, as all is mapped to itself, linear places.
    static let gdt: UInt64 = 0x1000
    static let idt: UInt64 = 0x2000
    static let tss: UInt64 = 0x3000
    static let ldt: UInt64 = 0x3800
    static let code: UInt64 = 0x5000
    static let stack: UInt64 = 0x8000
    static let innerStack: UInt64 = 0xa000
    static let interruptStack: UInt64 = 0xc000
    static let handlers: UInt64 = 0x1_0000
    static let tables: UInt64 = 0x10_0000

    // The GDT of every fixture.
    static let kernelCode: UInt16 = 0x08
    static let kernelData: UInt16 = 0x10
    static let kernelCode32: UInt16 = 0x18
    static let userCode32: UInt16 = 0x23
    static let userData: UInt16 = 0x2b
    static let userCode: UInt16 = 0x33
    static let taskState: UInt16 = 0x40
    /// Free for the test, in pairs of 8 bytes up to 0xff8.
    static let free: UInt16 = 0x80

    let ram = TestRAM()
    let door = TestDoor()
    let processor: Processor

    init(_ model: CPUModel = .maximum, id: Int = 0) {
        processor = Processor(
            Processor.Configuration(id: id, model: model), memory: ram.memory, door: door)
        // RESET leaves the signature there.
        processor.state.setR64(2, 0)
    }

    var state: ProcessorPointer { processor.state }

    /// A descriptor by its parts; `flags` is the nibble G, D/B, L, AVL.
    static func descriptor(base: UInt64 = 0, limit: UInt64 = 0xf_ffff, access: UInt64, flags: UInt64 = 0xc) -> UInt64 {
        limit & 0xffff | (base & 0xff_ffff) << 16 | access << 40 | (limit >> 16 & 15) << 48 | flags << 52
            | (base >> 24 & 0xff) << 56
    }

    /// An interrupt or call gate of 8 bytes: the low half of one in long mode.
    static func gate(_ selector: UInt16, _ offset: UInt64, access: UInt64, low: UInt64 = 0) -> UInt64 {
        offset & 0xffff | UInt64(selector) << 16 | low << 32 | access << 40 | (offset >> 16 & 0xffff) << 48
    }

    private func putTables() {
        let entries: [(UInt64, UInt64)] = [
            (0x08, Self.descriptor(access: 0x9b, flags: 0xa)), (0x10, Self.descriptor(access: 0x93)),
            (0x18, Self.descriptor(access: 0x9b)), (0x20, Self.descriptor(access: 0xfb)),
            (0x28, Self.descriptor(access: 0xf3)), (0x30, Self.descriptor(access: 0xfb, flags: 0xa)),
            (0x40, Self.descriptor(base: Self.tss, limit: 0x67, access: 0x89, flags: 0)), (0x48, 0),
        ]
        for (offset, bits) in entries { ram[Self.gdt + offset] = bits }
        // Ports have no bitmap.
        ram[half: Self.tss + 0x66] = 0x68
        processor.state.pointee.gdtr = TableRegister(base: Self.gdt, limit: 0xfff)
        processor.state.pointee.idtr = TableRegister(base: Self.idt, limit: 0xfff)
    }

    /// 64-bit mode at `privilege`, the first 4 MiB mapped to themselves for everybody in 2 MiB pages.
    func enterLong(privilege: UInt64 = 0) {
        putTables()
        ram[Self.tables] = Self.tables + 0x1000 | 7
        ram[Self.tables + 0x1000] = Self.tables + 0x2000 | 7
        ram[Self.tables + 0x2000] = 0x87
        ram[Self.tables + 0x2008] = 0x20_0087
        ram[Self.tss + 4] = Self.innerStack
        ram[Self.tss + 36] = Self.interruptStack
        state.pointee.cr3 = Self.tables
        state.pointee.cr4 = CR4.pae
        state.pointee.efer = EFER.lme | EFER.lma | EFER.nxe | EFER.sce
        state.pointee.cr0 = CR0.pe | CR0.pg | CR0.et | CR0.wp | CR0.ne
        load(code: privilege == 0 ? Self.kernelCode : Self.userCode, privilege: privilege)
        for vector: UInt64 in 0..<256 {
            setLongGate(vector, Self.gate(Self.kernelCode, Self.handler(vector), access: 0x8e))
        }
    }

    /// Protected mode of 32 bits at `privilege`, without paging.
    func enterProtected(privilege: UInt64 = 0) {
        putTables()
        ram[word: Self.tss + 4] = UInt32(Self.innerStack)
        ram[half: Self.tss + 8] = Self.kernelData
        state.pointee.cr0 = CR0.pe | CR0.et | CR0.ne
        load(code: privilege == 0 ? Self.kernelCode32 : Self.userCode32, privilege: privilege)
        for vector: UInt64 in 0..<256 {
            ram[Self.idt + vector * 8] = Self.gate(Self.kernelCode32, Self.handler(vector), access: 0x8e)
        }
    }

    /// Real mode with CS = DS = SS = 0.
    func enterReal() {
        state.pointee.cr0 = CR0.et
        for segment in Segment.allCases { processor.loadRealSegment(segment, 0) }
        state.pointee.segments[1].limit = 0xffff
        state.pointee.idtr = TableRegister(base: 0, limit: 0x3ff)
        state.setR64(4, Self.stack)
        state.pointee.rip = Self.code
        processor.contextChanged()
    }

    private func load(code selector: UInt16, privilege: UInt64) {
        let code = Descriptor(ram[Self.gdt + UInt64(selector & ~7)]).segment(selector: selector)
        let dataSelector = privilege == 0 ? Self.kernelData : Self.userData
        let data = Descriptor(ram[Self.gdt + UInt64(dataSelector & ~7)]).segment(selector: dataSelector)
        for segment in Segment.allCases { state.pointee.segments[Int(segment.rawValue)] = data }
        state.pointee.segments[1] = code
        state.pointee.privilege = privilege
        state.pointee.tr = SegmentRegister(
            base: Self.tss, limit: 0x67, rights: AccessRights(type: 11, codeOrData: false, privilege: 0),
            selector: Self.taskState)
        state.pointee.rip = Self.code
        state.setR64(4, Self.stack)
        processor.tlb.flush()
        processor.contextChanged()
    }

    /// Where the handler of `vector` begins.
    static func handler(_ vector: UInt64) -> UInt64 { handlers + vector * 16 }

    func setLongGate(_ vector: UInt64, _ low: UInt64, high: UInt64 = 0) {
        ram[Self.idt + vector * 16] = low
        ram[Self.idt + vector * 16 + 8] = high
    }

    /// Delivers `fault` as the loop does.
    @discardableResult
    func deliver(_ fault: Fault) -> Outcome {
        processor.fault = fault
        return processor.deliverFault()
    }

    /// The vector whose handler the processor is at, or nil.
    var vector: UInt64? {
        let offset = state.pointee.rip &- Self.handlers
        return offset < 256 * 16 && offset % 16 == 0 ? offset / 16 : nil
    }

    /// `count` values from the stack's top.
    func stack(_ count: Int, bytes: UInt64 = 8) -> [UInt64] {
        let base = state.pointee.is64Bit ? 0 : state.pointee.segments[2].base
        let pointer = state.r64(4)
        return (0..<count).map { index in
            let value = ram[base + pointer + UInt64(index) * bytes]
            return bytes == 8 ? value : bytes == 4 ? value & 0xffff_ffff : value & 0xffff
        }
    }
}

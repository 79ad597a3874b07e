// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

@testable import X86_64

/// RAM that tests own.
final class PlainRAM: @unchecked Sendable {
    let memory: GuestMemory
    let host: UnsafeMutableRawPointer
    let base: UInt64

    init(base: UInt64 = 0, size: Int) {
        host = .allocate(byteCount: size, alignment: 4096)
        host.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        self.base = base
        memory = GuestMemory(regions: [MemoryRegion(base: GuestAddress(base), size: UInt64(size), host: host)])
    }

    deinit { host.deallocate() }

    func put(_ bytes: [UInt8], at address: UInt64) {
        precondition(memory.write(bytes, at: GuestAddress(address)), "tests write to RAM")
    }

    subscript(address: UInt64) -> UInt64 {
        get { memory.load(UInt64.self, at: GuestAddress(address)) ?? 0 }
        set { precondition(memory.store(newValue, at: GuestAddress(address)), "tests write to RAM") }
    }
}

/// A door to nothing: ports read as all ones, no interrupt ever waits, the clock stands.
final class QuietDoor: ProcessorDoor {
    func busRead(at address: GuestAddress, width: AccessWidth) -> UInt64? { nil }
    func busWrite(_ value: UInt64, at address: GuestAddress, width: AccessWidth) -> Bool { false }
    func time() -> UInt64 { 0 }
    func random() -> UInt64 { 0x1234_5678_9abc_def0 }
    func interrupts(_ mailbox: Mailbox) -> UInt64 { 0 }
    func portRead(at port: UInt16, width: AccessWidth) -> UInt64 { width.mask }
    func portWrite(_ value: UInt64, at port: UInt16, width: AccessWidth) {}
    func acknowledge() -> UInt8? { nil }
    func take(_ event: ProcessorEvents) -> Bool { false }
    func unblockNonMaskable() {}
    func takeStartUp() -> UInt8? { nil }
    func taskPriority() -> UInt8 { 0 }
    func setTaskPriority(_ priority: UInt8) {}
    func readLocalRegister(_ index: UInt32) -> UInt64? { nil }
    func writeLocalRegister(_ value: UInt64, _ index: UInt32) -> Bool { false }
    func setTimeStampOffset(_ offset: UInt64) {}
}

/// How a piece of test code ended.
enum UserEnding: Equatable, CustomStringConvertible {
    case finished
    case fault(Fault, at: UInt64)
    case exit(VMExit)
    /// It was still running after the bound on its instructions.
    case endless

    var description: String {
        switch self {
        case .finished: "finished"
        case .fault(let fault, let at): "\(fault.vector)(\(fault.code)) at 0x\(String(at, radix: 16))"
        case .exit(let exit): "exit(\(exit))"
        case .endless: "endless"
        }
    }
}

/// A processor in flat mode, CPL 3, without paging: code at `code`, data and stack apart from it.
final class UserFixture {
    static let code: UInt64 = 0x1_0000
    static let data: UInt64 = 0x4_0000
    static let stack: UInt64 = 0x8_0000
    static let size = 1 << 20

    let ram: PlainRAM
    let processor: Processor
    let mode: CodeMode

    init(mode: CodeMode = .long64, model: CPUModel = CPUModel(), ram: PlainRAM = PlainRAM(size: size)) {
        self.ram = ram
        self.mode = mode
        processor = Processor(
            .init(id: 0, model: model, codeCacheBytes: 2 << 20), memory: ram.memory, door: QuietDoor())
        reset()
    }

    /// Registers as a fresh process has them.
    func reset() {
        var state = ProcessorState()
        let long = mode == .long64
        state.cr0 = CR0.pe | CR0.et | CR0.ne | CR0.wp
        state.cr4 = CR4.osfxsr | CR4.osxmmexcpt | CR4.osxsave | CR4.fsgsbase
        state.efer = long ? EFER.lma | EFER.lme | EFER.sce : 0
        state.xcr0 = 7
        state.privilege = 3
        state.x87Control = 0x37f
        let limit: UInt32 = mode == .legacy16 ? 0xffff : 0xffff_ffff
        var code = AccessRights(type: 11, privilege: 3)
        var data = AccessRights(type: 3, privilege: 3)
        if long { code.insert(.long) } else if mode == .legacy32 { code.insert(.big) }
        if mode != .legacy16 { data.insert(.big) }
        let base = mode == .legacy16 ? Self.code : 0
        for index in 0..<6 {
            state.segments[index] = SegmentRegister(
                base: index == 1 ? base : mode == .legacy16 ? Self.data : 0, limit: limit,
                rights: index == 1 ? code : data, selector: 0x23)
        }
        state.rip = mode == .legacy16 ? 0 : Self.code
        state.general[4] = mode == .legacy16 ? 0x8000 : Self.stack
        processor.registers = state
        processor.stateChanged()
    }

    /// Runs `bytes` from `code` on until their end or a fault.
    @discardableResult
    func run(_ bytes: [UInt8], limit: Int = 100_000) -> UserEnding {
        ram.put(bytes + [0xf4], at: Self.code)
        processor.rip = mode == .legacy16 ? 0 : Self.code
        processor.stateChanged()
        return go(to: processor.rip + UInt64(bytes.count), limit: limit)
    }

    /// Runs on until `end`, a fault, or too many instructions. Each way out of the loop is looked at: faults are values.
    func go(to end: UInt64, limit: Int = 100_000) -> UserEnding {
        let first = processor.retired
        while processor.retired - first < UInt64(limit) {
            if processor.rip == end { return .finished }
            switch processor.runUntilFault(end: end) {
            case .fault(let fault): return .fault(fault, at: processor.rip)
            case .exit(let exit): return .exit(exit)
            case .done: continue
            }
        }
        return .endless
    }

    subscript(register: Int) -> UInt64 {
        get { processor[general: register] }
        set { processor[general: register] = newValue }
    }
}

extension Processor {
    /// Runs in the loop until it is left: for tests, which hear of faults instead of delivering them.
    func runUntilFault(end: UInt64) -> Completion {
        if needsAttention { _ = answerAttention() }
        let outcome = stepsAlone ? executeAlone(traps: true) : executeOn()
        switch outcome {
        case .fault: return rip == end ? .done : .fault(fault)
        case .leave: return .exit(leaving)
        case .next, .jump, .look: return .done
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Synchronization
import VMMemory

@testable import RISCV64

/// RAM that tests own.
final class TestRAM: @unchecked Sendable {
    let memory: GuestMemory
    private let host: UnsafeMutableRawPointer

    init(base: UInt64 = HartFixture.base, size: Int) {
        host = .allocate(byteCount: size, alignment: 4096)
        host.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        memory = GuestMemory(regions: [MemoryRegion(base: GuestAddress(base), size: UInt64(size), host: host)])
    }

    deinit { host.deallocate() }

    func put(_ words: [UInt32], at address: UInt64) {
        for (index, word) in words.enumerated() {
            precondition(memory.store(word, at: GuestAddress(address + UInt64(index) * 4)), "tests write to RAM")
        }
    }

    subscript(address: UInt64) -> UInt64 {
        get { memory.load(UInt64.self, at: GuestAddress(address)) ?? 0 }
        set { precondition(memory.store(newValue, at: GuestAddress(address)), "tests write to RAM") }
    }
}

/// A door whose clock stands where the test puts it, and whose one device, 4 KiB at `deviceBase`, answers its offset and
/// keeps what was written.
final class ScriptedDoor: InputDoor {
    static let deviceBase: UInt64 = 0x1000_0000
    private let now = Atomic<UInt64>(0)
    private let moved = Atomic<UInt64>(0)
    private let lastWrite = Atomic<UInt64>(0)

    /// Virtual time in nanoseconds.
    var nanoseconds: UInt64 {
        get { now.load(ordering: .relaxed) }
        set { now.store(newValue, ordering: .relaxed) }
    }
    /// What the guest has added to its time counter.
    var offset: UInt64 {
        get { moved.load(ordering: .relaxed) }
        set { moved.store(newValue, ordering: .relaxed) }
    }
    var written: UInt64 { lastWrite.load(ordering: .relaxed) }

    private func contains(_ address: GuestAddress) -> Bool { address.value &- Self.deviceBase < 4096 }

    func busRead(at address: GuestAddress, width: AccessWidth) -> UInt64? {
        contains(address) ? (address.value & 0xfff | 0x8080_8080_8080_8000) & width.mask : nil
    }
    func busWrite(_ value: UInt64, at address: GuestAddress, width: AccessWidth) -> Bool {
        guard contains(address) else { return false }
        lastWrite.store(value & width.mask, ordering: .relaxed)
        return true
    }
    func time() -> UInt64 { nanoseconds }
    func timeOffset() -> UInt64 { offset }
    func random() -> UInt64 { 4 }
    func interrupts(_ mailbox: Mailbox) -> UInt64 { mailbox.lines }
}

/// A timer that remembers what was asked of it.
final class RecordingTimer: HartTimer {
    private let last = Atomic<UInt64>(0)
    private let armed = Atomic<Bool>(false)
    var deadline: UInt64? { armed.load(ordering: .relaxed) ? last.load(ordering: .relaxed) : nil }

    func arm(hart: Int, deadline: UInt64?) {
        armed.store(deadline != nil, ordering: .relaxed)
        last.store(deadline ?? 0, ordering: .relaxed)
    }
}

/// How a piece of test code ended.
enum Ending: Equatable, CustomStringConvertible {
    /// It came to its end.
    case finished
    /// A trap to M-mode: mcause, mtval, and mepc from the code's first byte on.
    case trap(UInt64, value: UInt64, at: UInt64)
    /// Another exit.
    case exit(VMExit)

    var description: String {
        switch self {
        case .finished: "finished"
        case .trap(let cause, let value, let at):
            "trap(\(cause), value: 0x\(String(value, radix: 16)), at: 0x\(String(at, radix: 16)))"
        case .exit(let exit): "exit(\(exit))"
        }
    }
}

/// A hart with 2 MiB of RAM: code at its base, M-mode's trap handler (a `wfi`) behind it, then space for data and page
/// tables. PMP lets every privilege have everything.
final class HartFixture {
    static let base: UInt64 = 0x8000_0000
    static let handler: UInt64 = base + 0x8000
    static let data: UInt64 = base + 0x1_0000
    static let tables: UInt64 = base + 0x4_0000
    static let size = 2 << 20

    let ram: TestRAM
    let door = ScriptedDoor()
    let timer = RecordingTimer()
    let hart: Hart
    let interpreter = Interpreter()

    init(ram: TestRAM = TestRAM(size: HartFixture.size), configuration: Hart.Configuration = .init(id: 0)) {
        self.ram = ram
        hart = Hart(configuration, memory: ram.memory, door: door, timer: timer)
        hart.reset(pc: Self.base)
        hart.setCSR(CSR.mtvec, Self.handler)
        hart.setCSR(CSR.pmpaddr0, .max)
        hart.setCSR(CSR.pmpcfg0, 0x1f)
        ram.put([Asm.wfi, Asm.jal(0, -4)], at: Self.handler)
    }

    /// Enables the floating-point unit.
    func enableFloat() { hart.setCSR(CSR.mstatus, (hart.csr(CSR.mstatus) ?? 0) | MStatus.fs) }

    /// Changes the privilege as a return to it would, and nothing else.
    func enter(_ privilege: Privilege) {
        hart.state.pointee.privilege = privilege.rawValue
        hart.contextChanged()
    }

    /// Runs `words` at `address` (physical: where they are put; `entry`: where they run) until a trap or their end.
    @discardableResult
    func run(
        _ words: [UInt32], at address: UInt64 = HartFixture.base, entry: UInt64? = nil,
        privilege: Privilege = .machine
    ) -> Ending {
        ram.put(words + [Asm.ecall], at: address)
        hart.flushInstructions()
        return run(from: entry ?? address, length: UInt64(words.count) * 4, privilege: privilege)
    }

    /// Runs what lies at `start` until a trap; the `ecall` at `length` is its end.
    func run(from start: UInt64, length: UInt64, privilege: Privilege = .machine) -> Ending {
        hart.pc = start
        enter(privilege)
        let exit = interpreter.run(hart)
        guard exit == .halt, hart.pc == Self.handler + 4, let cause = hart.csr(CSR.mcause),
            let epc = hart.csr(CSR.mepc), let value = hart.csr(CSR.mtval)
        else { return .exit(exit) }
        if cause == 8 + privilege.rawValue && epc == start + length { return .finished }
        return .trap(cause, value: value, at: epc &- start)
    }
}

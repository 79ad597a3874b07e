// SPDX-License-Identifier: Apache-2.0

import MachineCore
import RISCV64
import Synchronization

/// What the built-in SBI keeps of a hart: whether it is started, and where it goes on (RISC-V SBI 2.0 §9).
@safe
final class SupervisorFirmware: Sendable {
    private struct Status {
        var state: SBIHartState
        var entry: SBIEntry?
    }

    private let status = Mutex(Status(state: .stopped))
    /// Not started, or stopped: waits for an entry. The hart's own thread alone, or whoever parked it, writes it.
    private let offline = Atomic<Bool>(false)
    // SAFETY: the hart's own thread touches it, or whoever parked it.
    private nonisolated(unsafe) var resumption: SBIEntry?
    // SAFETY: written once, before the hart's thread starts.
    private nonisolated(unsafe) weak var platform: (any SBIPlatform)?

    /// Sets whose harts these are; once, when the machine is assembled.
    func connect(_ platform: any SBIPlatform) {
        // SAFETY: before the thread starts.
        unsafe self.platform = platform
    }

    /// The SBI that answers the hart; nil once the machine is gone.
    var sbi: BuiltInSBI? {
        unsafe platform.map { BuiltInSBI(platform: $0) }  // SAFETY: see `platform`.
    }

    /// The state of the hart as the SBI tells it.
    var state: SBIHartState { status.withLock { $0.state } }

    var isOffline: Bool { offline.load(ordering: .relaxed) }

    /// Sets where a stopped hart starts; false where it is not stopped.
    func start(at entry: SBIEntry) -> Bool {
        status.withLock { status in
            guard status.state == .stopped else { return false }
            status = Status(state: .startPending, entry: entry)
            return true
        }
    }

    /// Takes up the entry that another hart has left; nil where there is none.
    func takeEntry() -> SBIEntry? {
        let entry = status.withLock { status in
            guard status.state == .startPending, let entry = status.entry else { return SBIEntry?.none }
            status = Status(state: .started)
            return entry
        }
        if entry != nil { offline.store(false, ordering: .relaxed) }
        return entry
    }

    /// The hart goes on after its suspension: where, if not after its call.
    func takeResumption() -> SBIEntry? {
        status.withLock { if $0.state == .suspended { $0.state = .started } }
        // SAFETY: see `resumption`.
        defer { unsafe resumption = nil }
        return unsafe resumption
    }

    /// Marks the hart stopped by its own call.
    func stop() {
        offline.store(true, ordering: .relaxed)
        status.withLock { $0 = Status(state: .stopped) }
    }

    /// Marks the hart suspended by its own call.
    func suspend(resumingAt entry: SBIEntry?) {
        unsafe resumption = entry  // SAFETY: see `resumption`.
        status.withLock { $0.state = .suspended }
    }

    /// The state at reset; parked only.
    func reset(isStarted: Bool) {
        unsafe resumption = nil  // SAFETY: see `resumption`.
        offline.store(!isStarted, ordering: .relaxed)
        status.withLock { $0 = Status(state: isStarted ? .started : .stopped) }
    }
}

extension VCPU<Hart> {
    /// Answers a call of the guest's to its SBI.
    func answerSupervisor() {
        guard let sbi = firmware.sbi else { return }
        // SAFETY: this thread has the hart; so for all below. RISC-V SBI 2.0 §3: a7 the extension, a6 the function, a0
        // to a5 the arguments.
        let call = unsafe SBICall(
            hart: id, extension: processor[x: 17], function: processor[x: 16],
            arguments: [
                processor[x: 10], processor[x: 11], processor[x: 12], processor[x: 13], processor[x: 14],
                processor[x: 15],
            ])
        apply(sbi.answer(call), of: call)
    }

    private func apply(_ outcome: SBIOutcome, of call: SBICall) {
        // SAFETY: see `answerSupervisor`; so for the whole function.
        switch outcome {
        case .returns(let error, let value):
            unsafe processor[x: 10] = UInt64(bitPattern: error.rawValue)
            unsafe processor[x: 11] = value
        case .legacy(let value): unsafe processor[x: 10] = value
        case .timer(let tick, let isLegacy):
            unsafe processor.setCSR(CSR.stimecmp, tick)
            apply(isLegacy ? .legacy(0) : .success, of: call)
        case .clearsSoftwareInterrupt:
            unsafe processor.setCSR(CSR.sip, (processor.csr(CSR.sip) ?? 0) & ~2)
            apply(.legacy(0), of: call)
        case .stops: firmware.stop()
        case .suspends(let entry):
            apply(.success, of: call)
            unsafe local.isHalted = true
            firmware.suspend(resumingAt: entry)
        case .machine(let request): hold(request)
        case .needsLegacyMask(let address):
            guard let bytes = unsafe processor.debugRead(virtual: address, count: 8), bytes.count == 8 else {
                return apply(.legacy(UInt64(bitPattern: SBIError.invalidAddress.rawValue)), of: call)
            }
            let mask = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            if let sbi = firmware.sbi { apply(sbi.legacy(call, mask: mask), of: call) }
        }
    }

    /// Resets the hart and starts it in S-mode as the SBI promises (RISC-V SBI 2.0 §9.1, table 18): translation and
    /// interrupts off, a0 its number, a1 the caller's value.
    func enterSupervisor(at entry: SBIEntry) {
        resetHart(pc: entry.address, privilege: .supervisor, a0: UInt64(id), a1: entry.opaque)
        prepareForSupervisor()
    }

    /// Back to reset, with the counts so far kept for statistics.
    func resetHart(pc: UInt64, privilege: Privilege, a0: UInt64, a1: UInt64) {
        keepCounts()
        unsafe processor.reset(pc: pc, privilege: privilege, a0: a0, a1: a1)  // SAFETY: see `answerSupervisor`.
    }

    /// What firmware sets up before it enters S-mode: everything is delegated, allowed and enabled.
    private func prepareForSupervisor() {
        let settings: [(Int, UInt64)] = [
            // RISC-V Priv 1.13 §3.1.8: all exceptions but calls from S-mode; the supervisor's three interrupts.
            (CSR.medeleg, 0xB1FF),
            (CSR.mideleg, 0x222),
            // §3.1.11: cycle, time and instret.
            (CSR.mcounteren, 7),
            // §12.1.5: for U-mode too, as firmware leaves it: Linux without an SBI PMU never sets it, and its vDSO
            // reads `time`.
            (CSR.scounteren, 7),
            // §3.1.18: Sstc, page-based memory types, cbo.inval, cbo.clean and flush, cbo.zero; Svadu stays on.
            // SAFETY: see `answerSupervisor`.
            (CSR.menvcfg, unsafe (processor.csr(CSR.menvcfg) ?? 0) | 3 << 62 | 0xF << 4),
            // §3.7.1: one NAPOT entry over everything: read, write, execute.
            (CSR.pmpaddr0, .max),
            (CSR.pmpcfg0, 0x1F),
        ]
        // SAFETY: see `answerSupervisor`.
        for (number, value) in settings { unsafe processor.setCSR(number, value) }
    }
}

// SPDX-License-Identifier: Apache-2.0

import Host
import MachineCore
import RISCV64

extension VCPU {
    /// Does what an exit asks for, on the thread that ran the engine.
    func handle(_ exit: VMExit) {
        switch exit {
        case .requested: takeSample(.running)
        // SAFETY: this thread has the hart; so for all below.
        case .halt: unsafe local.isHalted = true
        case .yield: HostThread.yield()
        case .hypercall: answerCall()
        case .request(let request): hold(request)
        case .debug(let stop):
            parkSelf()
            machine?.debugStopped(hart: id, stop)
        }
    }

    private func hold(_ request: MachineRequest) {
        unsafe local.isHeld = true  // SAFETY: see `handle`.
        machine?.guestRequests(request)
    }

    private func answerCall() {
        guard let machine else { return }
        // SAFETY: see `handle`. RISC-V SBI 2.0 §3: a7 the extension, a6 the function, a0 to a5 the arguments.
        let call = unsafe SBICall(
            hart: id, extension: hart[x: 17], function: hart[x: 16],
            arguments: [hart[x: 10], hart[x: 11], hart[x: 12], hart[x: 13], hart[x: 14], hart[x: 15]])
        apply(machine.answer(call), of: call)
    }

    private func apply(_ outcome: SBIOutcome, of call: SBICall) {
        // SAFETY: see `handle`; so for the whole function.
        switch outcome {
        case .returns(let error, let value):
            unsafe hart[x: 10] = UInt64(bitPattern: error.rawValue)
            unsafe hart[x: 11] = value
        case .legacy(let value): unsafe hart[x: 10] = value
        case .timer(let tick, let isLegacy):
            unsafe hart.setCSR(CSR.stimecmp, tick)
            apply(isLegacy ? .legacy(0) : .success, of: call)
        case .clearsSoftwareInterrupt:
            unsafe hart.setCSR(CSR.sip, (hart.csr(CSR.sip) ?? 0) & ~2)
            apply(.legacy(0), of: call)
        case .stops: goOffline()
        case .suspends(let entry):
            apply(.success, of: call)
            suspend(resumingAt: entry)
        case .machine(let request): hold(request)
        case .needsLegacyMask(let address):
            guard let bytes = unsafe hart.debugRead(virtual: address, count: 8), bytes.count == 8 else {
                return apply(.legacy(UInt64(bitPattern: SBIError.invalidAddress.rawValue)), of: call)
            }
            let mask = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            if let machine { apply(machine.answer(call, legacyMask: mask), of: call) }
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
        // SAFETY: see `handle`; or parked.
        unsafe local.retiredBefore &+= hart.retired
        unsafe local.countersBefore = hart.counters.adding(local.countersBefore)
        unsafe hart.reset(pc: pc, privilege: privilege, a0: a0, a1: a1)
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
            // SAFETY: see `handle`.
            (CSR.menvcfg, unsafe (hart.csr(CSR.menvcfg) ?? 0) | 3 << 62 | 0xF << 4),
            // §3.7.1: one NAPOT entry over everything: read, write, execute.
            (CSR.pmpaddr0, .max),
            (CSR.pmpcfg0, 0x1F),
        ]
        for (number, value) in settings { unsafe hart.setCSR(number, value) }  // SAFETY: see `handle`.
    }
}

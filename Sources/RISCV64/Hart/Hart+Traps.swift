// SPDX-License-Identifier: Apache-2.0

import MachineCore

extension Hart {
    /// Takes exception `cause` at the current PC: state and PC are the handler's afterwards
    /// (RISC-V Priv 1.13 §3.1.6.1, §12.1.1.1).
    func raise(_ cause: ExceptionCause, value: UInt64) {
        counters.exceptions &+= 1
        // What traps does not retire; a fetch was not counted yet.
        if !cause.isFetch { state.pointee.retired &-= 1 }
        let delegated =
            state.pointee.privilege <= Privilege.supervisor.rawValue
            && state.pointee.medeleg >> cause.rawValue & 1 != 0
        trap(cause: cause.rawValue, value: value, toSupervisor: delegated)
    }

    /// The illegal-instruction exception with the instruction's bits, read again at the PC, as tval.
    func raiseIllegal() {
        raise(.illegalInstruction, value: instructionBits(at: state.pointee.pc))
    }

    /// Takes the pending interrupt of the highest priority that is enabled; false if there is none.
    func takeInterrupt() -> Bool {
        let pending = pendingInterrupts() & state.pointee.mie
        guard pending != 0 else { return false }
        let privilege = state.pointee.privilege
        let machineEnabled = privilege < 3 || state.pointee.mstatus & MStatus.mie != 0
        let supervisorEnabled = privilege < 1 || (privilege == 1 && state.pointee.mstatus & MStatus.sie != 0)
        let machine = machineEnabled ? pending & ~state.pointee.mideleg : 0
        let supervisor = supervisorEnabled ? pending & state.pointee.mideleg : 0
        let chosen = machine != 0 ? machine : supervisor
        guard chosen != 0 else { return false }
        counters.interrupts &+= 1
        trap(
            cause: 1 << 63 | Hart.highestPriority(of: chosen), value: 0, toSupervisor: machine == 0)
        return true
    }

    /// Whether an interrupt is pending that would end a `wfi`, whatever the global enables say.
    func hasWakeUp() -> Bool { pendingInterrupts() & state.pointee.mie != 0 }

    /// mip as the guest reads it: lines, timers and software's bits.
    func pendingInterrupts() -> UInt64 {
        let lines = door.interrupts(mailbox)
        if lines & InterruptBit.ssip != 0 {
            // An edge from the ACLINT's SSWI or from the SBI: the bit is the hart's own from here on.
            mailbox.setLine(1, level: false)
            state.pointee.mip |= InterruptBit.ssip
        }
        var pending = state.pointee.mip | lines & (InterruptBit.msip | InterruptBit.mtip | InterruptBit.meip)
        pending |= lines & InterruptBit.seip
        if state.pointee.menvcfg & MEnvCfg.stce != 0 {
            // RISC-V Priv 1.13 §15.1.2: STIP is read-only and follows the comparison.
            pending = pending & ~InterruptBit.stip | (time >= state.pointee.stimecmp ? InterruptBit.stip : 0)
        }
        return pending
    }

    /// Arms the board's timer for stimecmp (RISC-V Priv 1.13 §15.1).
    func armTimer() {
        guard state.pointee.menvcfg & MEnvCfg.stce != 0, state.pointee.stimecmp != .max else {
            timer.arm(hart: configuration.id, deadline: nil)
            return
        }
        let (deadline, overflow) = clockTick(of: state.pointee.stimecmp)
            .multipliedReportingOverflow(by: nanosecondsPerTick)
        timer.arm(hart: configuration.id, deadline: overflow ? nil : deadline)
    }

    /// The tick of the clock at which `time` reaches `moment`: the same, unless the guest has set `time`. What is past
    /// already is now; what the clock never reaches is all ones.
    private func clockTick(of moment: UInt64) -> UInt64 {
        let offset = door.timeOffset()
        guard offset != 0 else { return moment }
        let tick = door.time() / nanosecondsPerTick
        let now = tick &+ offset
        guard moment > now else { return tick }
        let (reached, overflow) = tick.addingReportingOverflow(moment - now)
        return overflow ? .max : reached
    }

    // RISC-V Priv 1.13 §3.1.9: MEI, MSI, MTI, SEI, SSI, STI.
    private static func highestPriority(of pending: UInt64) -> UInt64 {
        for number: UInt64 in [11, 3, 7, 9, 1, 5] where pending >> number & 1 != 0 { return number }
        return UInt64(pending.trailingZeroBitCount)
    }

    private func trap(cause: UInt64, value: UInt64, toSupervisor: Bool) {
        let from = state.pointee.privilege
        let pc = state.pointee.pc
        var status = state.pointee.mstatus
        let vector: UInt64
        if toSupervisor {
            state.pointee.sepc = pc
            state.pointee.scause = cause
            state.pointee.stval = value
            status = status & ~(MStatus.spp | MStatus.spie)
            status |= (from << 8 & MStatus.spp) | (status & MStatus.sie) << 4
            status &= ~MStatus.sie
            state.pointee.privilege = Privilege.supervisor.rawValue
            vector = state.pointee.stvec
        } else {
            state.pointee.mepc = pc
            state.pointee.mcause = cause
            state.pointee.mtval = value
            status = status & ~(MStatus.mpp | MStatus.mpie)
            status |= from << MStatus.mppShift | (status & MStatus.mie) << 4
            status &= ~MStatus.mie
            state.pointee.privilege = Privilege.machine.rawValue
            vector = state.pointee.mtvec
        }
        state.pointee.mstatus = status
        // Vectored mode moves interrupts only (RISC-V Priv 1.13 §3.1.7).
        let offset = vector & 1 != 0 && cause >> 63 != 0 ? (cause & 63) * 4 : 0
        state.pointee.pc = (vector & ~3) &+ offset
        contextChanged()
        if let tracer {
            tracer.transition(
                hart: configuration.id, from: Privilege(rawValue: from) ?? .machine, to: privilege, pc: pc,
                cause: cause, value: value)
        }
    }

    /// `mret`: nothing is checked here but what the instruction's own rules say.
    func returnFromMachine() {
        let from = privilege
        var status = state.pointee.mstatus
        let previous = status >> MStatus.mppShift & 3
        status = status & ~MStatus.mie | (status & MStatus.mpie) >> 4
        status = (status | MStatus.mpie) & ~MStatus.mpp
        if previous != Privilege.machine.rawValue { status &= ~MStatus.mprv }
        finishReturn(from: from, status: status, privilege: previous, pc: state.pointee.mepc)
    }

    /// `sret`.
    func returnFromSupervisor() {
        let from = privilege
        var status = state.pointee.mstatus
        let previous = (status & MStatus.spp) >> 8
        status = status & ~MStatus.sie | (status & MStatus.spie) >> 4
        status = (status | MStatus.spie) & ~(MStatus.spp | MStatus.mprv)
        finishReturn(from: from, status: status, privilege: previous, pc: state.pointee.sepc)
    }

    private func finishReturn(from: Privilege, status: UInt64, privilege new: UInt64, pc: UInt64) {
        let source = state.pointee.pc
        state.pointee.mstatus = status
        state.pointee.privilege = new
        state.pointee.pc = pc
        contextChanged()
        if let tracer {
            tracer.transition(
                hart: configuration.id, from: from, to: privilege, pc: source, cause: nil, value: pc)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// What the engine does after a write to a CSR.
enum CSREffect {
    /// Nothing but the value changed.
    case none
    /// Interrupts, translation or privileges may have changed: the engine looks at everything again.
    case context
    /// There is no such CSR, or it may not be written: illegal instruction.
    case illegal
}

extension Hart {
    /// The value of CSR `number` whatever the privilege, or nil where there is none: for debuggers and boot code.
    public func csr(_ number: Int) -> UInt64? {
        switch number {
        // Between instructions none is under way, which `readCSR` would leave out.
        case CSR.cycle, CSR.mcycle, CSR.instret, CSR.minstret: readCSR(number).map { $0 &+ 1 }
        default: readCSR(number)
        }
    }

    /// Sets CSR `number` whatever the privilege; false where there is none. WARL rules hold.
    @discardableResult
    public func setCSR(_ number: Int, _ value: UInt64) -> Bool {
        if writeCSR(number, value) == .illegal { return false }
        contextChanged()
        mailbox.post(.interrupt)
        return true
    }

    /// Whether the current privilege may access CSR `number` at all (RISC-V Priv 1.13 §2.1), beyond its existence.
    func mayAccess(_ number: Int, writes: Bool) -> Bool {
        let privilege = state.pointee.privilege
        guard privilege >= UInt64(number >> 8 & 3) else { return false }
        if writes && number >> 10 == 3 { return false }
        switch number {
        case CSR.fflags...CSR.fcsr:
            return state.pointee.mstatus & MStatus.fs != 0
        case CSR.satp:
            return !(privilege == 1 && state.pointee.mstatus & MStatus.tvm != 0)
        case CSR.stimecmp:
            // RISC-V Priv 1.13 §15.2: also gated by mcounteren.TM.
            return privilege == 3
                || (state.pointee.menvcfg & MEnvCfg.stce != 0 && state.pointee.mcounteren & 2 != 0)
        case CSR.cycle...CSR.hpmcounter31:
            let bit = UInt64(1) << UInt64(number & 31)
            if privilege < 3 && state.pointee.mcounteren & bit == 0 { return false }
            return !(privilege == 0 && state.pointee.scounteren & bit == 0)
        default:
            return true
        }
    }

    /// The value as the instruction under way reads it, which `retired` counts already; nil where there is no such CSR.
    func readCSR(_ number: Int) -> UInt64? {
        switch number {
        case CSR.fflags: return state.pointee.fcsr & 0x1f
        case CSR.frm: return state.pointee.fcsr >> 5 & 7
        case CSR.fcsr: return state.pointee.fcsr
        case CSR.cycle, CSR.mcycle: return (state.pointee.retired &- 1) &+ state.pointee.cycleOffset
        case CSR.instret, CSR.minstret: return (state.pointee.retired &- 1) &+ state.pointee.instretOffset
        case CSR.time: return time
        case CSR.hpmcounter3...CSR.hpmcounter31: return 0
        case CSR.mhpmcounter3...CSR.mhpmcounter31: return 0
        case CSR.mhpmevent3...CSR.mhpmevent31: return 0
        case CSR.mcountinhibit: return 0

        case CSR.sstatus: return statusValue & MStatus.supervisorView
        case CSR.sie: return state.pointee.mie & state.pointee.mideleg
        case CSR.sip: return pendingInterrupts() & state.pointee.mideleg
        case CSR.stvec: return state.pointee.stvec
        case CSR.scounteren: return state.pointee.scounteren
        case CSR.senvcfg: return state.pointee.senvcfg
        case CSR.sscratch: return state.pointee.sscratch
        case CSR.sepc: return state.pointee.sepc
        case CSR.scause: return state.pointee.scause
        case CSR.stval: return state.pointee.stval
        case CSR.stimecmp: return state.pointee.stimecmp
        case CSR.satp: return state.pointee.satp

        case CSR.mvendorid, CSR.marchid, CSR.mimpid, CSR.mconfigptr: return 0
        case CSR.mhartid: return UInt64(configuration.id)
        case CSR.mstatus: return statusValue
        case CSR.misa: return CSR.misaValue
        case CSR.medeleg: return state.pointee.medeleg
        case CSR.mideleg: return state.pointee.mideleg
        case CSR.mie: return state.pointee.mie
        case CSR.mip: return pendingInterrupts()
        case CSR.mtvec: return state.pointee.mtvec
        case CSR.mcounteren: return state.pointee.mcounteren
        case CSR.menvcfg: return state.pointee.menvcfg
        case CSR.mscratch: return state.pointee.mscratch
        case CSR.mepc: return state.pointee.mepc
        case CSR.mcause: return state.pointee.mcause
        case CSR.mtval: return state.pointee.mtval
        case CSR.pmpcfg0, CSR.pmpcfg2: return state.pointee.pmpcfg[(number - CSR.pmpcfg0) / 2]
        case CSR.pmpaddr0...CSR.pmpaddr15: return state.pointee.pmpaddr[number - CSR.pmpaddr0]
        // Entries 16 to 63 are not there and read as zero (RISC-V Priv 1.13 §3.7.1).
        case CSR.pmpcfg4...CSR.pmpcfg14 where number & 1 == 0: return 0
        case CSR.pmpaddr16...CSR.pmpaddr63: return 0
        // No triggers: tdata1.type is 0 at the only tselect (RISC-V Debug 1.0 §5.2).
        case CSR.tselect, CSR.tdata1, CSR.tdata2, CSR.tdata3: return 0
        default: return nil
        }
    }

    /// mstatus with SD worked out.
    private var statusValue: UInt64 {
        let status = state.pointee.mstatus
        return status & MStatus.fs == MStatus.fs ? status | MStatus.sd : status & ~MStatus.sd
    }

    /// Writes as WARL rules have it.
    func writeCSR(_ number: Int, _ value: UInt64) -> CSREffect {
        switch number {
        case CSR.fflags: setFCSR(state.pointee.fcsr & ~0x1f | value & 0x1f)
        case CSR.frm: setFCSR(state.pointee.fcsr & 0x1f | (value & 7) << 5)
        case CSR.fcsr: setFCSR(value & 0xff)

        case CSR.sstatus: return writeStatus(value, mask: MStatus.supervisorMask)
        case CSR.sie:
            let mask = state.pointee.mideleg
            state.pointee.mie = state.pointee.mie & ~mask | value & mask
            return .context
        case CSR.sip:
            // Of a supervisor's bits only SSIP is writable from S-mode (RISC-V Priv 1.13 §12.1.3).
            let mask = state.pointee.mideleg & InterruptBit.ssip
            state.pointee.mip = (pendingSoftware() & ~mask) | value & mask
            return .context
        case CSR.stvec: state.pointee.stvec = vectorValue(value, was: state.pointee.stvec)
        case CSR.scounteren: state.pointee.scounteren = value & 0xffff_ffff
        case CSR.senvcfg:
            state.pointee.senvcfg = environmentValue(value & MEnvCfg.supervisorMask, was: state.pointee.senvcfg)
        case CSR.sscratch: state.pointee.sscratch = value
        case CSR.sepc: state.pointee.sepc = value & ~1
        case CSR.scause: state.pointee.scause = value
        case CSR.stval: state.pointee.stval = value
        case CSR.stimecmp:
            state.pointee.stimecmp = value
            armTimer()
            return .context
        case CSR.satp: return writeSATP(value)

        case CSR.mstatus: return writeStatus(value, mask: MStatus.machineMask)
        case CSR.misa: break
        // Bits 10, 11 (calls from VS and M) and what this hart never raises stay zero.
        case CSR.medeleg: state.pointee.medeleg = value & 0xb3ff
        case CSR.mideleg:
            state.pointee.mideleg = value & InterruptBit.supervisor
            return .context
        case CSR.mie:
            state.pointee.mie = value & InterruptBit.all
            return .context
        case CSR.mip:
            var mask = InterruptBit.supervisor
            if state.pointee.menvcfg & MEnvCfg.stce != 0 { mask &= ~InterruptBit.stip }
            state.pointee.mip = (pendingSoftware() & ~mask) | value & mask
            return .context
        case CSR.mtvec: state.pointee.mtvec = vectorValue(value, was: state.pointee.mtvec)
        case CSR.mcounteren: state.pointee.mcounteren = value & 0xffff_ffff
        case CSR.menvcfg:
            state.pointee.menvcfg = environmentValue(value & MEnvCfg.machineMask, was: state.pointee.menvcfg)
            tlb.flush()
            armTimer()
            return .context
        case CSR.mscratch: state.pointee.mscratch = value
        case CSR.mepc: state.pointee.mepc = value & ~1
        case CSR.mcause: state.pointee.mcause = value
        case CSR.mtval: state.pointee.mtval = value
        // Both counters run always: a legal choice for WARL fields (RISC-V Priv 1.13 §3.1.12).
        case CSR.mcountinhibit: break
        case CSR.mcycle: state.pointee.cycleOffset = value &- state.pointee.retired
        case CSR.minstret: state.pointee.instretOffset = value &- state.pointee.retired
        case CSR.mhpmcounter3...CSR.mhpmcounter31, CSR.mhpmevent3...CSR.mhpmevent31: break
        case CSR.pmpcfg0, CSR.pmpcfg2, CSR.pmpaddr0...CSR.pmpaddr15: return writePMP(number, value)
        case CSR.pmpcfg4...CSR.pmpcfg14 where number & 1 == 0: break
        case CSR.pmpaddr16...CSR.pmpaddr63: break
        case CSR.tselect, CSR.tdata1, CSR.tdata2, CSR.tdata3: break
        default: return .illegal
        }
        return .none
    }

    private func setFCSR(_ value: UInt64) {
        state.pointee.fcsr = value
        state.pointee.mstatus |= MStatus.fs
    }

    /// Takes an edge that waits in the mailbox into mip first, so that a write cannot bring it back later.
    private func pendingSoftware() -> UInt64 {
        _ = pendingInterrupts()
        return state.pointee.mip
    }

    /// Modes 0 (direct) and 1 (vectored) exist; any other leaves the mode as it was.
    private func vectorValue(_ value: UInt64, was: UInt64) -> UInt64 {
        value & 2 == 0 ? value & ~2 : value & ~3 | was & 3
    }

    /// CBIE's value 2 is reserved and leaves the field as it was (RISC-V CMO 1.0 §2.5.1).
    private func environmentValue(_ value: UInt64, was: UInt64) -> UInt64 {
        value & MEnvCfg.cbie == 2 << 4 ? value & ~MEnvCfg.cbie | was & MEnvCfg.cbie : value
    }

    private func writeStatus(_ value: UInt64, mask: UInt64) -> CSREffect {
        let old = state.pointee.mstatus
        var new = old & ~mask | value & mask
        // MPP has no value 2: the hypervisor's ring is not a legal one to return to.
        if new & MStatus.mpp == 2 << MStatus.mppShift { new = new & ~MStatus.mpp | old & MStatus.mpp }
        state.pointee.mstatus = new
        // The TLB keeps a set each for SUM on and off, none for MXR.
        if (old ^ new) & MStatus.mxr != 0 { tlb.flush() }
        return .context
    }

    private func writeSATP(_ value: UInt64) -> CSREffect {
        // An unsupported MODE leaves all of satp as it was (RISC-V Priv 1.13 §12.1.11).
        switch value >> 60 {
        case 0, 8, 9, 10: break
        default: return .none
        }
        if value != state.pointee.satp {
            state.pointee.satp = value
            tlb.flush()
        }
        return .context
    }
}

// SPDX-License-Identifier: Apache-2.0

import CGuestAtomics
import MachineCore
import VMMemory

extension Hart {
    /// Executes an instruction of Zicsr, the privileged set, cache blocks, or one that ends in a trap. The PC is the
    /// instruction's own on entry.
    @inline(never)
    func executeSystem(_ op: MicroOp) -> Outcome {
        switch op.operation {
        case .csrrw: return accessCSR(op, state.x(Int(op.b)), writes: true) { _, new in new }
        case .csrrs: return accessCSR(op, state.x(Int(op.b)), writes: op.b != 0) { $0 | $1 }
        case .csrrc: return accessCSR(op, state.x(Int(op.b)), writes: op.b != 0) { $0 & ~$1 }
        case .csrrwi: return accessCSR(op, UInt64(op.b), writes: true) { _, new in new }
        case .csrrsi: return accessCSR(op, UInt64(op.b), writes: op.b != 0) { $0 | $1 }
        case .csrrci: return accessCSR(op, UInt64(op.b), writes: op.b != 0) { $0 & ~$1 }
        case .ecall: return environmentCall()
        case .ebreak, .cEbreak:
            raise(.breakpoint, value: state.pointee.pc)
            return .fetch
        case .mret:
            guard state.pointee.privilege == 3 else { return illegal() }
            returnFromMachine()
            return .look
        case .sret:
            let trapped = state.pointee.privilege == 1 && state.pointee.mstatus & MStatus.tsr != 0
            guard state.pointee.privilege >= 1, !trapped else { return illegal() }
            returnFromSupervisor()
            return .look
        case .wfi: return waitForInterrupt()
        case .wrsNto, .wrsSto:
            // Zawrs §14.1: a legal wait may end at once; the host's core goes to whom it waits for.
            let trapped = state.pointee.privilege < 3 && state.pointee.mstatus & MStatus.tw != 0
            if op.operation == .wrsNto && trapped { return illegal() }
            return state.pointee.reservedAddress == .max ? .next : leave(.yield, after: 4)
        case .pause: return pause()
        case .sfenceVMA, .sinvalVMA: return fenceTranslations(op)
        case .sfenceInvalOrder: return state.pointee.privilege == 0 ? illegal() : .next
        case .fenceI:
            flushInstructions()
            return advance(.fetch)
        case .cboInval, .cboClean, .cboZero: return cacheBlock(op)
        default: return illegal()
        }
    }

    private func illegal() -> Outcome {
        raiseIllegal()
        return .fetch
    }

    private func advance(_ outcome: Outcome) -> Outcome {
        state.pointee.pc &+= 4
        return outcome
    }

    private func accessCSR(
        _ op: MicroOp, _ operand: UInt64, writes: Bool, _ combine: (UInt64, UInt64) -> UInt64
    ) -> Outcome {
        let number = Int(op.immediate)
        guard mayAccess(number, writes: writes), let old = readCSR(number) else { return illegal() }
        var effect = CSREffect.none
        if writes {
            // A read-modify-write of mip or sip leaves out the line into SEIP (RISC-V Priv 1.13 §3.1.9).
            let base = number == CSR.mip && op.operation != .csrrw && op.operation != .csrrwi ? state.pointee.mip : old
            effect = writeCSR(number, combine(base, operand))
        }
        if effect == .illegal { return illegal() }
        state.setX(Int(op.a), old)
        guard effect == .context else { return .next }
        contextChanged()
        return advance(.look)
    }

    private func environmentCall() -> Outcome {
        switch privilege {
        case .supervisor where configuration.supervisorCallsExit:
            // Calls do not retire (RISC-V Priv 1.13 §3.3.1), whoever answers them.
            state.pointee.retired &-= 1
            return leave(.hypercall, after: 4)
        case .user: raise(.callFromUser, value: 0)
        case .supervisor: raise(.callFromSupervisor, value: 0)
        case .machine: raise(.callFromMachine, value: 0)
        }
        return .fetch
    }

    private func waitForInterrupt() -> Outcome {
        let privilege = state.pointee.privilege
        // RISC-V Priv 1.13 §3.3.3: U-mode may not wait where there is an S-mode; TW forbids it to S-mode.
        guard privilege == 3 || (privilege == 1 && state.pointee.mstatus & MStatus.tw == 0) else { return illegal() }
        if hasWakeUp() { return advance(.look) }
        counters.waits &+= 1
        return leave(.halt, after: 4)
    }

    /// A hart that only spins gives its host core away after a bound.
    private func pause() -> Outcome {
        spins += 1
        guard spins >= 32 else { return .next }
        spins = 0
        return leave(.yield, after: 4)
    }

    private func fenceTranslations(_ op: MicroOp) -> Outcome {
        let privilege = state.pointee.privilege
        guard privilege == 3 || (privilege == 1 && state.pointee.mstatus & MStatus.tvm == 0) else { return illegal() }
        // An address-space number alone does not narrow it: entries carry none.
        if op.b == 0 {
            tlb.flush()
            // Systems that were never run where instructions are cached apart, xv6-riscv among them, load a program,
            // change the page tables, and forget `fence.i`: looking at the pages anew costs one comparison a page.
            code.expire()
        } else {
            tlb.flush(page: state.x(Int(op.b)))
        }
        contextChanged()
        return advance(.fetch)
    }

    /// What `fence.i` does here: every page is compared with memory before it runs again.
    func flushInstructions() {
        code.expire()
        tlb.flushFetches()
        contextChanged()
    }

    /// RISC-V CMO 1.0 §2.5, §3: who may, by menvcfg and senvcfg; the block is 64 bytes.
    private func cacheBlock(_ op: MicroOp) -> Outcome {
        let privilege = state.pointee.privilege
        let bit =
            switch op.operation {
            case .cboZero: MEnvCfg.cbze
            case .cboClean: MEnvCfg.cbcfe
            default: MEnvCfg.cbie
            }
        if privilege < 3 && state.pointee.menvcfg & bit == 0 { return illegal() }
        if privilege < 1 && state.pointee.senvcfg & bit == 0 { return illegal() }
        let address = state.x(Int(op.b))
        // Caches are coherent here: what is left to clean and flush is the permission, of a load or a store (§2.5.2).
        if op.operation != .cboZero && blockFault(address, .load) == nil { return .next }
        if let fault = blockFault(address, .store) {
            raise(Hart.cause(fault, .store), value: address)
            return .fetch
        }
        return op.operation == .cboZero ? zeroBlock(address & ~63) : .next
    }

    /// Why the block around `address` may not be accessed, or nil where it may: all 64 bytes alike.
    private func blockFault(_ address: UInt64, _ kind: AccessKind) -> TranslationFault? {
        switch translate(address, kind) {
        case .failure(let fault): return fault
        case .success(let found):
            let allowed = stride(from: found.physical & ~63, to: found.physical | 63, by: 8).allSatisfy {
                allows($0, count: 8, kind, privilege: dataPrivilege)
            }
            return allowed ? nil : .access
        }
    }

    private func zeroBlock(_ block: UInt64) -> Outcome {
        var hit: DebugStop?
        for offset in stride(from: UInt64(0), to: 64, by: 8) {
            switch storeSlow(block &+ offset, 0, width: .double) {
            case .trapped: return .fetch
            case .watched: hit = watchHit
            case .done: break
            }
        }
        guard let hit else { return .next }
        return leave(.debug(hit), after: 4)
    }
}

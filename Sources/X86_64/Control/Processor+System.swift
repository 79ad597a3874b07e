// SPDX-License-Identifier: Apache-2.0

import MachineCore

extension Processor {
    /// Executes an instruction of the system room. The instruction pointer is in the state, at its beginning.
    @inline(never)
    func executeSystem(_ op: MicroOp) -> Outcome {
        guard let operation = SystemOperation(rawValue: op.detail) else { return raise(.invalidOpcode) }
        switch operation {
        case .movToSegment, .movFromSegment, .pushSegment, .popSegment, .loadFarPointer:
            return executeSegment(operation, op)
        case .farJump, .farCall, .farJumpIndirect, .farCallIndirect, .farReturn, .interruptReturn, .interrupt,
            .interrupt3, .into, .interrupt1, .syscall, .sysret, .sysenter, .sysexit:
            return executeFar(operation, op)
        case .sgdt, .sidt, .lgdt, .lidt, .sldt, .str, .lldt, .ltr:
            return executeTables(operation, op)
        case .verr, .verw, .lar, .lsl, .arpl:
            return executeSelectorTests(operation, op)
        case .smsw, .lmsw, .clts, .movFromControl, .movToControl, .movFromDebug, .movToDebug, .xgetbv, .xsetbv:
            return executeControl(operation, op)
        case .rdmsr, .wrmsr, .rdtsc, .rdtscp, .rdpmc, .rdpid, .cpuid, .rdpkru, .wrpkru:
            return executeRegisters(operation, op)
        case .rdfsbase, .rdgsbase, .wrfsbase, .wrgsbase, .swapgs:
            return executeBases(operation, op)
        case .in, .out, .ins, .outs:
            return executePorts(operation, op)
        case .cli, .sti, .clac, .stac:
            return executeFlags(operation, op)
        case .invlpg, .invpcid, .invd, .wbinvd:
            return executeInvalidation(operation, op)
        case .hlt:
            guard state.pointee.privilege == 0 else { return raise(.generalProtection) }
            state.pointee.activity = .halted
            return advance(op, .look)
        case .serialize: return advance(op, .look)
        // Not offered: monitor and mwait; vmcall without a hypervisor that knows it; rsm outside of SMM.
        case .monitor, .mwait, .vmcall, .rsm: return raise(.invalidOpcode)
        }
    }

    // MARK: Operands

    /// General register `index` in `width`, a word at least.
    func register(_ index: UInt8, _ width: OperandWidth) -> UInt64 { state.r64(index) & width.mask }

    /// Writes general register `index`: 32 bits clear the upper half, 16 leave the rest.
    func setRegister(_ index: UInt8, _ width: OperandWidth, _ value: UInt64) {
        switch width.bits {
        case 1: state.setR16(index, UInt16(truncatingIfNeeded: value))
        case 2: state.setR32(index, UInt32(truncatingIfNeeded: value))
        default: state.setR64(index, value)
        }
    }

    /// The 16 bits of ModRM.rm: a selector or the machine status word. Nil: raised.
    func wordOperand(_ op: MicroOp) -> UInt16? {
        guard op.attributes.isMemory else { return state.r16(op.b) }
        guard let place = address(op, count: 2) else { return nil }
        return load(UInt16.self, at: place, stack: op.segment.isStack)
    }

    /// Stores a 16-bit value to ModRM.rm: zero-extended to a register of the operand size, 16 bits to memory.
    func storeWord(_ op: MicroOp, _ value: UInt64) -> Outcome {
        guard op.attributes.isMemory else {
            setRegister(op.b, op.attributes.width, value)
            return advance(op, .jump)
        }
        guard let place = address(op, count: 2, writes: true),
            store(UInt16(truncatingIfNeeded: value), at: place, stack: op.segment.isStack)
        else { return .fault }
        return advance(op, .jump)
    }

    // MARK: Flags and caches

    /// CLI, STI (Intel SDM Vol 2A "CLI", Vol 2B "STI"), CLAC, STAC.
    private func executeFlags(_ operation: SystemOperation, _ op: MicroOp) -> Outcome {
        if operation == .clac || operation == .stac {
            guard state.pointee.privilege == 0 else { return raise(.invalidOpcode) }
            state.pointee.systemFlags &= ~RFlags.alignmentCheck
            if operation == .stac { state.pointee.systemFlags |= RFlags.alignmentCheck }
            contextChanged()
            return advance(op, .jump)
        }
        if isReal || state.pointee.privilege <= ioPrivilege {
            let wasOn = state.pointee.systemFlags & RFlags.interrupt != 0
            state.pointee.systemFlags &= ~RFlags.interrupt
            guard operation == .sti else { return advance(op, .jump) }
            state.pointee.systemFlags |= RFlags.interrupt
            if !wasOn { state.pointee.shadow.insert(.sti) }
            return advance(op, .look)
        }
        // The virtual flag, where VME or PVI let it stand for IF (Intel SDM Vol 3B §22.3, §22.4).
        let virtual = state.pointee.cr4 & (isVirtual8086 ? CR4.vme : CR4.pvi) != 0 && state.pointee.privilege == 3
        guard virtual else { return raise(.generalProtection) }
        if operation == .sti && state.pointee.systemFlags & RFlags.virtualInterruptPending != 0 {
            return raise(.generalProtection)
        }
        state.pointee.systemFlags &= ~RFlags.virtualInterrupt
        if operation == .sti { state.pointee.systemFlags |= RFlags.virtualInterrupt }
        return advance(op, .look)
    }

    private func executeInvalidation(_ operation: SystemOperation, _ op: MicroOp) -> Outcome {
        guard state.pointee.privilege == 0 else { return raise(.generalProtection) }
        switch operation {
        case .invlpg:
            // What its segment refuses, or is not canonical, is no fault (Intel SDM Vol 2A "INVLPG").
            let offset = state.effectiveOffset(op) & op.attributes.addressWidth.mask
            let base = op.segment.segment.map { segmentBase($0) } ?? 0
            invalidate(page: wrapped(offset &+ base))
            return advance(op, .jump)
        case .invpcid: return invalidateContexts(op)
        // Caches are coherent with memory here.
        default: return advance(op, .jump)
        }
    }

    /// What is added to an offset in `segment`: in 64-bit mode FS and GS alone have a base.
    func segmentBase(_ segment: Segment) -> UInt64 {
        if state.pointee.is64Bit && segment != .fs && segment != .gs { return 0 }
        return state.pointee.segments[Int(segment.rawValue)].base
    }

    /// Forgets what is cached for the page of `address`.
    func invalidate(page address: UInt64) {
        tlb.flush(page: address)
        contextChanged()
    }

    /// Intel SDM Vol 2A "INVPCID". One address goes from all contexts, and so do global pages with those that are not.
    private func invalidateContexts(_ op: MicroOp) -> Outcome {
        let kind = register(op.a, state.pointee.is64Bit ? .quad : .double)
        guard let place = address(op, count: 16), let low = load(UInt64.self, at: place, stack: op.segment.isStack),
            let target = load(UInt64.self, at: place &+ 8, stack: op.segment.isStack)
        else { return .fault }
        guard kind <= 3 else { return raise(.generalProtection) }
        if kind <= 1 {
            guard low >> 12 == 0, low == 0 || state.pointee.cr4 & CR4.pcide != 0 else {
                return raise(.generalProtection)
            }
        }
        if kind == 0 {
            guard isCanonical(target) else { return raise(.generalProtection) }
            invalidate(page: target)
        } else {
            if kind == 1 { tlb.forget(low) } else { tlb.flush() }
            contextChanged()
        }
        return advance(op, .jump)
    }
}

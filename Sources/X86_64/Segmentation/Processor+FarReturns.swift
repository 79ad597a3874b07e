// SPDX-License-Identifier: Apache-2.0

import MachineCore

extension Processor {
    /// Far RET: `release` bytes of parameters go from the stack too (Intel SDM Vol 2B "RET").
    func farReturn(bytes: UInt64, release: UInt64) -> Outcome {
        var stack = currentStack
        guard let offset = pop(&stack, bytes), let popped = pop(&stack, bytes) else { return .fault }
        let selector = UInt16(truncatingIfNeeded: popped)
        guard usesDescriptors else {
            guard offset <= UInt64(state.pointee.segments[1].limit) else { return raise(.generalProtection) }
            stack.pointer = (stack.pointer &+ release) & stack.mask
            commit(stack)
            loadRealSegment(.cs, selector)
            state.pointee.rip = offset
            return .look
        }
        guard let code = returnSegment(selector) else { return .fault }
        guard isTarget(offset, in: code) else { return raise(.generalProtection) }
        stack.pointer = (stack.pointer &+ release) & stack.mask
        guard selector.requestedPrivilege > state.pointee.privilege else {
            guard let register = accessed(code, selector) else { return .fault }
            commit(stack)
            enter(register, at: offset)
            return .look
        }
        guard let pointer = pop(&stack, bytes), let stackSelector = pop(&stack, bytes) else { return .fault }
        guard var outer = outerStack(UInt16(truncatingIfNeeded: stackSelector), pointer, selector, code),
            let register = accessed(code, selector)
        else { return .fault }
        outer.pointer = (outer.pointer &+ release) & outer.mask
        finishOutwards(register, at: offset, outer)
        return .look
    }

    /// The code segment of a far return or IRET, checked (Intel SDM Vol 3A §6.8.6). Nil: raised.
    func returnSegment(_ selector: UInt16) -> Descriptor? {
        guard !selector.isNullSelector else { return refuse(.generalProtection) }
        guard let code = descriptor(selector) else { return nil }
        let requested = selector.requestedPrivilege
        let allowed = code.isConforming ? code.privilege <= requested : code.privilege == requested
        guard requested >= state.pointee.privilege, code.isCode, allowed,
            !(isLongMode && code.isLong && code.isBig)
        else { return refuse(Fault(.generalProtection, code: selector.selectorCode)) }
        guard code.isPresent else { return refuse(Fault(.segmentNotPresent, code: selector.selectorCode)) }
        return code
    }

    /// The stack that a return to `code` takes up: a null selector does for 64-bit code that is not at CPL 3. Nil: raised.
    func outerStack(_ selector: UInt16, _ pointer: UInt64, _ target: UInt16, _ code: Descriptor) -> Stack? {
        let privilege = target.requestedPrivilege
        let isFlat = isLongMode && code.isLong
        if selector.isNullSelector {
            guard isFlat, privilege != 3, selector.requestedPrivilege == privilege else {
                return refuse(.generalProtection)
            }
            return Stack(
                pointer: pointer, segment: Processor.nullStack(selector: selector, privilege: privilege), isFlat: true)
        }
        guard let segment = stackSegment(selector, privilege: privilege, else: .generalProtection) else { return nil }
        return Stack(pointer: pointer, segment: segment, isFlat: isFlat)
    }

    /// Takes up `stack` and goes on in less privileged, or equal, `code`.
    func finishOutwards(_ code: SegmentRegister, at target: UInt64, _ stack: Stack) {
        let before = state.pointee.privilege
        state.pointee.segments[Int(Segment.ss.rawValue)] = stack.segment
        enter(code, at: target)
        commit(stack)
        if state.pointee.privilege > before { dropInnerSegments() }
    }

    // MARK: IRET (Intel SDM Vol 2A "IRET/IRETD/IRETQ")

    /// IRET of `bytes` operand size.
    func interruptReturn(bytes: UInt64) -> Outcome {
        // Whatever it returns from: NMIs are let in again, even if it faults (Intel SDM Vol 3A §7.7.1).
        if state.pointee.nmiBlocked && (!isVirtual8086 || ioPrivilege == 3) {
            state.pointee.nmiBlocked = false
            door.unblockNonMaskable()
        }
        if isReal { return realReturn(bytes: bytes) }
        if isVirtual8086 { return virtualReturn(bytes: bytes) }
        if state.pointee.systemFlags & RFlags.nestedTask != 0 {
            guard !isLongMode else { return raise(.generalProtection) }
            return returnToPreviousTask()
        }
        var stack = currentStack
        guard let offset = pop(&stack, bytes), let popped = pop(&stack, bytes), let flags = pop(&stack, bytes)
        else { return .fault }
        let selector = UInt16(truncatingIfNeeded: popped)
        if bytes == 4, flags & RFlags.virtual8086 != 0, state.pointee.privilege == 0, !isLongMode {
            return returnToVirtual8086(&stack, offset, selector, flags)
        }
        guard let code = returnSegment(selector) else { return .fault }
        let goesOutwards = selector.requestedPrivilege > state.pointee.privilege
        guard goesOutwards || state.pointee.is64Bit else {
            guard isTarget(offset, in: code) else { return raise(.generalProtection) }
            guard let register = accessed(code, selector) else { return .fault }
            restoreFlags(flags, bytes: bytes)
            commit(stack)
            enter(register, at: offset)
            return .look
        }
        guard let pointer = pop(&stack, bytes), let stackSelector = pop(&stack, bytes) else { return .fault }
        guard isTarget(offset, in: code) else { return raise(.generalProtection) }
        guard let outer = outerStack(UInt16(truncatingIfNeeded: stackSelector), pointer, selector, code),
            let register = accessed(code, selector)
        else { return .fault }
        restoreFlags(flags, bytes: bytes)
        finishOutwards(register, at: offset, outer)
        return .look
    }

    private func realReturn(bytes: UInt64) -> Outcome {
        var stack = currentStack
        guard let offset = pop(&stack, bytes), let selector = pop(&stack, bytes), let flags = pop(&stack, bytes)
        else { return .fault }
        guard offset <= UInt64(state.pointee.segments[1].limit) else { return raise(.generalProtection) }
        commit(stack)
        loadRealSegment(.cs, UInt16(truncatingIfNeeded: selector))
        state.pointee.rip = offset
        let kept = RFlags.virtual8086 | RFlags.virtualInterrupt | RFlags.virtualInterruptPending
        replaceFlags(flags, changing: (bytes == 2 ? 0xffff : RFlags.writable) & ~kept)
        return .look
    }

    private func virtualReturn(bytes: UInt64) -> Outcome {
        let hasVirtualInterrupts = state.pointee.cr4 & CR4.vme != 0 && bytes == 2
        guard ioPrivilege == 3 || hasVirtualInterrupts else { return raise(.generalProtection) }
        var stack = currentStack
        guard let offset = pop(&stack, bytes), let selector = pop(&stack, bytes), let flags = pop(&stack, bytes)
        else { return .fault }
        guard offset <= UInt64(state.pointee.segments[1].limit) else { return raise(.generalProtection) }
        var changing = (bytes == 2 ? 0xffff : RFlags.writable) & ~RFlags.ioPrivilege
        changing &= ~(RFlags.virtual8086 | RFlags.virtualInterrupt | RFlags.virtualInterruptPending)
        if ioPrivilege < 3 {
            // Intel SDM Vol 3B §22.3: IF goes to VIF; TF and a waiting interrupt are for the monitor.
            let waits = state.pointee.systemFlags & RFlags.virtualInterruptPending != 0
            guard flags & RFlags.trap == 0, !(waits && flags & RFlags.interrupt != 0) else {
                return raise(.generalProtection)
            }
            changing &= ~RFlags.interrupt
            state.pointee.systemFlags &= ~RFlags.virtualInterrupt
            if flags & RFlags.interrupt != 0 { state.pointee.systemFlags |= RFlags.virtualInterrupt }
        }
        commit(stack)
        loadRealSegment(.cs, UInt16(truncatingIfNeeded: selector))
        state.pointee.rip = offset
        replaceFlags(flags, changing: changing)
        return .look
    }

    private func returnToVirtual8086(
        _ stack: inout Stack, _ offset: UInt64, _ selector: UInt16, _ flags: UInt64
    ) -> Outcome {
        guard let pointer = pop(&stack, 4), let ss = pop(&stack, 4), let es = pop(&stack, 4), let ds = pop(&stack, 4),
            let fs = pop(&stack, 4), let gs = pop(&stack, 4)
        else { return .fault }
        guard offset <= 0xffff else { return raise(.generalProtection) }
        replaceFlags(flags, changing: RFlags.writable)
        enterVirtual8086([es, UInt64(selector), ss, ds, fs, gs], offset, pointer)
        return .look
    }

    /// Goes on in virtual-8086 mode, whose flag is set already, with these selectors from ES on.
    func enterVirtual8086(_ selectors: [UInt64], _ offset: UInt64, _ pointer: UInt64) {
        state.pointee.privilege = 3
        for (index, value) in selectors.enumerated() {
            let selector = UInt16(truncatingIfNeeded: value)
            state.pointee.segments[index] = SegmentRegister(
                base: UInt64(selector) << 4, limit: 0xffff, rights: AccessRights(type: 3, privilege: 3),
                selector: selector)
        }
        state.pointee.rip = offset & 0xffff
        state.setR64(4, pointer)
        contextChanged()
    }

    /// What IRET may change of the flags at the present privilege, before it changes.
    private func restoreFlags(_ flags: UInt64, bytes: UInt64) {
        var changing = RFlags.arithmetic | RFlags.trap | RFlags.direction | RFlags.nestedTask
        if bytes > 2 { changing |= RFlags.resume | RFlags.alignmentCheck | RFlags.identification }
        if state.pointee.privilege <= ioPrivilege { changing |= RFlags.interrupt }
        if state.pointee.privilege == 0 {
            changing |= RFlags.ioPrivilege
            if bytes > 2 { changing |= RFlags.virtualInterrupt | RFlags.virtualInterruptPending }
        }
        replaceFlags(flags, changing: changing)
    }

    /// Takes the bits in `changing` from `flags`.
    func replaceFlags(_ flags: UInt64, changing: UInt64) {
        state.pointee.rflags = state.pointee.rflags & ~changing | flags & changing & RFlags.writable
        // Nobody sees RF without a breakpoint on instructions; with it, the next one is executed alone.
        if !hasInstructionBreakpoints { state.pointee.rflags &= ~RFlags.resume }
        loadedResume = state.pointee.systemFlags & RFlags.resume != 0
    }
}

extension RFlags {
    /// All flags that there are, but the one that is always set.
    static var writable: UInt64 { 0x3f_7fd5 }
}

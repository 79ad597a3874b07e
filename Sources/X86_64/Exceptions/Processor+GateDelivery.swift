// SPDX-License-Identifier: Apache-2.0

/// Delivery through the IDT (Intel SDM Vol 3A §7.12, §7.14; Vol 2A "INT n").
extension Processor {
    private func gate(_ event: Interruption, bytes: UInt64) -> (gate: Descriptor, high: UInt64)? {
        let offset = UInt64(event.vector) * bytes
        let error = Fault(.generalProtection, code: UInt32(event.vector) * 8 + 2)
        guard offset + bytes - 1 <= UInt64(state.pointee.idtr.limit) else { return refuse(error) }
        guard let low = loadSystem(state.pointee.idtr.base &+ offset, bytes: 8) else { return nil }
        var high: UInt64 = 0
        if bytes == 16 {
            guard let upper = loadSystem(state.pointee.idtr.base &+ offset &+ 8, bytes: 8) else { return nil }
            high = upper
        }
        let gate = Descriptor(low)
        guard !gate.isCodeOrData else { return refuse(error) }
        switch gate.type {
        case Descriptor.SystemType.interruptGate, Descriptor.SystemType.trapGate: break
        case Descriptor.SystemType.interruptGate16, Descriptor.SystemType.trapGate16, Descriptor.SystemType.taskGate:
            guard bytes == 8 else { return refuse(error) }
        default: return refuse(error)
        }
        guard event.source != .software || gate.privilege >= state.pointee.privilege else { return refuse(error) }
        guard gate.isPresent else { return refuse(Fault(.segmentNotPresent, code: error.code)) }
        return (gate, high)
    }

    /// The code segment of a handler. Nil: raised.
    private func handlerSegment(_ selector: UInt16) -> Descriptor? {
        guard !selector.isNullSelector else { return refuse(.generalProtection) }
        guard let code = descriptor(selector) else { return nil }
        guard code.isCode, code.privilege <= state.pointee.privilege, !isLongMode || (code.isLong && !code.isBig) else {
            return refuse(Fault(.generalProtection, code: selector.selectorCode))
        }
        guard code.isPresent else { return refuse(Fault(.segmentNotPresent, code: selector.selectorCode)) }
        return code
    }

    private func finish(_ gate: Descriptor, _ code: SegmentRegister, _ stack: Stack, _ target: UInt64) {
        var cleared = RFlags.trap | RFlags.virtual8086 | RFlags.resume | RFlags.nestedTask
        if gate.type & 1 == 0 { cleared |= RFlags.interrupt }
        state.pointee.rflags &= ~cleared
        enter(code, at: target)
        commit(stack)
    }

    // MARK: Long mode (Intel SDM Vol 3A §7.14)

    func enterLongHandler(_ event: Interruption) -> Bool {
        guard let (gate, high) = gate(event, bytes: 16), let code = handlerSegment(gate.gateSelector) else {
            return false
        }
        let privilege = code.isConforming ? state.pointee.privilege : code.privilege
        let goesInwards = privilege < state.pointee.privilege
        let table = gate.gateStackTable
        var stack: Stack
        if table != 0 || goesInwards {
            guard let inner = innerStack(privilege, table: table) else { return false }
            stack = inner
        } else {
            stack = Stack(pointer: state.r64(4), segment: state.pointee.segments[2], isFlat: true)
        }
        let target = gate.gateOffset | high << 32
        guard isCanonical(target) else {
            fault = .generalProtection
            return false
        }
        stack.pointer &= ~15
        let bytes: UInt64 = 8
        guard push(&stack, UInt64(state.pointee.segments[2].selector), bytes), push(&stack, state.r64(4), bytes),
            push(&stack, pushedFlags(event), bytes),
            push(&stack, UInt64(state.pointee.segments[1].selector), bytes), push(&stack, event.returnAddress, bytes)
        else { return false }
        if let error = event.code, !push(&stack, UInt64(error), bytes) { return false }
        guard let register = accessed(code, gate.gateSelector & ~3 | UInt16(privilege)) else { return false }
        if goesInwards {
            state.pointee.segments[2] = Processor.nullStack(selector: UInt16(privilege), privilege: privilege)
        }
        finish(gate, register, stack, target)
        return true
    }

    // MARK: Protected and virtual-8086 mode (Intel SDM Vol 3A §7.12)

    func enterProtectedHandler(_ event: Interruption) -> Bool {
        guard let (gate, _) = gate(event, bytes: 8) else { return false }
        if gate.type == Descriptor.SystemType.taskGate { return enterTaskHandler(event, gate) }
        guard let code = handlerSegment(gate.gateSelector) else { return false }
        let privilege = code.isConforming ? state.pointee.privilege : code.privilege
        let bytes: UInt64 = gate.type & 8 != 0 ? 4 : 2
        let target = bytes == 4 ? gate.gateOffset : gate.gateOffset & 0xffff
        guard !isVirtual8086 || privilege == 0 else {
            fault = Fault(.generalProtection, code: gate.gateSelector.selectorCode)
            return false
        }
        let goesInwards = privilege < state.pointee.privilege
        var stack = currentStack
        if goesInwards {
            guard let inner = innerStack(privilege, table: 0) else { return false }
            stack = inner
        }
        guard target <= UInt64(code.limit) else {
            fault = .generalProtection
            return false
        }
        if isVirtual8086 {
            for segment in [Segment.gs, .fs, .ds, .es] {
                let selector = UInt64(state.pointee.segments[Int(segment.rawValue)].selector)
                guard push(&stack, selector, bytes) else { return false }
            }
        }
        if goesInwards {
            guard push(&stack, UInt64(state.pointee.segments[2].selector), bytes), push(&stack, state.r64(4), bytes)
            else { return false }
        }
        guard push(&stack, pushedFlags(event), bytes),
            push(&stack, UInt64(state.pointee.segments[1].selector), bytes), push(&stack, event.returnAddress, bytes)
        else { return false }
        if let error = event.code, !push(&stack, UInt64(error), bytes) { return false }
        guard let register = accessed(code, gate.gateSelector & ~3 | UInt16(privilege)) else { return false }
        if isVirtual8086 {
            for segment in [Segment.gs, .fs, .ds, .es] {
                state.pointee.segments[Int(segment.rawValue)] = SegmentRegister(rights: .unusable)
            }
        }
        if goesInwards { state.pointee.segments[2] = stack.segment }
        finish(gate, register, stack, target)
        return true
    }

    /// A handler that is a task: the error code goes to its stack (Intel SDM Vol 3A §7.12.2).
    private func enterTaskHandler(_ event: Interruption, _ gate: Descriptor) -> Bool {
        let outcome = switchTask(to: gate.gateSelector, .interrupt, next: event.returnAddress, gate: true)
        guard outcome != .fault else { return false }
        guard let error = event.code else { return true }
        var stack = currentStack
        let bytes: UInt64 = state.pointee.tr.rights.type & 8 != 0 ? 4 : 2
        guard push(&stack, UInt64(error), bytes) else { return false }
        commit(stack)
        return true
    }
}

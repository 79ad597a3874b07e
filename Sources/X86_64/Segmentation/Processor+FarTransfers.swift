// SPDX-License-Identifier: Apache-2.0

extension Processor {
    /// How a far transfer comes to a code segment: what decides which privileges it may have.
    enum FarKind { case jump, call }

    /// JMP or CALL to `selector`:`offset`; `bytes` is the operand size. `next` is where a call returns to.
    func farTransfer(_ kind: FarKind, _ selector: UInt16, _ offset: UInt64, bytes: UInt64, next: UInt64) -> Outcome {
        guard usesDescriptors else { return realTransfer(kind, selector, offset, bytes: bytes, next: next) }
        guard !selector.isNullSelector else { return raise(.generalProtection) }
        guard let descriptor = descriptor(selector) else { return .fault }
        if descriptor.isCodeOrData {
            return transferToCode(kind, descriptor, selector, offset, bytes: bytes, next: next)
        }
        let code = selector.selectorCode
        switch descriptor.type {
        case Descriptor.SystemType.callGate: break
        case Descriptor.SystemType.callGate16, Descriptor.SystemType.taskGate, Descriptor.SystemType.availableTSS16,
            Descriptor.SystemType.availableTSS:
            guard !isLongMode else { return raise(Fault(.generalProtection, code: code)) }
        default: return raise(Fault(.generalProtection, code: code))
        }
        guard descriptor.privilege >= state.pointee.privilege, descriptor.privilege >= selector.requestedPrivilege
        else { return raise(Fault(.generalProtection, code: code)) }
        switch descriptor.type {
        case Descriptor.SystemType.callGate16, Descriptor.SystemType.callGate:
            guard descriptor.isPresent else { return raise(Fault(.segmentNotPresent, code: code)) }
            return transferThroughGate(kind, descriptor, selector, next: next)
        case Descriptor.SystemType.taskGate:
            guard descriptor.isPresent else { return raise(Fault(.segmentNotPresent, code: code)) }
            return switchTask(
                to: descriptor.gateSelector, kind == .call ? .call : .jump, next: next, gate: true)
        default:
            return switchTask(to: selector, kind == .call ? .call : .jump, next: next, gate: false)
        }
    }

    private func realTransfer(
        _ kind: FarKind, _ selector: UInt16, _ offset: UInt64, bytes: UInt64, next: UInt64
    ) -> Outcome {
        let target = bytes == 2 ? offset & 0xffff : offset & 0xffff_ffff
        guard target <= UInt64(state.pointee.segments[1].limit) else { return raise(.generalProtection) }
        var stack = currentStack
        if kind == .call {
            guard push(&stack, UInt64(state.pointee.segments[1].selector), bytes), push(&stack, next, bytes) else {
                return .fault
            }
            commit(stack)
        }
        loadRealSegment(.cs, selector)
        state.pointee.rip = target
        return .look
    }

    /// Checks the code segment of a direct far transfer and goes there (Intel SDM Vol 3A §6.8.1).
    private func transferToCode(
        _ kind: FarKind, _ descriptor: Descriptor, _ selector: UInt16, _ offset: UInt64, bytes: UInt64, next: UInt64
    ) -> Outcome {
        let code = selector.selectorCode
        let privilege = state.pointee.privilege
        guard descriptor.isCode else { return raise(Fault(.generalProtection, code: code)) }
        let allowed =
            descriptor.isConforming
            ? descriptor.privilege <= privilege
            : selector.requestedPrivilege <= privilege && descriptor.privilege == privilege
        guard allowed, !(isLongMode && descriptor.isLong && descriptor.isBig) else {
            return raise(Fault(.generalProtection, code: code))
        }
        guard descriptor.isPresent else { return raise(Fault(.segmentNotPresent, code: code)) }
        let target = bytes == 2 ? offset & 0xffff : bytes == 4 ? offset & 0xffff_ffff : offset
        guard isTarget(target, in: descriptor) else { return raise(.generalProtection) }
        var stack = currentStack
        if kind == .call {
            guard push(&stack, UInt64(state.pointee.segments[1].selector), bytes), push(&stack, next, bytes) else {
                return .fault
            }
        }
        guard let register = accessed(descriptor, selector & ~3 | UInt16(privilege)) else { return .fault }
        if kind == .call { commit(stack) }
        enter(register, at: target)
        return .look
    }

    /// Whether code can begin at `target` in the segment: within its limit, or canonical in 64-bit code.
    func isTarget(_ target: UInt64, in descriptor: Descriptor) -> Bool {
        isLongMode && descriptor.isLong ? isCanonical(target) : target <= UInt64(descriptor.limit)
    }

    /// Goes on in `code` at `target`, with the privilege that its selector says.
    func enter(_ code: SegmentRegister, at target: UInt64) {
        state.pointee.segments[Int(Segment.cs.rawValue)] = code
        state.pointee.privilege = code.selector.requestedPrivilege
        state.pointee.rip = target
        contextChanged()
    }

    // MARK: Call gates (Intel SDM Vol 3A §6.8.3 to §6.8.5)

    private func transferThroughGate(_ kind: FarKind, _ gate: Descriptor, _ selector: UInt16, next: UInt64) -> Outcome {
        var offset = gate.gateOffset
        let bytes: UInt64 = isLongMode ? 8 : gate.type == Descriptor.SystemType.callGate ? 4 : 2
        if bytes == 2 { offset &= 0xffff }
        if isLongMode {
            let error = Fault(.generalProtection, code: selector.selectorCode)
            guard let address = descriptorAddress(selector, count: 16) else { return raise(error) }
            guard let high = loadSystem(address &+ 8, bytes: 8) else { return .fault }
            guard high >> 40 & 0x1f == 0 else { return raise(error) }
            offset |= high << 32
        }
        let target = gate.gateSelector
        guard !target.isNullSelector else { return raise(.generalProtection) }
        guard let code = descriptor(target) else { return .fault }
        let error = Fault(.generalProtection, code: target.selectorCode)
        let privilege = state.pointee.privilege
        guard code.isCode, code.privilege <= privilege else { return raise(error) }
        if isLongMode && (!code.isLong || code.isBig) { return raise(error) }
        let goesInwards = kind == .call && !code.isConforming && code.privilege < privilege
        if kind == .jump && !code.isConforming && code.privilege != privilege { return raise(error) }
        guard code.isPresent else { return raise(Fault(.segmentNotPresent, code: target.selectorCode)) }
        if goesInwards { return callInwards(gate, code, target, offset, bytes: bytes, next: next) }
        guard isTarget(offset, in: code) else { return raise(.generalProtection) }
        var stack = currentStack
        if kind == .call {
            guard push(&stack, UInt64(state.pointee.segments[1].selector), bytes), push(&stack, next, bytes) else {
                return .fault
            }
        }
        guard let register = accessed(code, target & ~3 | UInt16(privilege)) else { return .fault }
        if kind == .call { commit(stack) }
        enter(register, at: offset)
        return .look
    }

    private func callInwards(
        _ gate: Descriptor, _ code: Descriptor, _ target: UInt16, _ offset: UInt64, bytes: UInt64, next: UInt64
    ) -> Outcome {
        let privilege = code.privilege
        guard var stack = innerStack(privilege, table: 0) else { return .fault }
        guard isTarget(offset, in: code) else { return raise(.generalProtection) }
        var old = currentStack
        let oldPointer = old.pointer
        guard push(&stack, UInt64(old.segment.selector), bytes), push(&stack, oldPointer, bytes) else { return .fault }
        if !isLongMode {
            var parameters: [UInt64] = []
            for _ in 0..<gate.gateParameters {
                guard let value = pop(&old, bytes) else { return .fault }
                parameters.append(value)
            }
            for value in parameters.reversed() {
                guard push(&stack, value, bytes) else { return .fault }
            }
        }
        guard push(&stack, UInt64(state.pointee.segments[1].selector), bytes), push(&stack, next, bytes),
            let register = accessed(code, target & ~3 | UInt16(privilege))
        else { return .fault }
        state.pointee.segments[Int(Segment.ss.rawValue)] = stack.segment
        enter(register, at: offset)
        commit(stack)
        return .look
    }

    /// The stack that the TSS has for code at `privilege`, or in long mode for interrupt stack `table` where that is not
    /// zero (Intel SDM Vol 3A §6.8.5, §7.14.5). Nil: raised as #TS.
    func innerStack(_ privilege: UInt64, table: UInt64) -> Stack? {
        let tss = state.pointee.tr
        let error = Fault(.invalidTSS, code: tss.selector.selectorCode)
        if isLongMode {
            let offset = table != 0 ? 28 + 8 * table : 4 + 8 * privilege
            guard offset + 7 <= UInt64(tss.limit) else { return refuse(error) }
            guard let pointer = loadSystem(tss.base &+ offset, bytes: 8) else { return nil }
            guard isCanonical(pointer) else { return refuse(.stackFault) }
            return Stack(
                pointer: pointer, segment: Processor.nullStack(selector: UInt16(privilege), privilege: privilege),
                isFlat: true, isInner: true)
        }
        let isWide = tss.rights.type & 8 != 0
        let bytes: UInt64 = isWide ? 4 : 2
        let offset = bytes + privilege * bytes * 2
        guard offset + bytes + 1 <= UInt64(tss.limit) else { return refuse(error) }
        guard let pointer = loadSystem(tss.base &+ offset, bytes: bytes),
            let loaded = loadSystem(tss.base &+ offset &+ bytes, bytes: 2)
        else { return nil }
        let selector = UInt16(truncatingIfNeeded: loaded)
        guard !selector.isNullSelector else { return refuse(Fault(.invalidTSS)) }
        guard let segment = stackSegment(selector, privilege: privilege, else: .invalidTSS) else { return nil }
        return Stack(
            pointer: pointer, segment: segment, isFlat: false, code: selector.selectorCode, isInner: true)
    }
}

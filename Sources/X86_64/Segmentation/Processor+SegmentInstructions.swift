// SPDX-License-Identifier: Apache-2.0

extension Processor {
    /// MOV, PUSH and POP of segment registers, LDS and its like.
    func executeSegment(_ operation: SystemOperation, _ op: MicroOp) -> Outcome {
        switch operation {
        case .movToSegment:
            // CS cannot be loaded so, and there are six (Intel SDM Vol 2B "MOV").
            guard op.a != 1, let segment = Segment(rawValue: op.a) else { return raise(.invalidOpcode) }
            guard let selector = wordOperand(op), loadSegment(segment, selector) else { return .fault }
            return afterLoad(segment, op)
        case .movFromSegment:
            guard op.a < 6 else { return raise(.invalidOpcode) }
            return storeWord(op, UInt64(state.pointee.segments[Int(op.a)].selector))
        case .pushSegment:
            var stack = currentStack
            let count = op.attributes.width.bytes
            let selector = UInt64(state.pointee.segments[Int(op.a) % 6].selector)
            guard pushSelector(&stack, selector, count) else { return .fault }
            commit(stack)
            return advance(op, .jump)
        case .popSegment:
            guard let segment = Segment(rawValue: op.a) else { return raise(.invalidOpcode) }
            var stack = currentStack
            let count = op.attributes.width.bytes
            guard let value = pop(&stack, count), loadSegment(segment, UInt16(truncatingIfNeeded: value)) else {
                return .fault
            }
            if segment == .ss {
                // The pointer is that of the old stack's size.
                let mask = stack.mask
                state.setR64(
                    4, mask == 0xffff ? state.r64(4) & ~0xffff | stack.pointer & 0xffff : stack.pointer & mask)
            } else {
                commit(stack)
            }
            return afterLoad(segment, op)
        default: return loadFarPointer(op)
        }
    }

    /// Pushes a selector: of a 32-bit or wider push the processor writes 16 bits, and the rest of the slot stays
    /// (Intel SDM Vol 2B "PUSH").
    private func pushSelector(_ stack: inout Stack, _ selector: UInt64, _ count: UInt64) -> Bool {
        guard count == 4 else { return push(&stack, selector, count) }
        var slot = stack
        slot.pointer = (slot.pointer &- 2) & slot.mask
        guard push(&slot, selector, 2) else { return false }
        stack.pointer = slot.pointer
        return true
    }

    /// Interrupts and debug exceptions wait for one instruction after a load of SS.
    private func afterLoad(_ segment: Segment, _ op: MicroOp) -> Outcome {
        guard segment == .ss else { return advance(op, .jump) }
        if !state.pointee.shadow.contains(.movSS) { state.pointee.shadow.insert(.movSS) }
        return advance(op, .look)
    }

    private func loadFarPointer(_ op: MicroOp) -> Outcome {
        guard op.attributes.isMemory, let segment = Segment(rawValue: UInt8(truncatingIfNeeded: op.immediate)) else {
            return raise(.invalidOpcode)
        }
        guard let (offset, selector) = farPointer(op), loadSegment(segment, selector) else { return .fault }
        setRegister(op.a, op.attributes.width, offset)
        return afterLoad(segment, op)
    }

    /// A far pointer in memory: the offset of the operand size, then the selector. Nil: raised.
    private func farPointer(_ op: MicroOp) -> (offset: UInt64, selector: UInt16)? {
        let count = op.attributes.width.bytes
        guard let place = address(op, count: count + 2),
            let offset = load(op.attributes.width, at: place, stack: op.segment.isStack),
            let selector = load(UInt16.self, at: wrapped(place &+ count), stack: op.segment.isStack)
        else { return nil }
        return (offset, selector)
    }

    // MARK: Far transfers

    /// Far jumps, calls and returns, interrupts by instruction, and the fast system calls.
    func executeFar(_ operation: SystemOperation, _ op: MicroOp) -> Outcome {
        let width = op.attributes.width
        let next = next(op)
        switch operation {
        case .farJump, .farCall:
            return farTransfer(
                operation == .farJump ? .jump : .call, UInt16(truncatingIfNeeded: op.immediate),
                UInt64(UInt32(bitPattern: op.displacement)), bytes: width.bytes, next: next)
        case .farJumpIndirect, .farCallIndirect:
            guard op.attributes.isMemory else { return raise(.invalidOpcode) }
            guard let (offset, selector) = farPointer(op) else { return .fault }
            return farTransfer(
                operation == .farJumpIndirect ? .jump : .call, selector, offset, bytes: width.bytes, next: next)
        case .farReturn: return farReturn(bytes: width.bytes, release: UInt64(UInt16(truncatingIfNeeded: op.immediate)))
        case .interruptReturn: return interruptReturn(bytes: width.bytes)
        case .interrupt: return softwareInterrupt(UInt8(truncatingIfNeeded: op.immediate), next: next)
        case .interrupt3: return breakpointInterrupt(3, next: next)
        case .into:
            guard state.pointee.rflags & RFlags.overflow != 0 else { return advance(op, .jump) }
            return breakpointInterrupt(4, next: next)
        case .interrupt1:
            return deliver(Interruption(vector: 1, source: .privilegedSoftware, returnAddress: next))
        case .syscall: return systemCall(next: next)
        case .sysret: return systemReturn(wide: op.attributes.w)
        case .sysenter: return systemEnter()
        default: return systemExit(wide: op.attributes.w)
        }
    }

    /// INT3 and INTO: like INT n, but neither IOPL nor the redirection bitmap of virtual-8086 mode are asked.
    private func breakpointInterrupt(_ vector: UInt8, next: UInt64) -> Outcome {
        deliver(Interruption(vector: vector, source: .software, returnAddress: next))
    }
}

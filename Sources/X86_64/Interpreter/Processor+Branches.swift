// SPDX-License-Identifier: Apache-2.0

/// Near transfers (Intel SDM Vol 2A "CALL", "Jcc", "JMP", "LOOP", Vol 2B "RET").
extension Processor {
    /// Where a relative branch leads.
    @inline(__always)
    func relativeTarget(_ op: MicroOp) -> UInt64 {
        (next(op) &+ op.operand) & branchMask(op)
    }

    /// What of an instruction pointer an operand size leaves.
    @inline(__always)
    func branchMask(_ op: MicroOp) -> UInt64 { op.attributes.width.mask }

    /// Whether code can go on at `target`; where not, #GP(0) is raised at the branch.
    @inline(__always)
    func isReachable(_ target: UInt64) -> Bool {
        let holds =
            state.pointee.is64Bit ? isCanonical(target) : target <= UInt64(state.pointee.segments[1].limit)
        if !holds { fault = .generalProtection }
        return holds
    }

    /// Goes on at `target`.
    func jump(_ target: UInt64) -> Outcome {
        guard isReachable(target) else { return .fault }
        state.pointee.rip = target
        return .jump
    }

    func executeBranch(_ operation: IntegerOperation, _ op: MicroOp) -> Outcome {
        switch operation {
        case .jmp: return jump(relativeTarget(op))
        case .jcc: return condition(op) ? jump(relativeTarget(op)) : .next
        case .jmpIndirect:
            guard let target = indirectTarget(op) else { return .fault }
            return jump(target)
        case .call: return call(relativeTarget(op), op)
        case .callIndirect:
            guard let target = indirectTarget(op) else { return .fault }
            return call(target, op)
        case .ret: return ret(op)
        case .jrcxz:
            return state.r64(1) & op.attributes.addressWidth.mask == 0 ? jump(relativeTarget(op)) : .next
        default: return loop(operation, op)
        }
    }

    private func indirectTarget(_ op: MicroOp) -> UInt64? {
        switch op.attributes.width.bits {
        case 1: readRM(UInt16.self, op).map(UInt64.init)
        case 2: readRM(UInt32.self, op).map(UInt64.init)
        default: readRM(UInt64.self, op)
        }
    }

    private func call(_ target: UInt64, _ op: MicroOp) -> Outcome {
        guard isReachable(target), push(next(op), op.attributes.width) else { return .fault }
        state.pointee.rip = target
        return .jump
    }

    private func ret(_ op: MicroOp) -> Outcome {
        let width = op.attributes.width
        let top = state.r64(4) & stackWidth.mask
        guard let target = readStack(top, width), isReachable(target) else { return .fault }
        // `immediate` is zero in the form without one.
        setStackPointer(top &+ width.bytes &+ (op.operand & 0xffff))
        state.pointee.rip = target
        return .jump
    }

    private func loop(_ operation: IntegerOperation, _ op: MicroOp) -> Outcome {
        let width = op.attributes.addressWidth
        let count = (state.r64(1) &- 1) & width.mask
        let zero = state.pointee.lazyFlags.zero
        let isTaken = count != 0 && (operation == .loop || zero == (operation == .loope))
        if isTaken {
            let target = relativeTarget(op)
            guard isReachable(target) else { return .fault }
            setRegister(width, 1, count)
            state.pointee.rip = target
            return .jump
        }
        setRegister(width, 1, count)
        return .next
    }
}

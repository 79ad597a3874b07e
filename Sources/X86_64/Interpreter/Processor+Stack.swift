// SPDX-License-Identifier: Apache-2.0

/// The stack (Intel SDM Vol 1 §6.2). Its pointer is as wide as the stack segment says, its operands as the instruction.
extension Processor {
    /// How much of rSP counts.
    @inline(__always)
    var stackWidth: OperandWidth {
        if state.pointee.is64Bit { return .quad }
        return state.pointee.segments[2].rights.contains(.big) ? .double : .word
    }

    /// Sets as much of rSP as counts.
    @inline(__always)
    func setStackPointer(_ value: UInt64) { setRegister(stackWidth, 4, value) }

    /// Pushes the low `width` of `value`; false: a fault was raised and nothing has changed.
    func push(_ value: UInt64, _ width: OperandWidth) -> Bool {
        let top = (state.r64(4) &- width.bytes) & stackWidth.mask
        guard writeStack(top, value, width) else { return false }
        setStackPointer(top)
        return true
    }

    /// What lies on top of the stack, zero-extended, and rSP past it; nil: a fault was raised.
    func pop(_ width: OperandWidth) -> UInt64? {
        let top = state.r64(4) & stackWidth.mask
        guard let value = readStack(top, width) else { return nil }
        setStackPointer(top &+ width.bytes)
        return value
    }

    /// What lies at `offset` in SS.
    func readStack(_ offset: UInt64, _ width: OperandWidth) -> UInt64? {
        guard let address = linear(.ss, offset, count: width.bytes, writes: false) else { return nil }
        return load(width, at: address, stack: true)
    }

    /// Writes at `offset` in SS.
    func writeStack(_ offset: UInt64, _ value: UInt64, _ width: OperandWidth) -> Bool {
        guard let address = linear(.ss, offset, count: width.bytes, writes: true) else { return false }
        return store(width, value, at: address, stack: true)
    }

    func executeStack(_ operation: IntegerOperation, _ op: MicroOp) -> Outcome {
        let width = op.attributes.width
        switch operation {
        case .push:
            guard let value = readRM(width, op) else { return .fault }
            return push(value, width) ? .next : .fault
        case .pushImmediate: return push(op.operand, width) ? .next : .fault
        case .pop: return popOperand(op, width)
        case .pusha: return pushAll(width)
        case .popa: return popAll(width)
        case .enter: return enterProcedure(op, width)
        default: return leaveProcedure(width)
        }
    }

    private func readRM(_ width: OperandWidth, _ op: MicroOp) -> UInt64? {
        switch width.bits {
        case 1: readRM(UInt16.self, op).map(UInt64.init)
        case 2: readRM(UInt32.self, op).map(UInt64.init)
        default: readRM(UInt64.self, op)
        }
    }

    /// The address of a destination in memory counts from the stack pointer behind the pop (Intel SDM Vol 2B "POP").
    private func popOperand(_ op: MicroOp, _ width: OperandWidth) -> Outcome {
        let before = state.r64(4)
        guard let value = pop(width) else { return .fault }
        guard op.attributes.isMemory else {
            setRegister(width, op.b, value)
            return .next
        }
        if let address = address(op, count: width.bytes, writes: true),
            store(width, value, at: address, stack: op.segment.isStack)
        {
            return .next
        }
        state.setR64(4, before)
        return .fault
    }

    private func pushAll(_ width: OperandWidth) -> Outcome {
        let before = state.r64(4)
        for number: UInt8 in 0..<8 {
            guard push(number == 4 ? before : state.r64(number), width) else {
                state.setR64(4, before)
                return .fault
            }
        }
        return .next
    }

    private func popAll(_ width: OperandWidth) -> Outcome {
        let top = state.r64(4)
        var values = InlineArray<8, UInt64>(repeating: 0)
        for number in 0..<8 {
            guard let value = readStack((top &+ UInt64(7 - number) &* width.bytes) & stackWidth.mask, width) else {
                return .fault
            }
            values[number] = value
        }
        for number in 0..<8 where number != 4 { setRegister(width, UInt8(number), values[number]) }
        setStackPointer(top &+ 8 &* width.bytes)
        return .next
    }

    // Intel SDM Vol 2A "ENTER".
    private func enterProcedure(_ op: MicroOp, _ width: OperandWidth) -> Outcome {
        let level = op.displacement & 31
        let size = UInt64(UInt32(bitPattern: op.immediate))
        let mask = stackWidth.mask
        let (stack, frame) = (state.r64(4), state.r64(5))
        var top = (stack &- width.bytes) & mask
        guard writeStack(top, frame, width) else { return .fault }
        let newFrame = top
        var link = frame
        for _ in 1..<max(1, level) {
            link = (link &- width.bytes) & mask
            guard let value = readStack(link, width) else { return .fault }
            top = (top &- width.bytes) & mask
            guard writeStack(top, value, width) else { return .fault }
        }
        if level > 0 {
            top = (top &- width.bytes) & mask
            guard writeStack(top, newFrame, width) else { return .fault }
        }
        top = (top &- size) & mask
        // The new top must be writable, though nothing is written there.
        guard let address = linear(.ss, top, count: width.bytes, writes: true),
            loadSlow(address, bytes: width.bytes, .write, stack: true)
        else { return .fault }
        setRegister(width, 5, width == .word ? newFrame : (frame & ~mask | newFrame))
        setStackPointer(top)
        return .next
    }

    private func leaveProcedure(_ width: OperandWidth) -> Outcome {
        let top = state.r64(5) & stackWidth.mask
        guard let value = readStack(top, width) else { return .fault }
        setStackPointer(top &+ width.bytes)
        setRegister(width, 5, value)
        return .next
    }
}

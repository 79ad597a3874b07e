// SPDX-License-Identifier: Apache-2.0

import VMMemory

/// From an instruction to the micro-op that the loop executes in its page.
extension Instruction {
    /// The micro-op of the instruction at `offset` of its page, or nil where it cannot be executed in place.
    func lowered(at offset: Int) -> MicroOp? {
        var op = op
        if op.base == 17 {
            // Relative to the page's beginning, which the loop keeps.
            let (displacement, overflow) = op.displacement.addingReportingOverflow(Int32(offset + length))
            guard !overflow else { return nil }
            op.displacement = displacement
        }
        guard op.operation == .integer, let operation = IntegerOperation(rawValue: op.detail) else { return op }
        guard let form = loopForm(operation, op) else { return op }
        op.operation = form
        if Self.isSymmetric(operation), !op.attributes.isMemory, op.attributes.source == .operand,
            !op.attributes.writesRegister
        {
            // Of two registers the loop's destination is `a`, whichever way they were encoded.
            swap(&op.a, &op.b)
            op.attributes.writesRegister = true
        }
        return op
    }

    /// Whether an instruction exists in both directions, and its forms in the loop in one.
    private static func isSymmetric(_ operation: IntegerOperation) -> Bool {
        switch operation {
        case .add, .or, .and, .sub, .xor, .cmp, .mov: true
        default: false
        }
    }

    /// The loop's form of an instruction of the integer room, where it has one.
    private func loopForm(_ operation: IntegerOperation, _ op: MicroOp) -> Operation? {
        guard !op.attributes.isLocked else { return nil }
        switch operation {
        case .add: return binary(.add8rr, op)
        case .or: return binary(.or8rr, op)
        case .and: return binary(.and8rr, op)
        case .sub: return binary(.sub8rr, op)
        case .xor: return binary(.xor8rr, op)
        case .cmp: return binary(.cmp8rr, op)
        case .test: return test(op)
        case .mov: return move(op)
        case .movImmediate:
            return op.attributes.width == .quad ? .mov64Long : op.attributes.width == .double ? .mov32ri : nil
        case .lea: return loadAddress(op)
        case .movzxByte: return extended(op, .movzxByte32rr, .movzxByte32rr)
        case .movzxWord: return extended(op, .movzxWord32rr, .movzxWord32rr)
        case .movsxByte: return extended(op, .movsxByte32rr, .movsxByte64rr)
        case .movsxWord: return extended(op, .movsxWord32rr, nil)
        case .movsxDouble: return extended(op, nil, .movsxDouble64rr)
        case .cmovcc: return wide(op, op.attributes.isMemory ? .cmov32rm : .cmov32rr)
        case .setcc: return op.attributes.isMemory ? nil : .setcc8r
        case .cbw: return op.attributes.width == .quad ? .cdqe : op.attributes.width == .double ? .cwde : nil
        case .cwd: return op.attributes.width == .quad ? .cqo : op.attributes.width == .double ? .cdq : nil
        case .nop, .fence: return .nop
        case .inc: return op.attributes.isMemory ? nil : wide(op, .inc32r)
        case .dec: return op.attributes.isMemory ? nil : wide(op, .dec32r)
        case .neg: return op.attributes.isMemory ? nil : wide(op, .neg32r)
        case .not: return op.attributes.isMemory ? nil : wide(op, .not32r)
        case .shl, .sal: return shift(op, .shl32ri)
        case .shr: return shift(op, .shr32ri)
        case .sar: return shift(op, .sar32ri)
        case .imulTwo: return op.attributes.isMemory ? nil : wide(op, .imul32rr)
        default: return transfer(operation, op)
        }
    }

    private func transfer(_ operation: IntegerOperation, _ op: MicroOp) -> Operation? {
        switch operation {
        case .jmp: return .jmpNear
        case .jcc: return .jccNear
        default: break
        }
        guard op.attributes.mode == .long64, op.attributes.width == .quad else { return nil }
        switch operation {
        case .push: return op.attributes.isMemory ? nil : .push64r
        case .pushImmediate: return .push64i
        case .pop: return op.attributes.isMemory ? nil : .pop64r
        case .call: return .call64
        case .callIndirect: return op.attributes.isMemory ? nil : .call64r
        case .jmpIndirect: return op.attributes.isMemory ? .jmp64m : .jmp64r
        case .ret: return .ret64
        default: return nil
        }
    }

    /// The form for 32 bits given, or the one for 64 behind it; nil for other widths.
    private func wide(_ op: MicroOp, _ form: Operation) -> Operation? {
        switch op.attributes.width {
        case .double: form
        case .quad: Operation(rawValue: form.rawValue + 1)
        default: nil
        }
    }

    /// Of the five forms for each of 8, 32 and 64 bits that begin with `first`: rr, ri, rm, mr, mi.
    private func binary(_ first: Operation, _ op: MicroOp) -> Operation? {
        let width: UInt16
        switch op.attributes.width {
        case .byte: width = 0
        case .double: width = 5
        case .quad: width = 10
        default: return nil
        }
        let form: UInt16
        switch (op.attributes.source, op.attributes.isMemory, op.attributes.writesRegister) {
        case (.immediate, false, _): form = 1
        case (.immediate, true, _): form = 4
        case (_, true, true): form = 2
        case (_, true, false): form = 3
        case (_, false, _): form = 0
        }
        return Operation(rawValue: first.rawValue + width + form)
    }

    /// Four forms a width: rr, ri, mr, mi.
    private func test(_ op: MicroOp) -> Operation? {
        let width: UInt16
        switch op.attributes.width {
        case .byte: width = 0
        case .double: width = 4
        case .quad: width = 8
        default: return nil
        }
        let isImmediate = op.attributes.source == .immediate
        let form: UInt16 = (op.attributes.isMemory ? 2 : 0) + (isImmediate ? 1 : 0)
        return Operation(rawValue: Operation.test8rr.rawValue + width + form)
    }

    private func move(_ op: MicroOp) -> Operation? {
        let isImmediate = op.attributes.source == .immediate
        let isMemory = op.attributes.isMemory
        let writesRegister = op.attributes.writesRegister
        switch op.attributes.width {
        case .byte:
            if isImmediate { return isMemory ? .mov8mi : .mov8ri }
            return isMemory ? (writesRegister ? .mov8rm : .mov8mr) : .mov8rr
        case .word:
            return isMemory && !isImmediate ? (writesRegister ? .mov16rm : .mov16mr) : nil
        case .double:
            if isImmediate { return isMemory ? .mov32mi : .mov32ri }
            return isMemory ? (writesRegister ? .mov32rm : .mov32mr) : .mov32rr
        default:
            if isImmediate { return isMemory ? .mov64mi : .mov64ri }
            return isMemory ? (writesRegister ? .mov64rm : .mov64mr) : .mov64rr
        }
    }

    private func loadAddress(_ op: MicroOp) -> Operation? {
        guard op.attributes.addressWidth == .quad else { return nil }
        return op.attributes.width == .quad ? .lea64 : op.attributes.width == .double ? .lea32 : nil
    }

    /// The rr form for 32 and 64 bits given, or the rm form behind it.
    private func extended(_ op: MicroOp, _ double: Operation?, _ quad: Operation?) -> Operation? {
        let form = op.attributes.width == .quad ? quad : op.attributes.width == .double ? double : nil
        guard let form else { return nil }
        return op.attributes.isMemory ? Operation(rawValue: form.rawValue + 1) : form
    }

    private func shift(_ op: MicroOp, _ form: Operation) -> Operation? {
        let mask: Int32 = op.attributes.width == .quad ? 63 : 31
        guard op.attributes.source == .immediate, !op.attributes.isMemory, op.immediate & mask != 0 else { return nil }
        return wide(op, form)
    }
}

// SPDX-License-Identifier: Apache-2.0

extension Decoder {
    /// The operands of an instruction whose row is known.
    func finish(
        _ row: InstructionRow, _ reader: inout CodeReader, _ prefixes: Prefixes, _ opcode: UInt8, _ modRM: UInt8
    ) throws(CodeReader.End) -> Decoded {
        var op = MicroOp(row.semantics.room)
        op.detail = row.semantics.detail
        op.attributes.mode = mode
        op.attributes.opcode = opcode
        op.attributes.addressWidth = addressWidth(prefixes)
        op.attributes.hasOperandSizePrefix = prefixes.operandSize
        op.attributes.vvvv = prefixes.vvvv
        op.attributes.isVEX = prefixes.isVEX
        op.attributes.vectorLength256 = prefixes.vexLength256
        op.attributes.w = prefixes.w
        op.attributes.width = width(row, prefixes)
        if row.attributes.contains(.repeats) { op.attributes.repeats = prefixes.repeats }

        op.a = modRM >> 3 & 7 | prefixes.r
        op.b = modRM & 7 | prefixes.b
        if row.hasModRM && modRM < 0xc0 {
            op.attributes.isMemory = true
            // A gather's index is a vector: it needs SIB, whose index 4 is one as well (Intel SDM Vol 2A §2.3.12).
            let gathers = row.operands.second == .VMd || row.operands.second == .VMq
            if gathers && (modRM & 7 != 4 || op.attributes.addressWidth == .word) { return .undefined }
            try memory(&op, &reader, prefixes, modRM, gathers: gathers)
        } else if row.encoding.hasRegister {
            op.b = opcode & 7 | prefixes.b
        }
        // LOCK is for destinations in memory, of instructions that say so (Intel SDM Vol 2A "LOCK").
        if prefixes.lock {
            guard row.attributes.contains(.lock), op.attributes.isMemory else { return .undefined }
            op.attributes.isLocked = true
        }
        var immediates = 0
        try operand(row.operands.first, 0, &op, &reader, prefixes, &immediates)
        try operand(row.operands.second, 1, &op, &reader, prefixes, &immediates)
        try operand(row.operands.third, 2, &op, &reader, prefixes, &immediates)
        try operand(row.operands.fourth, 3, &op, &reader, prefixes, &immediates)
        return .instruction(
            Instruction(
                row: row, op: op, length: reader.position, segmentOverride: prefixes.segment, hasREX: prefixes.hasREX))
    }

    private func addressWidth(_ prefixes: Prefixes) -> OperandWidth {
        switch mode {
        case .legacy16: prefixes.addressSize ? .double : .word
        case .legacy32: prefixes.addressSize ? .word : .double
        case .long64: prefixes.addressSize ? .double : .quad
        }
    }

    /// The size of the operands that have none of their own, or of the first that has one.
    private func width(_ row: InstructionRow, _ prefixes: Prefixes) -> OperandWidth {
        let operandSize = operandSize(row, prefixes)
        let forms = row.operands.all
        for form in forms {
            switch form.size {
            case .v: return operandSize
            case .z: return operandSize == .quad ? .double : operandSize
            case .y: return operandSize == .quad || (mode == .long64 && prefixes.w) ? .quad : .double
            default: break
            }
        }
        for form in forms {
            switch form.size {
            case .byte: return .byte
            case .word: return .word
            case .double: return .double
            case .quad: return .quad
            default: break
            }
        }
        return operandSize
    }

    // Intel SDM Vol 1 §3.6.1, tables 3-3 and 3-4.
    private func operandSize(_ row: InstructionRow, _ prefixes: Prefixes) -> OperandWidth {
        switch mode {
        case .legacy16: return prefixes.operandSize ? .double : .word
        case .legacy32: return prefixes.operandSize ? .word : .double
        case .long64:
            if row.attributes.contains(.force64) || prefixes.w { return .quad }
            // F2 and F3 leave 66 its meaning; where 66 is part of the opcode it has none.
            if prefixes.operandSize && row.encoding.prefix != .p66 { return .word }
            return row.attributes.contains(.default64) ? .quad : .double
        }
    }

    /// One operand: register numbers of implied places, byte registers, immediates; what moves data where.
    private func operand(
        _ form: OperandForm, _ index: Int, _ op: inout MicroOp, _ reader: inout CodeReader, _ prefixes: Prefixes,
        _ immediates: inout Int
    ) throws(CodeReader.End) {
        switch form.place {
        case .reg:
            if form.isByteRegister { op.a = byteRegister(op.a, prefixes) }
            if index == 0 { op.attributes.writesRegister = true }
        case .rm, .register:
            if form.isByteRegister && !op.attributes.isMemory { op.b = byteRegister(op.b, prefixes) }
        case .opcode:
            if form.isByteRegister { op.b = byteRegister(op.b, prefixes) }
        case .implied:
            switch form {
            case .AL, .rAX, .eAX:
                // The accumulator takes the place that nothing else has: ModRM.rm's if it comes first.
                if index == 0 { op.b = 0 } else { op.a = 0 }
            case .CL: op.attributes.source = .cl
            case .one:
                op.attributes.source = .immediate
                op.immediate = 1
            default: break
            }
        case .immediate, .immediateRegister:
            let value = try immediate(form, op.attributes.width, &reader, &op)
            guard let value else { break }
            if immediates == 0 {
                op.immediate = value
                op.attributes.source = .immediate
            } else {
                // The second of two: `enter`, `extrq`.
                op.displacement = value
            }
            immediates += 1
        case .relative:
            let size = form == .Jb ? 1 : op.attributes.width == .word ? 2 : 4
            op.immediate = Int32(truncatingIfNeeded: try reader.signed(size))
        case .far:
            op.displacement = Int32(truncatingIfNeeded: try reader.number(op.attributes.width == .word ? 2 : 4))
            op.immediate = Int32(truncatingIfNeeded: try reader.number(2))
        case .absolute:
            op.immediate64 = try reader.number(Int(op.attributes.addressWidth.bytes))
            op.attributes.isMemory = true
            op.segment = segmentForm(prefixes, isStack: false)
        case .string:
            op.segment = segmentForm(prefixes, isStack: false)
        case .memory, .vvvv: break
        }
    }

    private func immediate(
        _ form: OperandForm, _ width: OperandWidth, _ reader: inout CodeReader, _ op: inout MicroOp
    ) throws(CodeReader.End) -> Int32? {
        switch form {
        case .Ib, .Lx, .Ldq: return try Int32(reader.byte())
        case .Ibs: return Int32(truncatingIfNeeded: try reader.signed(1))
        case .Iw: return Int32(truncatingIfNeeded: try reader.number(2))
        case .Iz: return Int32(truncatingIfNeeded: try reader.signed(width == .word ? 2 : 4))
        default:
            // Iv: the only immediate of 8 bytes.
            guard width == .quad else {
                return Int32(truncatingIfNeeded: try reader.signed(width == .word ? 2 : 4))
            }
            op.immediate64 = try reader.number(8)
            op.attributes.source = .immediate
            return nil
        }
    }

    /// The place of byte register `number`: AH to BH without REX.
    private func byteRegister(_ number: UInt8, _ prefixes: Prefixes) -> UInt8 {
        if number & 0xc == 4 && !prefixes.hasREX { return (number & 3) * 8 + 1 }
        return (number & 15) * 8
    }

    // MARK: Memory operands (Intel SDM Vol 2A §2.1.5, tables 2-1 to 2-3)

    private func memory(
        _ op: inout MicroOp, _ reader: inout CodeReader, _ prefixes: Prefixes, _ modRM: UInt8, gathers: Bool
    ) throws(CodeReader.End) {
        let isStack =
            op.attributes.addressWidth == .word
            ? try memory16(&op, &reader, modRM) : try memory32(&op, &reader, prefixes, modRM, gathers)
        op.segment = segmentForm(prefixes, isStack: isStack)
    }

    private func memory16(
        _ op: inout MicroOp, _ reader: inout CodeReader, _ modRM: UInt8
    ) throws(CodeReader.End) -> Bool {
        let mod = modRM >> 6
        // BX+SI, BX+DI, BP+SI, BP+DI, SI, DI, BP, BX.
        let bases: InlineArray<8, UInt8> = [3, 3, 5, 5, 6, 7, 5, 3]
        let indices: InlineArray<8, UInt8> = [6, 7, 6, 7, 16, 16, 16, 16]
        let rm = Int(modRM & 7)
        if mod == 0 && rm == 6 {
            op.displacement = Int32(truncatingIfNeeded: try reader.signed(2))
            return false
        }
        op.base = bases[rm]
        op.index = indices[rm]
        if mod != 0 { op.displacement = Int32(truncatingIfNeeded: try reader.signed(mod == 1 ? 1 : 2)) }
        return op.base == 5
    }

    private func memory32(
        _ op: inout MicroOp, _ reader: inout CodeReader, _ prefixes: Prefixes, _ modRM: UInt8, _ gathers: Bool
    ) throws(CodeReader.End) -> Bool {
        let mod = modRM >> 6
        var base = modRM & 7
        if base == 4 {
            let sib = try reader.byte()
            let index = sib >> 3 & 7 | prefixes.x
            if index != 4 || gathers {
                op.index = index
                op.scale = sib >> 6
            }
            base = sib & 7
            if base == 5 && mod == 0 {
                op.displacement = Int32(truncatingIfNeeded: try reader.signed(4))
                return false
            }
        } else if base == 5 && mod == 0 {
            op.displacement = Int32(truncatingIfNeeded: try reader.signed(4))
            // Relative to the next instruction's address in 64-bit mode.
            if mode == .long64 { op.base = 17 }
            return false
        }
        op.base = base | prefixes.b
        if mod != 0 { op.displacement = Int32(truncatingIfNeeded: try reader.signed(mod == 1 ? 1 : 4)) }
        return op.base == 4 || op.base == 5
    }

    private func segmentForm(_ prefixes: Prefixes, isStack: Bool) -> SegmentForm {
        if mode == .long64 && prefixes.segment == nil {
            if prefixes.addressSize { return .general(isStack ? .ss : .ds) }
            return isStack ? .flatStack : .flat
        }
        return .general(prefixes.segment ?? (isStack ? .ss : .ds))
    }
}

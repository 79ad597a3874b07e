// SPDX-License-Identifier: Apache-2.0

/// The integer room: every form of every integer instruction, whatever is faster inlined in the loop.
extension Processor {
    /// Executes an instruction of the integer room. The instruction pointer is in the state.
    @inline(never)
    func executeInteger(_ op: MicroOp) -> Outcome {
        guard let operation = IntegerOperation(rawValue: op.detail) else { return raise(.invalidOpcode) }
        switch op.attributes.width.bits {
        case 0: return executeInteger(UInt8.self, operation, op)
        case 1: return executeInteger(UInt16.self, operation, op)
        case 2: return executeInteger(UInt32.self, operation, op)
        default: return executeInteger(UInt64.self, operation, op)
        }
    }

    @inline(__always)
    private func executeInteger<T: Operand>(_ type: T.Type, _ operation: IntegerOperation, _ op: MicroOp) -> Outcome {
        switch operation {
        case .add, .or, .adc, .sbb, .and, .sub, .xor: return binary(type, operation, op)
        case .cmp, .test: return compare(type, operation, op)
        case .mov, .movImmediate, .movFromOffset, .movToOffset: return move(type, operation, op)
        case .xchg, .xadd, .cmpxchg: return exchange(type, operation, op)
        case .rol, .ror, .rcl, .rcr, .shl, .shr, .sal, .sar: return shift(type, operation, op)
        case .shld, .shrd: return doubleShift(type, operation, op)
        case .not, .neg, .inc, .dec: return unary(type, operation, op)
        case .mul, .imul: return multiply(type, operation, op)
        case .div, .idiv: return divide(type, operation, op)
        case .imulTwo, .imulThree: return multiplySigned(type, operation, op)
        case .movzxByte, .movzxWord, .movsxByte, .movsxWord, .movsxDouble: return extend(type, operation, op)
        case .lea:
            setRegister(op.a, T(truncatingIfNeeded: state.effectiveOffset(op) & op.attributes.addressWidth.mask))
            return .next
        case .bt, .bts, .btr, .btc: return bitTest(type, operation, op)
        case .bsf, .bsr, .tzcnt, .lzcnt, .popcnt: return scan(type, operation, op)
        case .crc32: return checksum(type, op)
        case .bswap, .movbe: return swapBytes(type, operation, op)
        case .andn, .bextr, .blsr, .blsmsk, .blsi, .bzhi, .mulx, .pdep, .pext, .rorx, .sarx, .shlx, .shrx, .adcx,
            .adox:
            return manipulate(type, operation, op)
        case .setcc: return writeRM(op, UInt8(condition(op) ? 1 : 0)) ? .next : .fault
        case .cmovcc:
            // The source is read whatever the condition says, and 32 bits clear the upper half in any case.
            guard let value = readRM(type, op) else { return .fault }
            setRegister(op.a, condition(op) ? value : register(type, op.a))
            return .next
        case .movs, .cmps, .stos, .lods, .scas: return string(type, operation, op)
        default: return executeOther(operation, op)
        }
    }

    @inline(__always)
    private func binary<T: Operand>(_ type: T.Type, _ operation: IntegerOperation, _ op: MicroOp) -> Outcome {
        guard let right = source(type, op) else { return .fault }
        if op.attributes.writesRegister {
            let before = state.pointee.lazyFlags
            setRegister(
                op.a, operation.compute(register(type, op.a), right, before, &state.pointee.lazyFlags))
            return .next
        }
        return updateRM(type, op) { operation.compute($0, right, $1, &$1) }
    }

    @inline(__always)
    private func compare<T: Operand>(_ type: T.Type, _ operation: IntegerOperation, _ op: MicroOp) -> Outcome {
        guard let other = readRM(type, op) else { return .fault }
        let before = state.pointee.lazyFlags
        let left = op.attributes.writesRegister ? register(type, op.a) : other
        let right: T =
            if op.attributes.source == .immediate {
                T(truncatingIfNeeded: op.immediate)
            } else if op.attributes.writesRegister {
                other
            } else {
                register(type, op.a)
            }
        _ = operation.compute(left, right, before, &state.pointee.lazyFlags)
        return .next
    }

    @inline(__always)
    private func unary<T: Operand>(_ type: T.Type, _ operation: IntegerOperation, _ op: MicroOp) -> Outcome {
        updateRM(type, op) { value, flags in
            let before = flags
            switch operation {
            case .not: return ~value
            case .neg:
                flags = LazyFlags(difference: 0 &- value, 0, value)
                return 0 &- value
            case .inc:
                flags = LazyFlags(sum: value &+ 1, value, 1).keepingCarry(of: before)
                return value &+ 1
            default:
                flags = LazyFlags(difference: value &- 1, value, 1).keepingCarry(of: before)
                return value &- 1
            }
        }
    }

    @inline(__always)
    private func shift<T: Operand>(_ type: T.Type, _ operation: IntegerOperation, _ op: MicroOp) -> Outcome {
        let amount = op.attributes.source == .cl ? state.r8(8) : UInt8(truncatingIfNeeded: op.immediate)
        let count = Int(amount & (T.bitWidth == 64 ? 63 : 31))
        return updateRM(type, op) { count == 0 ? $0 : operation.shift($0, by: count, &$1) }
    }

    @inline(__always)
    private func doubleShift<T: Operand>(_ type: T.Type, _ operation: IntegerOperation, _ op: MicroOp) -> Outcome {
        let amount = op.attributes.source == .cl ? state.r8(8) : UInt8(truncatingIfNeeded: op.immediate)
        let count = Int(amount & (T.bitWidth == 64 ? 63 : 31))
        let other = register(type, op.a)
        let bits = T.bitWidth
        return updateRM(type, op) { value, flags in
            guard count != 0 else { return value }
            // 16-bit counts past 16 are undefined: bits come in from the source, then from the destination again.
            let (into, from) = count > bits ? (other, value) : (value, other)
            let turns = count > bits ? count - bits : count
            let result: T
            let carry: Bool
            if operation == .shld {
                result = turns == bits ? from : into << turns | from >> (bits - turns)
                carry = (into >> (bits - turns)) & 1 != 0
            } else {
                result = turns == bits ? from : into >> turns | from << (bits - turns)
                carry = (into >> (turns - 1)) & 1 != 0
            }
            flags = LazyFlags(result, carry: carry, overflow: (result ^ value) >> (bits - 1) != 0)
            return result
        }
    }

    @inline(__always)
    private func move<T: Operand>(_ type: T.Type, _ operation: IntegerOperation, _ op: MicroOp) -> Outcome {
        switch operation {
        case .mov:
            guard let value = source(type, op) else { return .fault }
            if op.attributes.writesRegister {
                setRegister(op.a, value)
                return .next
            }
            return writeRM(op, value) ? .next : .fault
        case .movImmediate:
            setRegister(op.b, T(truncatingIfNeeded: T.bitWidth == 64 ? op.immediate64 : op.operand))
            return .next
        default:
            let bytes = UInt64(MemoryLayout<T>.size)
            let writes = operation == .movToOffset
            let offset = op.immediate64 & op.attributes.addressWidth.mask
            let place =
                op.segment.isFlat ? offset : segmentedAddress(op, offset: offset, count: bytes, writes: writes)
            guard let place else { return .fault }
            if writes { return store(register(type, 0), at: place) ? .next : .fault }
            guard let value = load(type, at: place) else { return .fault }
            setRegister(0, value)
            return .next
        }
    }

    /// XCHG is locked whether it says so or not (Intel SDM Vol 2B "XCHG").
    @inline(__always)
    private func exchange<T: Operand>(_ type: T.Type, _ operation: IntegerOperation, _ op: MicroOp) -> Outcome {
        let given = register(type, op.a)
        let accumulator = register(type, 0)
        let locked = op.attributes.isLocked || operation == .xchg
        var old: T
        if op.attributes.isMemory {
            let found = updateMemory(type, op, locked: locked) {
                switch operation {
                case .xchg: given
                case .xadd: $0 &+ given
                default: $0 == accumulator ? given : $0
                }
            }
            guard let found else { return .fault }
            old = found
        } else {
            old = register(type, op.b)
        }
        switch operation {
        case .xchg:
            setRegister(op.a, old)
            if !op.attributes.isMemory { setRegister(op.b, given) }
        case .xadd:
            setRegister(op.a, old)
            if !op.attributes.isMemory { setRegister(op.b, old &+ given) }
            state.pointee.lazyFlags = LazyFlags(sum: old &+ given, old, given)
        default:
            state.pointee.lazyFlags = LazyFlags(difference: accumulator &- old, accumulator, old)
            if accumulator == old {
                if !op.attributes.isMemory { setRegister(op.b, given) }
            } else {
                setRegister(0, old)
            }
        }
        return .next
    }

    @inline(__always)
    private func extend<T: Operand>(_ type: T.Type, _ operation: IntegerOperation, _ op: MicroOp) -> Outcome {
        let value: UInt64?
        switch operation {
        case .movzxByte: value = readRM(UInt8.self, op).map(UInt64.init)
        case .movzxWord: value = readRM(UInt16.self, op).map(UInt64.init)
        case .movsxByte: value = readRM(UInt8.self, op).map(LazyFlags.extended)
        case .movsxWord: value = readRM(UInt16.self, op).map(LazyFlags.extended)
        default: value = readRM(UInt32.self, op).map(LazyFlags.extended)
        }
        guard let value else { return .fault }
        setRegister(op.a, T(truncatingIfNeeded: value))
        return .next
    }

    @inline(__always)
    private func swapBytes<T: Operand>(_ type: T.Type, _ operation: IntegerOperation, _ op: MicroOp) -> Outcome {
        if operation == .bswap {
            // Of a 16-bit register the result is undefined; processors make it zero.
            setRegister(op.b, T.bitWidth == 16 ? 0 : register(type, op.b).byteSwapped)
            return .next
        }
        if !op.attributes.writesRegister { return writeRM(op, register(type, op.a).byteSwapped) ? .next : .fault }
        guard let value = readRM(type, op) else { return .fault }
        setRegister(op.a, value.byteSwapped)
        return .next
    }

    /// The condition that the opcode's low four bits name (Intel SDM Vol 1 appendix B).
    func condition(_ op: MicroOp) -> Bool { state.pointee.lazyFlags.satisfies(op.attributes.opcode & 15) }
}

extension LazyFlags {
    /// Whether condition `code`, 0 to 15, holds.
    @inline(__always)
    func satisfies(_ code: UInt8) -> Bool {
        let holds =
            switch code >> 1 {
            case 0: overflow
            case 1: carry
            case 2: zero
            case 3: carry || zero
            case 4: sign
            case 5: parity
            case 6: sign != overflow
            default: zero || sign != overflow
            }
        return holds != (code & 1 != 0)
    }
}

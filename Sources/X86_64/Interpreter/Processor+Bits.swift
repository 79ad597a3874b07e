// SPDX-License-Identifier: Apache-2.0

/// Bit tests, scans, counts, CRC32, BMI and ADX (Intel SDM Vol 2A, 2B).
extension Processor {
    /// BT, BTS, BTR, BTC. A register as bit offset reaches the whole bit string around a memory operand.
    @inline(__always)
    func bitTest<T: Operand>(_ type: T.Type, _ operation: IntegerOperation, _ op: MicroOp) -> Outcome {
        let isImmediate = op.attributes.source == .immediate
        let offset = isImmediate ? T(truncatingIfNeeded: op.immediate) : register(type, op.a)
        let mask = T(1) << (offset & T(truncatingIfNeeded: T.bitWidth - 1))
        let old: T
        if op.attributes.isMemory {
            let bytes = UInt64(MemoryLayout<T>.size)
            // The operand that has the bit: signed, in units of the operand size.
            let word = Int64(bitPattern: LazyFlags.extended(offset)) >> Int64(T.bitWidth.trailingZeroBitCount)
            let distance = isImmediate ? 0 : UInt64(bitPattern: word &* Int64(bytes))
            let effective = state.effectiveOffset(op) &+ distance
            let place =
                op.segment.isFlat
                ? effective : segmentedAddress(op, offset: effective, count: bytes, writes: operation != .bt)
            guard let place else { return .fault }
            let stack = op.segment.isStack
            let found =
                operation == .bt
                ? load(type, at: place, stack: stack)
                : updateMemory(type, at: place, stack: stack, locked: op.attributes.isLocked) {
                    operation.change($0, mask)
                }
            guard let found else { return .fault }
            old = found
        } else {
            old = register(type, op.b)
            if operation != .bt { setRegister(op.b, operation.change(old, mask)) }
        }
        let flags = state.pointee.lazyFlags
        state.pointee.lazyFlags.set(carry: old & mask != 0, overflow: flags.overflow)
        return .next
    }

    @inline(__always)
    func scan<T: Operand>(_ type: T.Type, _ operation: IntegerOperation, _ op: MicroOp) -> Outcome {
        guard let value = readRM(type, op) else { return .fault }
        switch operation {
        case .bsf, .bsr:
            // Of zero the destination keeps its value, as all processors have it.
            state.pointee.lazyFlags = LazyFlags(logic: value)
            guard value != 0 else { return .next }
            let index = operation == .bsf ? value.trailingZeroBitCount : T.bitWidth - 1 - value.leadingZeroBitCount
            setRegister(op.a, T(truncatingIfNeeded: index))
        case .popcnt:
            setRegister(op.a, T(truncatingIfNeeded: value.nonzeroBitCount))
            // ZF is the source's; all else is clear, PF too: a result of odd parity.
            state.pointee.lazyFlags = LazyFlags(result: value == 0 ? 0 : 1, carries: value == 0 ? 1 << 8 : 0)
        default:
            let count = operation == .tzcnt ? value.trailingZeroBitCount : value.leadingZeroBitCount
            let result = T(truncatingIfNeeded: count)
            setRegister(op.a, result)
            state.pointee.lazyFlags = LazyFlags(result, carry: value == 0, overflow: false)
        }
        return .next
    }

    /// CRC32 over the Castagnoli polynomial 11EDC6F41H, bits reflected (Intel SDM Vol 2A "CRC32").
    @inline(__always)
    func checksum<T: Operand>(_ type: T.Type, _ op: MicroOp) -> Outcome {
        // The destination's width is REX.W's; the source's that of the opcode.
        if op.attributes.opcode == 0xf0 {
            guard let value = readRM(UInt8.self, op) else { return .fault }
            state.setR64(op.a, Self.crc(state.r32(op.a), UInt64(value), bits: 8))
        } else {
            guard let value = readRM(type, op) else { return .fault }
            state.setR64(op.a, Self.crc(state.r32(op.a), UInt64(truncatingIfNeeded: value), bits: T.bitWidth))
        }
        return .next
    }

    private static func crc(_ before: UInt32, _ value: UInt64, bits: Int) -> UInt64 {
        var crc = UInt64(before) ^ value
        var rest = UInt64(0)
        if bits < 32 {
            rest = crc >> UInt64(bits)
            crc &= (1 << UInt64(bits)) - 1
        }
        for _ in 0..<bits { crc = crc >> 1 ^ (crc & 1 != 0 ? 0x82f6_3b78 : 0) }
        return crc ^ rest
    }

    /// BMI1, BMI2 and ADX.
    @inline(__always)
    func manipulate<T: Operand>(_ type: T.Type, _ operation: IntegerOperation, _ op: MicroOp) -> Outcome {
        // VEX has no meaning in real and virtual-8086 mode (Intel SDM Vol 2A §2.8).
        if op.attributes.isVEX, !isProtected { return raise(.invalidOpcode) }
        guard let value = readRM(type, op) else { return .fault }
        let other = register(type, op.attributes.vvvv)
        let bits = T.bitWidth
        let count = Int(truncatingIfNeeded: other) & (bits - 1)
        switch operation {
        case .andn:
            setRegister(op.a, ~other & value)
            state.pointee.lazyFlags = LazyFlags(logic: ~other & value)
        case .bextr:
            let start = Int(truncatingIfNeeded: other & 0xff)
            let length = Int(truncatingIfNeeded: other >> 8 & 0xff)
            let shifted = start >= bits ? 0 : value >> start
            let result = length >= bits ? shifted : shifted & ((1 << length) &- 1)
            setRegister(op.a, result)
            state.pointee.lazyFlags = LazyFlags(logic: result)
        case .blsr:
            setRegister(op.attributes.vvvv, value & (value &- 1))
            state.pointee.lazyFlags = LazyFlags(value & (value &- 1), carry: value == 0, overflow: false)
        case .blsmsk:
            setRegister(op.attributes.vvvv, value ^ (value &- 1))
            state.pointee.lazyFlags = LazyFlags(value ^ (value &- 1), carry: value == 0, overflow: false)
        case .blsi:
            setRegister(op.attributes.vvvv, value & (0 &- value))
            state.pointee.lazyFlags = LazyFlags(value & (0 &- value), carry: value != 0, overflow: false)
        case .bzhi:
            let index = Int(truncatingIfNeeded: other & 0xff)
            let result = index >= bits ? value : value & ((1 << index) &- 1)
            setRegister(op.a, result)
            state.pointee.lazyFlags = LazyFlags(result, carry: index >= bits, overflow: false)
        case .mulx:
            let product = register(type, 2).multipliedFullWidth(by: value)
            // The lower half first: with one destination for both, it is the upper half that stays.
            setRegister(op.attributes.vvvv, T(truncatingIfNeeded: product.low))
            setRegister(op.a, product.high)
        case .pdep: setRegister(op.a, Self.deposit(other, value))
        case .pext: setRegister(op.a, Self.extract(other, value))
        case .rorx:
            let turns = Int(op.immediate) & (bits - 1)
            setRegister(op.a, turns == 0 ? value : value >> turns | value << (bits - turns))
        case .sarx:
            let wide = Int64(bitPattern: LazyFlags.extended(value))
            setRegister(op.a, T(truncatingIfNeeded: wide >> Int64(count)))
        case .shlx: setRegister(op.a, value << count)
        case .shrx: setRegister(op.a, value >> count)
        default: addWithOneFlag(value, operation, op)
        }
        return .next
    }

    /// ADCX adds with CF alone, ADOX with OF alone.
    @inline(__always)
    private func addWithOneFlag<T: Operand>(_ value: T, _ operation: IntegerOperation, _ op: MicroOp) {
        let flags = state.pointee.lazyFlags
        let usesCarry = operation == .adcx
        let (sum, first) = register(T.self, op.a).addingReportingOverflow(value)
        let (result, second) = sum.addingReportingOverflow((usesCarry ? flags.carry : flags.overflow) ? 1 : 0)
        setRegister(op.a, result)
        let out = first || second
        state.pointee.lazyFlags.set(
            carry: usesCarry ? out : flags.carry, overflow: usesCarry ? flags.overflow : out)
    }

    private static func deposit<T: Operand>(_ value: T, _ mask: T) -> T {
        var (rest, source, result) = (mask, value, T(0))
        while rest != 0 {
            let lowest = rest & (0 &- rest)
            if source & 1 != 0 { result |= lowest }
            source >>= 1
            rest &= rest &- 1
        }
        return result
    }

    private static func extract<T: Operand>(_ value: T, _ mask: T) -> T {
        var (rest, result, bit) = (mask, T(0), T(1))
        while rest != 0 {
            let lowest = rest & (0 &- rest)
            if value & lowest != 0 { result |= bit }
            bit <<= 1
            rest &= rest &- 1
        }
        return result
    }

    /// Protected mode and not virtual-8086 mode.
    var isProtected: Bool {
        state.pointee.cr0 & CR0.pe != 0 && state.pointee.systemFlags & RFlags.virtual8086 == 0
    }
}

extension IntegerOperation {
    /// What a bit test makes of the bit.
    @inline(__always)
    func change<T: Operand>(_ value: T, _ mask: T) -> T {
        switch self {
        case .bts: value | mask
        case .btr: value & ~mask
        default: value ^ mask
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import SoftFloat

extension Processor {
    /// Instructions on the control, status and tag words. Most of them do not wait for a pending exception.
    @inline(never)
    func executeX87Control(_ op: MicroOp, _ operation: X87Operation) -> Outcome {
        if !operation.doesNotWait, state.pointee.x87Status & 0x80 != 0, !raisePendingX87() { return .fault }
        switch operation {
        case .initialize: initializeX87()
        case .clearExceptions: state.pointee.x87Status &= 0x7f00
        case .storeControl:
            return store(LanePair(Lane(low: UInt64(state.pointee.x87Control))), op, bytes: 2) ? .next : .fault
        case .storeStatus:
            return store(LanePair(Lane(low: UInt64(state.pointee.x87Status))), op, bytes: 2) ? .next : .fault
        case .storeStatusToAX: state.setR16(0, state.pointee.x87Status)
        case .loadControl:
            guard let value = loadOperand(op, UInt16.self) else { return .fault }
            setX87Control(value)
        case .storeEnvironment:
            guard let address = environmentAddress(op, registers: false, writes: true),
                storeEnvironment(op, address)
            else { return .fault }
            state.pointee.x87Control |= 0x3f
            updateX87Summary()
        case .save:
            guard let address = environmentAddress(op, registers: true, writes: true),
                storeEnvironment(op, address), storeRegisters(op, address)
            else { return .fault }
            initializeX87()
        case .loadEnvironment:
            guard let address = environmentAddress(op, registers: false, writes: false),
                let environment = loadEnvironment(op, address)
            else { return .fault }
            apply(environment)
        case .restore:
            guard let address = environmentAddress(op, registers: true, writes: false),
                let environment = loadEnvironment(op, address), let registers = loadRegisters(op, address)
            else { return .fault }
            apply(environment)
            for index in 0..<8 {
                let physical = x87Physical(UInt8(index))
                state.pointee.x87Significands[physical] = registers[index].significand
                state.pointee.x87Exponents[physical] = registers[index].signExponent
            }
        default: break
        }
        return .next
    }

    /// FNINIT. The registers keep what they hold.
    func initializeX87() {
        setX87Control(0x37f)
        state.pointee.x87Status = 0
        state.pointee.x87Tags = 0
        state.pointee.x87Opcode = 0
        state.pointee.x87Instruction = 0
        state.pointee.x87Operand = 0
        state.pointee.x87InstructionSelector = 0
        state.pointee.x87OperandSelector = 0
    }

    /// Loads the control word: bit 6 is always set, and those without a meaning are clear.
    func setX87Control(_ value: UInt16) {
        state.pointee.x87Control = value & 0x1f3f | 0x40
        updateX87Summary()
    }

    /// The tag word, two bits a physical register: valid, zero, special, empty (Intel SDM Vol 1 §8.1.7).
    var x87TagWord: UInt16 {
        var word: UInt16 = 0
        for physical in 0..<8 {
            let value = Extended80(
                significand: state.pointee.x87Significands[physical],
                signExponent: state.pointee.x87Exponents[physical])
            let tag: UInt16
            if state.pointee.x87Tags >> UInt16(physical) & 1 == 0 {
                tag = 3
            } else if value.isZero {
                tag = 1
            } else {
                tag = value.exponentField == 0x7fff || value.significand >> 63 == 0 || value.exponentField == 0 ? 2 : 0
            }
            word |= tag << UInt16(2 * physical)
        }
        return word
    }

    // MARK: Environments in memory (Intel SDM Vol 1 §8.1.10)

    /// What FLDENV loads.
    struct X87SavedEnvironment {
        var words: [UInt32]
        var isShort: Bool
    }

    private func bytesOfEnvironment(_ op: MicroOp) -> UInt64 { op.attributes.width == .word ? 14 : 28 }

    private func environmentAddress(_ op: MicroOp, registers: Bool, writes: Bool) -> UInt64? {
        let bytes = bytesOfEnvironment(op) + (registers ? 80 : 0)
        guard let address = address(op, count: bytes, writes: writes) else { return nil }
        if writes, !isWritable(address, bytes: bytes, stack: op.segment.isStack) { return nil }
        return address
    }

    /// Whether pointers are saved as in real mode.
    private var savesRealPointers: Bool {
        state.pointee.cr0 & CR0.pe == 0 || state.pointee.systemFlags & RFlags.virtual8086 != 0
    }

    /// The seven fields of the environment, in the layout of the mode.
    private func environmentWords(short: Bool) -> [UInt32] {
        let instruction = UInt32(truncatingIfNeeded: state.pointee.x87Instruction)
        let operand = UInt32(truncatingIfNeeded: state.pointee.x87Operand)
        let opcode = UInt32(state.pointee.x87Opcode & 0x7ff)
        let code = UInt32(state.pointee.x87InstructionSelector)
        let data = UInt32(state.pointee.x87OperandSelector)
        let status = [UInt32(state.pointee.x87Control), UInt32(state.pointee.x87Status), UInt32(x87TagWord)]
        let upper: UInt32 = short ? 0 : 0xffff_0000
        if savesRealPointers {
            let first = instruction &+ code << 4
            let second = operand &+ data << 4
            // The 16-bit layout has four bits above the offset, the 32-bit one sixteen.
            let kept: UInt32 = short ? 0xf : 0xffff
            return status.map { $0 | upper } + [
                first & 0xffff | upper, (first >> 16 & kept) << 12 | opcode, second & 0xffff | upper,
                (second >> 16 & kept) << 12,
            ]
        }
        if short { return status + [instruction, code, operand, data] }
        return status.map { $0 | upper } + [instruction, code | opcode << 16, operand, data | upper]
    }

    private func storeEnvironment(_ op: MicroOp, _ address: UInt64) -> Bool {
        let short = op.attributes.width == .word
        for (index, word) in environmentWords(short: short).enumerated() {
            let place = wrapped(address &+ UInt64(index * (short ? 2 : 4)))
            guard store(LanePair(Lane(low: UInt64(word))), at: place, bytes: short ? 2 : 4, stack: op.segment.isStack)
            else { return false }
        }
        return true
    }

    private func storeRegisters(_ op: MicroOp, _ address: UInt64) -> Bool {
        for index in 0..<UInt8(8) {
            let place = wrapped(address &+ bytesOfEnvironment(op) &+ UInt64(index) * 10)
            let value = x87(index)
            guard store(value.significand, at: place, stack: op.segment.isStack),
                store(value.signExponent, at: wrapped(place &+ 8), stack: op.segment.isStack)
            else { return false }
        }
        return true
    }

    private func loadEnvironment(_ op: MicroOp, _ address: UInt64) -> X87SavedEnvironment? {
        let short = op.attributes.width == .word
        var words: [UInt32] = []
        for index in 0..<7 {
            let place = wrapped(address &+ UInt64(index * (short ? 2 : 4)))
            guard let word = load(pair: place, bytes: short ? 2 : 4, stack: op.segment.isStack) else { return nil }
            words.append(UInt32(truncatingIfNeeded: word.lower.low))
        }
        return X87SavedEnvironment(words: words, isShort: short)
    }

    private func loadRegisters(_ op: MicroOp, _ address: UInt64) -> [Extended80]? {
        var registers: [Extended80] = []
        for index in 0..<8 {
            let place = wrapped(address &+ bytesOfEnvironment(op) &+ UInt64(index * 10))
            guard let low = load(UInt64.self, at: place, stack: op.segment.isStack),
                let high = load(UInt16.self, at: wrapped(place &+ 8), stack: op.segment.isStack)
            else { return nil }
            registers.append(Extended80(significand: low, signExponent: high))
        }
        return registers
    }

    private func apply(_ environment: X87SavedEnvironment) {
        let words = environment.words
        state.pointee.x87Status = UInt16(truncatingIfNeeded: words[1])
        var tags: UInt16 = 0
        for physical in 0..<UInt32(8) where words[2] >> (2 * physical) & 3 != 3 { tags |= 1 << UInt16(physical) }
        state.pointee.x87Tags = tags
        setX87Control(UInt16(truncatingIfNeeded: words[0]))
        if savesRealPointers {
            let kept: UInt32 = environment.isShort ? 0xf : 0xffff
            state.pointee.x87Instruction = UInt64(words[3] & 0xffff | (words[4] >> 12 & kept) << 16)
            state.pointee.x87Operand = UInt64(words[5] & 0xffff | (words[6] >> 12 & kept) << 16)
            state.pointee.x87Opcode = UInt16(truncatingIfNeeded: words[4]) & 0x7ff
            state.pointee.x87InstructionSelector = 0
            state.pointee.x87OperandSelector = 0
        } else {
            state.pointee.x87Instruction = UInt64(words[3])
            state.pointee.x87InstructionSelector = UInt16(truncatingIfNeeded: words[4])
            state.pointee.x87Operand = UInt64(words[5])
            state.pointee.x87OperandSelector = UInt16(truncatingIfNeeded: words[6])
            if !environment.isShort { state.pointee.x87Opcode = UInt16(truncatingIfNeeded: words[4] >> 16) & 0x7ff }
        }
    }
}

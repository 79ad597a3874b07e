// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Synchronization

/// Integer instructions whose operands are implied: what is left of the room.
extension Processor {
    @inline(never)
    func executeOther(_ operation: IntegerOperation, _ op: MicroOp) -> Outcome {
        switch operation {
        case .push, .pushImmediate, .pop, .pusha, .popa, .enter, .leave: return executeStack(operation, op)
        case .jmp, .jmpIndirect, .call, .callIndirect, .ret, .jcc, .jrcxz, .loop, .loope, .loopne:
            return executeBranch(operation, op)
        case .pushf: return pushFlags(op)
        case .popf: return popFlags(op)
        case .cmpxchgPair: return exchangePair(op)
        case .aaa, .aas, .aam, .aad, .daa, .das: return adjustDecimal(operation, op)
        case .cbw, .cwd: extendAccumulator(operation, op.attributes.width)
        case .lahf, .sahf, .clc, .stc, .cmc, .cld, .std, .salc: return executeFlag(operation)
        case .xlat: return translateByte(op)
        case .bound: return checkBounds(op)
        case .nop, .fence: break
        case .cacheLine:
            // The line's address is translated as a load's, and that is all: caches are coherent here.
            guard readRM(UInt8.self, op) != nil else { return .fault }
        case .pause:
            spins += 1
            guard spins >= 32 else { return .next }
            spins = 0
            return leave(.yield, op)
        case .rdrand, .rdseed:
            setRegister(op.attributes.width, op.b, door.random())
            state.pointee.lazyFlags = LazyFlags(RFlags.carry)
        default: return raise(.invalidOpcode)
        }
        return .next
    }

    private func extendAccumulator(_ operation: IntegerOperation, _ width: OperandWidth) {
        let value = state.r64(0)
        if operation == .cwd {
            let isNegative = value >> (width.bytes * 8 - 1) & 1 != 0
            setRegister(width, 2, isNegative ? .max : 0)
            return
        }
        switch width.bits {
        case 1: setRegister(width, 0, LazyFlags.extended(UInt8(truncatingIfNeeded: value)))
        case 2: setRegister(width, 0, LazyFlags.extended(UInt16(truncatingIfNeeded: value)))
        default: setRegister(width, 0, LazyFlags.extended(UInt32(truncatingIfNeeded: value)))
        }
    }

    private func executeFlag(_ operation: IntegerOperation) -> Outcome {
        let flags = state.pointee.lazyFlags
        switch operation {
        case .lahf: state.setR8(1, UInt8(truncatingIfNeeded: flags.bits & 0xd5 | RFlags.fixed))
        case .sahf:
            state.pointee.lazyFlags = LazyFlags(UInt64(state.r8(1)) & 0xd5 | flags.bits & RFlags.overflow)
        case .clc: state.pointee.lazyFlags.set(carry: false, overflow: flags.overflow)
        case .stc: state.pointee.lazyFlags.set(carry: true, overflow: flags.overflow)
        case .cmc: state.pointee.lazyFlags.set(carry: !flags.carry, overflow: flags.overflow)
        case .cld: state.pointee.systemFlags &= ~RFlags.direction
        case .std: state.pointee.systemFlags |= RFlags.direction
        default: state.setR8(0, flags.carry ? 0xff : 0)
        }
        return .next
    }

    private func translateByte(_ op: MicroOp) -> Outcome {
        let offset = (state.r64(3) &+ UInt64(state.r8(0))) & op.attributes.addressWidth.mask
        let place = op.segment.segment ?? .ds
        guard let value = load(UInt8.self, place, offset) else { return .fault }
        state.setR8(0, value)
        return .next
    }

    // Intel SDM Vol 2A "BOUND": both limits are signed, and the upper one is included.
    private func checkBounds(_ op: MicroOp) -> Outcome {
        let width = op.attributes.width
        guard let place = address(op, count: width.bytes * 2),
            let lower = load(width, at: place, stack: op.segment.isStack),
            let upper = load(width, at: wrapped(place &+ width.bytes), stack: op.segment.isStack)
        else { return .fault }
        func signed(_ value: UInt64) -> Int32 {
            width == .word ? Int32(Int16(truncatingIfNeeded: value)) : Int32(truncatingIfNeeded: value)
        }
        let index = signed(state.r64(op.a))
        return index < signed(lower) || index > signed(upper) ? raise(Fault(.boundRange)) : .next
    }

    // MARK: Flags on the stack (Intel SDM Vol 2B "PUSHF", "POPF")

    private func pushFlags(_ op: MicroOp) -> Outcome {
        guard !isVirtual8086 || ioPrivilege == 3 else { return pushVirtualFlags(op) }
        return push(state.pointee.rflags & ~(RFlags.virtual8086 | RFlags.resume), op.attributes.width)
            ? .next : .fault
    }

    private func popFlags(_ op: MicroOp) -> Outcome {
        guard !isVirtual8086 || ioPrivilege == 3 else { return popVirtualFlags(op) }
        guard let value = pop(op.attributes.width) else { return .fault }
        return setFlags(value, width: op.attributes.width, op)
    }

    /// What POPF and IRET may change of RFLAGS at the current privilege level.
    func writableFlags(_ width: OperandWidth) -> UInt64 {
        var mask =
            RFlags.arithmetic | RFlags.trap | RFlags.direction | RFlags.nestedTask | RFlags.alignmentCheck
            | RFlags.identification
        if state.pointee.privilege == 0 { mask |= RFlags.ioPrivilege }
        if state.pointee.privilege <= UInt64(ioPrivilege) { mask |= RFlags.interrupt }
        return width == .word ? mask & 0xffff : mask
    }

    private func setFlags(_ value: UInt64, width: OperandWidth, _ op: MicroOp) -> Outcome {
        let mask = writableFlags(width)
        let before = state.pointee.rflags
        let after = before & ~mask & ~RFlags.resume | value & mask
        state.pointee.rflags = after
        let changed = (before ^ after) & (RFlags.interrupt | RFlags.trap | RFlags.alignmentCheck)
        guard changed != 0 else { return .next }
        if changed & RFlags.alignmentCheck != 0 { contextChanged() }
        return advance(op, .look)
    }

    var isVirtual8086: Bool { state.pointee.systemFlags & RFlags.virtual8086 != 0 }

    /// IOPL.
    var ioPrivilege: UInt8 { UInt8(truncatingIfNeeded: state.pointee.systemFlags >> 12 & 3) }

    /// In virtual-8086 mode below IOPL 3 the interrupt flag is a virtual one, or the monitor's business
    /// (Intel SDM Vol 3B §21.3.3.4, §21.3).
    private func pushVirtualFlags(_ op: MicroOp) -> Outcome {
        guard state.pointee.cr4 & CR4.vme != 0, op.attributes.width == .word else { return raise(.generalProtection) }
        var value = state.pointee.rflags & ~RFlags.interrupt | RFlags.ioPrivilege
        if value & RFlags.virtualInterrupt != 0 { value |= RFlags.interrupt }
        return push(value, .word) ? .next : .fault
    }

    private func popVirtualFlags(_ op: MicroOp) -> Outcome {
        guard state.pointee.cr4 & CR4.vme != 0, op.attributes.width == .word else { return raise(.generalProtection) }
        let before = state.r64(4)
        guard let value = pop(.word) else { return .fault }
        let isPending = state.pointee.systemFlags & RFlags.virtualInterruptPending != 0
        guard value & RFlags.trap == 0, !(isPending && value & RFlags.interrupt != 0) else {
            state.setR64(4, before)
            return raise(.generalProtection)
        }
        let mask = RFlags.arithmetic | RFlags.direction | RFlags.nestedTask | RFlags.trap
        var flags = state.pointee.rflags & ~mask & ~RFlags.virtualInterrupt | value & mask
        if value & RFlags.interrupt != 0 { flags |= RFlags.virtualInterrupt }
        state.pointee.rflags = flags
        return .next
    }

    // MARK: CMPXCHG8B, CMPXCHG16B (Intel SDM Vol 2A)

    private func exchangePair(_ op: MicroOp) -> Outcome {
        guard op.attributes.w else { return exchangePair32(op) }
        guard let place = address(op, count: 16, writes: true) else { return .fault }
        guard place & 15 == 0 else { return raise(.generalProtection) }
        let expected = WordPair(first: UInt(state.r64(0)), second: UInt(state.r64(2)))
        let desired = WordPair(first: UInt(state.r64(3)), second: UInt(state.r64(1)))
        guard
            let (old, exchanged) = compareExchangePair(
                at: place, stack: op.segment.isStack, expected: expected, desired: desired)
        else { return .fault }
        setZero(exchanged)
        if !exchanged {
            state.setR64(0, UInt64(old.first))
            state.setR64(2, UInt64(old.second))
        }
        return .next
    }

    private func exchangePair32(_ op: MicroOp) -> Outcome {
        let expected = UInt64(state.r32(2)) << 32 | UInt64(state.r32(0))
        let desired = UInt64(state.r32(1)) << 32 | UInt64(state.r32(3))
        let old = updateMemory(UInt64.self, op, locked: op.attributes.isLocked) { $0 == expected ? desired : $0 }
        guard let old else { return .fault }
        setZero(old == expected)
        if old != expected {
            state.setR32(0, UInt32(truncatingIfNeeded: old))
            state.setR32(2, UInt32(truncatingIfNeeded: old >> 32))
        }
        return .next
    }

    /// Changes ZF alone.
    func setZero(_ zero: Bool) {
        let bits = state.pointee.lazyFlags.bits & ~RFlags.zero
        state.pointee.lazyFlags = LazyFlags(zero ? bits | RFlags.zero : bits)
    }

    // MARK: Decimal adjustment (Intel SDM Vol 2A "AAA" to "AAS", "DAA", "DAS")

    private func adjustDecimal(_ operation: IntegerOperation, _ op: MicroOp) -> Outcome {
        let (low, high) = (state.r8(0), state.r8(1))
        let flags = state.pointee.lazyFlags
        let hadAuxiliary = flags.carries & 8 != 0
        let adjusts = low & 15 > 9 || hadAuxiliary
        switch operation {
        case .aaa, .aas:
            if adjusts {
                let whole = state.r16(0)
                state.setR16(0, operation == .aaa ? whole &+ 0x106 : whole &- 0x106)
            }
            let digit = state.r8(0) & 15
            state.setR8(0, digit)
            state.pointee.lazyFlags = LazyFlags(digit, carry: adjusts, overflow: false, auxiliary: adjusts)
        case .aam:
            let radix = UInt8(truncatingIfNeeded: op.immediate)
            guard radix != 0 else { return raise(Fault(.divideError)) }
            state.setR8(1, low / radix)
            state.setR8(0, low % radix)
            state.pointee.lazyFlags = LazyFlags(logic: low % radix)
        case .aad:
            let value = low &+ high &* UInt8(truncatingIfNeeded: op.immediate)
            state.setR16(0, UInt16(value))
            state.pointee.lazyFlags = LazyFlags(logic: value)
        default:
            let upper = low > 0x99 || flags.carry
            var value = low
            var carry = false
            if adjusts {
                // A borrow out of the lower digit's correction is a carry of DAS as well.
                carry = operation == .das ? flags.carry || low < 6 : flags.carry || low > 0xf9
                value = operation == .daa ? value &+ 6 : value &- 6
            }
            if upper {
                value = operation == .daa ? value &+ 0x60 : value &- 0x60
                carry = true
            }
            state.setR8(0, value)
            state.pointee.lazyFlags = LazyFlags(value, carry: carry, overflow: false, auxiliary: adjusts)
        }
        return .next
    }
}

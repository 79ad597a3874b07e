// SPDX-License-Identifier: Apache-2.0

/// Integer operands of outlined instructions, whatever their form.
extension Processor {
    /// A register of the operand's width; a byte register by its place.
    @inline(__always)
    func register<T: Operand>(_ type: T.Type, _ number: UInt8) -> T {
        MemoryLayout<T>.size == 1
            ? T(truncatingIfNeeded: state.r8(number)) : T(truncatingIfNeeded: state.r64(number))
    }

    /// Writes a register as x86 does: 32 bits clear the upper half, 16 and 8 leave the rest.
    @inline(__always)
    func setRegister<T: Operand>(_ number: UInt8, _ value: T) {
        switch MemoryLayout<T>.size {
        case 1: state.setR8(number, UInt8(truncatingIfNeeded: value))
        case 2: state.setR16(number, UInt16(truncatingIfNeeded: value))
        case 4: state.setR32(number, UInt32(truncatingIfNeeded: value))
        default: state.setR64(number, UInt64(truncatingIfNeeded: value))
        }
    }

    /// Writes a register of a width known only at run time; not of a byte.
    func setRegister(_ width: OperandWidth, _ number: UInt8, _ value: UInt64) {
        switch width.bits {
        case 1: state.setR16(number, UInt16(truncatingIfNeeded: value))
        case 2: state.setR32(number, UInt32(truncatingIfNeeded: value))
        default: state.setR64(number, value)
        }
    }

    /// What ModRM.rm names; nil: a fault was raised.
    @inline(__always)
    func readRM<T: Operand>(_ type: T.Type, _ op: MicroOp) -> T? {
        guard op.attributes.isMemory else { return register(type, op.b) }
        guard let address = address(op, count: UInt64(MemoryLayout<T>.size)) else { return nil }
        return load(type, at: address, stack: op.segment.isStack)
    }

    /// Writes what ModRM.rm names; false: a fault was raised.
    @inline(__always)
    func writeRM<T: Operand>(_ op: MicroOp, _ value: T) -> Bool {
        guard op.attributes.isMemory else {
            setRegister(op.b, value)
            return true
        }
        guard let address = address(op, count: UInt64(MemoryLayout<T>.size), writes: true) else { return false }
        return store(value, at: address, stack: op.segment.isStack)
    }

    /// The last source: the immediate, CL, or the operand that is not the destination.
    @inline(__always)
    func source<T: Operand>(_ type: T.Type, _ op: MicroOp) -> T? {
        switch op.attributes.source {
        case .immediate: T(truncatingIfNeeded: op.immediate)
        case .cl: T(truncatingIfNeeded: state.r8(8))
        case .operand: op.attributes.writesRegister ? readRM(type, op) : register(type, op.a)
        }
    }

    /// Replaces the memory operand by what `body` makes of it, in one atomic step if the instruction is locked. What was
    /// there before, or nil when a fault was raised; nothing has changed then. `body` may be called more than once.
    @inline(__always)
    func updateMemory<T: Operand>(_ type: T.Type, _ op: MicroOp, locked: Bool, _ body: (T) -> T) -> T? {
        guard let address = address(op, count: UInt64(MemoryLayout<T>.size), writes: true) else { return nil }
        return updateMemory(type, at: address, stack: op.segment.isStack, locked: locked, body)
    }

    @inline(__always)
    func updateMemory<T: Operand>(
        _ type: T.Type, at address: UInt64, stack: Bool, locked: Bool, _ body: (T) -> T
    ) -> T? {
        if locked { return updateLocked(type, at: address, stack: stack, body) }
        guard let old = loadForUpdate(type, at: address, stack: stack) else { return nil }
        return store(body(old), at: address, stack: stack) ? old : nil
    }

    /// Replaces the destination, ModRM.rm's register or memory, and sets the flags that `body` leaves.
    @inline(__always)
    func updateRM<T: Operand>(_ type: T.Type, _ op: MicroOp, _ body: (T, inout LazyFlags) -> T) -> Outcome {
        let before = state.pointee.lazyFlags
        var flags = before
        if !op.attributes.isMemory {
            setRegister(op.b, body(register(type, op.b), &flags))
        } else {
            let old = updateMemory(type, op, locked: op.attributes.isLocked) {
                flags = before
                return body($0, &flags)
            }
            guard old != nil else { return .fault }
        }
        state.pointee.lazyFlags = flags
        return .next
    }
}

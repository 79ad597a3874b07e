// SPDX-License-Identifier: Apache-2.0

import CGuestAtomics
import MachineCore
import VMMemory

extension Frame {
    /// A register of the operand's width; a byte register by its place.
    @inline(__always)
    func register<T: Operand>(_ type: T.Type, _ number: UInt8) -> T {
        MemoryLayout<T>.size == 1
            ? T(truncatingIfNeeded: state.r8(number)) : T(truncatingIfNeeded: state.r64(number))
    }

    /// Writes a register as x86 does: 32 bits clear the upper half, 16 and 8 leave the rest.
    @inline(__always)
    func set<T: Operand>(_ number: UInt8, _ value: T) {
        switch MemoryLayout<T>.size {
        case 1: state.setR8(number, UInt8(truncatingIfNeeded: value))
        case 2: state.setR16(number, UInt16(truncatingIfNeeded: value))
        default: state.setR64(number, UInt64(truncatingIfNeeded: value))
        }
    }

    /// Whether the condition that the opcode names holds.
    @inline(__always)
    func holds(_ op: MicroOp) -> Bool { state.pointee.lazyFlags.satisfies(op.attributes.opcode & 15) }

    /// Goes on at the micro-op that a linked branch leads to; true if somebody asks for something, which may wait no
    /// longer.
    @inline(__always)
    mutating func follow(_ op: MicroOp) -> Bool {
        self.op = self.op + Int(op.immediate)
        return state.hasRequests
    }
}

/// The shapes of instructions in the loop: the fast path inlined, the rest a call.
extension Processor {
    @inline(__always)
    func combine<T: Operand>(
        _ type: T.Type, _ operation: IntegerOperation, _ target: UInt8, _ right: T, _ frame: inout Frame
    ) {
        let left = frame.register(type, target)
        frame.set(target, operation.compute(left, right, frame.state.pointee.lazyFlags, &frame.state.pointee.lazyFlags))
    }

    @inline(__always)
    func compare<T: Operand>(
        _ type: T.Type, _ operation: IntegerOperation, _ left: T, _ right: T, _ frame: inout Frame
    ) {
        _ = operation.compute(left, right, frame.state.pointee.lazyFlags, &frame.state.pointee.lazyFlags)
    }

    @inline(__always)
    func step<T: Operand>(_ type: T.Type, _ operation: IntegerOperation, _ target: UInt8, _ frame: inout Frame) {
        let value = frame.register(type, target)
        let before = frame.state.pointee.lazyFlags
        let result = operation == .inc ? value &+ 1 : value &- 1
        let flags =
            operation == .inc ? LazyFlags(sum: result, value, 1) : LazyFlags(difference: result, value, 1)
        frame.state.pointee.lazyFlags = flags.keepingCarry(of: before)
        frame.set(target, result)
    }

    @inline(__always)
    func negate<T: Operand>(_ type: T.Type, _ target: UInt8, _ frame: inout Frame) {
        let value = frame.register(type, target)
        frame.state.pointee.lazyFlags = LazyFlags(difference: 0 &- value, 0, value)
        frame.set(target, 0 &- value)
    }

    @inline(__always)
    func shiftRegister<T: Operand>(
        _ type: T.Type, _ operation: IntegerOperation, _ op: MicroOp, _ frame: inout Frame
    ) {
        let count = Int(op.immediate) & (T.bitWidth - 1)
        let value = frame.register(type, op.b)
        frame.set(op.b, operation.shift(value, by: count, &frame.state.pointee.lazyFlags))
    }

    @inline(__always)
    func product<T: Operand>(_ type: T.Type, _ op: MicroOp, _ frame: inout Frame) {
        let left = Int64(bitPattern: LazyFlags.extended(frame.register(type, op.a)))
        let right = Int64(bitPattern: LazyFlags.extended(frame.register(type, op.b)))
        let (product, overflow) = left.multipliedReportingOverflow(by: right)
        let result = T(truncatingIfNeeded: product)
        let lost = overflow || Int64(bitPattern: LazyFlags.extended(result)) != product
        frame.set(op.a, result)
        frame.state.pointee.lazyFlags = LazyFlags(result, carry: lost, overflow: lost)
    }

    // MARK: Memory

    /// Loads the memory operand; nil: a fault was raised, the state written back.
    @inline(__always)
    func read<T: Operand>(_ type: T.Type, _ op: MicroOp, _ frame: Frame) -> T? {
        let offset = frame.state.effectiveOffset(op)
        // SAFETY: the soft TLB's answer is guest RAM for an access of this width.
        if op.segment.isFlat,
            let host = unsafe frame.find(offset, count: UInt64(MemoryLayout<T>.size), writes: false)
        {
            return unsafe host.loadGuest(type)
        }
        frame.save()
        guard readOutlined(op, UInt64(MemoryLayout<T>.size)) else { return nil }
        return T(truncatingIfNeeded: state.pointee.result)
    }

    /// The value is in `state.result`.
    @inline(never)
    private func readOutlined(_ op: MicroOp, _ bytes: UInt64) -> Bool {
        guard let address = address(op, count: bytes) else { return false }
        return loadSlow(address, bytes: bytes, stack: op.segment.isStack)
    }

    /// Stores to the memory operand; false: the loop is left with `ending`.
    @inline(__always)
    func write<T: Operand>(_ value: T, _ op: MicroOp, _ frame: inout Frame) -> Bool {
        let offset = frame.state.effectiveOffset(op)
        // SAFETY: as in `read`.
        if op.segment.isFlat,
            let host = unsafe frame.find(offset, count: UInt64(MemoryLayout<T>.size), writes: true)
        {
            unsafe host.storeGuest(value)
            return true
        }
        frame.save()
        return writeOutlined(UInt64(truncatingIfNeeded: value), op, UInt64(MemoryLayout<T>.size))
    }

    @inline(never)
    private func writeOutlined(_ value: UInt64, _ op: MicroOp, _ bytes: UInt64) -> Bool {
        guard let address = address(op, count: bytes, writes: true),
            storeSlow(address, value, bytes: bytes, stack: op.segment.isStack)
        else {
            ending = .fault
            return false
        }
        return goesOn(op)
    }

    /// Whether the loop may go on behind `op` after a slow store: not where instructions were overwritten.
    private func goesOn(_ op: MicroOp) -> Bool {
        guard needsAttention else { return true }
        ending = advance(op, .jump)
        return false
    }

    /// Replaces the memory operand by what the operation makes of it; false: the loop is left with `ending`.
    @inline(__always)
    func modify<T: Operand>(
        _ type: T.Type, _ operation: IntegerOperation, _ op: MicroOp, _ right: T, _ frame: inout Frame
    ) -> Bool {
        let offset = frame.state.effectiveOffset(op)
        // SAFETY: as in `read`.
        if op.segment.isFlat,
            let host = unsafe frame.find(offset, count: UInt64(MemoryLayout<T>.size), writes: true)
        {
            let left = unsafe host.loadGuest(type)
            unsafe host.storeGuest(
                operation.compute(left, right, frame.state.pointee.lazyFlags, &frame.state.pointee.lazyFlags))
            return true
        }
        frame.save()
        return modifyOutlined(op)
    }

    /// The room knows every form.
    @inline(never)
    private func modifyOutlined(_ op: MicroOp) -> Bool {
        guard executeInteger(op) == .next else {
            ending = .fault
            return false
        }
        return goesOn(op)
    }

    // MARK: The stack of 64-bit mode

    @inline(__always)
    func push(_ value: UInt64, _ op: MicroOp, _ frame: inout Frame) -> Bool {
        let top = frame.state.r64(4) &- 8
        // SAFETY: as in `read`.
        if let host = unsafe frame.find(top, count: 8, writes: true) {
            unsafe host.storeGuest(value)
            frame.state.setR64(4, top)
            return true
        }
        frame.save()
        return pushOutlined(value, op)
    }

    @inline(never)
    private func pushOutlined(_ value: UInt64, _ op: MicroOp) -> Bool {
        guard push(value, .quad) else {
            ending = .fault
            return false
        }
        return goesOn(op)
    }

    @inline(__always)
    func pop(_ op: MicroOp, _ frame: inout Frame) -> UInt64? {
        let top = frame.state.r64(4)
        // SAFETY: as in `read`.
        if let host = unsafe frame.find(top, count: 8, writes: false) {
            frame.state.setR64(4, top &+ 8)
            return unsafe host.loadGuest(UInt64.self)
        }
        frame.save()
        return popOutlined()
    }

    @inline(never)
    private func popOutlined() -> UInt64? {
        ending = .fault
        return pop(.quad)
    }

    // MARK: Transfers

    /// A direct branch that is taken: links it where the target is known and in the same page. False: somebody has to
    /// look for the target.
    @inline(__always)
    func branch(_ op: MicroOp, _ frame: inout Frame) -> Bool {
        let target = frame.rip &+ op.length &+ op.operand
        let mask = op.attributes.width.mask
        let from = frame.op
        let before = frame.code
        guard frame.jump(to: target & mask) else { return false }
        if op.operation == .jmpNear || op.operation == .jccNear, before == frame.code {
            linkBranch(from, to: frame.op)
        }
        return true
    }

    /// Makes a branch lead straight to its target.
    @inline(never)
    private func linkBranch(_ from: OpPointer, to target: OpPointer) {
        var op = from.pointee
        let linked = Operation.jOLinked.rawValue &+ UInt16(op.attributes.opcode & 15)
        op.operation = op.operation == .jmpNear ? .jmpLinked : Operation(rawValue: linked) ?? op.operation
        op.immediate = Int32(truncatingIfNeeded: target - from)
        from.pointee = op
    }

    @inline(__always)
    func call(_ target: UInt64, _ next: UInt64, _ frame: inout Frame) -> Bool {
        guard let (op, code) = frame.find(target) else { return false }
        let top = frame.state.r64(4) &- 8
        // SAFETY: as in `read`.
        guard let host = unsafe frame.find(top, count: 8, writes: true) else { return false }
        unsafe host.storeGuest(next)
        frame.state.setR64(4, top)
        frame.enter(code, page: target & ~GuestPage.offsetMask, op)
        return true
    }

    @inline(__always)
    func ret(_ op: MicroOp, _ frame: inout Frame) -> Bool {
        let top = frame.state.r64(4)
        // SAFETY: as in `read`.
        guard let host = unsafe frame.find(top, count: 8, writes: false),
            let (target, code) = unsafe frame.find(host.loadGuest(UInt64.self))
        else { return false }
        let address = unsafe host.loadGuest(UInt64.self)
        frame.state.setR64(4, top &+ 8 &+ (op.operand & 0xffff))
        frame.enter(code, page: address & ~GuestPage.offsetMask, target)
        return true
    }

    /// A transfer that the loop could not make: the room does it, and whoever fetches next looks for the target.
    @inline(never)
    func transferSlow(_ op: MicroOp, _ frame: Frame) -> Outcome {
        frame.save()
        return executeInteger(op)
    }

    /// Leaves the loop at a branch that was taken, because somebody asks for something.
    @inline(never)
    func look(_ frame: Frame) -> Outcome {
        frame.save()
        return .look
    }

    /// Leaves the loop behind an outlined instruction.
    @inline(never)
    func finish(_ outcome: Outcome, _ op: MicroOp) -> Outcome {
        outcome == .next ? advance(op, .jump) : outcome
    }
}

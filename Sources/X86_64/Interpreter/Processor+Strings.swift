// SPDX-License-Identifier: Apache-2.0

import VMMemory

/// String instructions (Intel SDM Vol 2B "MOVS", "REP"). Each step leaves the registers as if the instruction began
/// there, so that faults and interrupts find it restartable.
extension Processor {
    @inline(__always)
    func string<T: Operand>(_ type: T.Type, _ operation: IntegerOperation, _ op: MicroOp) -> Outcome {
        guard op.attributes.repeats != .none else { return stringStep(type, operation, op) }
        let width = op.attributes.addressWidth
        // A bound after which others may have a say; a trap flag wants each step by itself.
        var steps = state.pointee.systemFlags & RFlags.trap != 0 ? 1 : 1024
        while state.r64(1) & width.mask != 0 {
            if steps == 0 || needsAttention { return .look }
            steps -= 1
            if steps > 0, let done = stringBurst(type, operation, op) {
                setRegister(width, 1, (state.r64(1) & width.mask) &- done)
                continue
            }
            let outcome = stringStep(type, operation, op)
            guard outcome == .next else { return outcome }
            setRegister(width, 1, (state.r64(1) & width.mask) &- 1)
            // CMPS and SCAS end where ZF is not what the prefix wants.
            if operation == .cmps || operation == .scas,
                state.pointee.lazyFlags.zero != (op.attributes.repeats == .f3)
            {
                return .next
            }
            if steps == 0 && state.r64(1) & width.mask != 0 { return .look }
        }
        return .next
    }

    @inline(__always)
    private func stringStep<T: Operand>(_ type: T.Type, _ operation: IntegerOperation, _ op: MicroOp) -> Outcome {
        switch operation {
        case .movs:
            guard let value = load(type, fromSource: op) else { return .fault }
            guard store(value, toDestination: op) else { return .fault }
            advanceString(6, op, MemoryLayout<T>.size)
            advanceString(7, op, MemoryLayout<T>.size)
        case .stos:
            guard store(register(type, 0), toDestination: op) else { return .fault }
            advanceString(7, op, MemoryLayout<T>.size)
        case .lods:
            guard let value = load(type, fromSource: op) else { return .fault }
            setRegister(0, value)
            advanceString(6, op, MemoryLayout<T>.size)
        case .cmps:
            guard let left = load(type, fromSource: op), let right = load(type, fromDestination: op) else {
                return .fault
            }
            state.pointee.lazyFlags = LazyFlags(difference: left &- right, left, right)
            advanceString(6, op, MemoryLayout<T>.size)
            advanceString(7, op, MemoryLayout<T>.size)
        default:
            guard let right = load(type, fromDestination: op) else { return .fault }
            let left = register(type, 0)
            state.pointee.lazyFlags = LazyFlags(difference: left &- right, left, right)
            advanceString(7, op, MemoryLayout<T>.size)
        }
        return .next
    }

    /// As many steps of MOVS or STOS as two pages of RAM, upwards, have room for; nil where it is not that simple.
    @inline(__always)
    private func stringBurst<T: Operand>(_ type: T.Type, _ operation: IntegerOperation, _ op: MicroOp) -> UInt64? {
        guard operation == .movs || operation == .stos, op.attributes.addressWidth == .quad,
            state.pointee.systemFlags & RFlags.direction == 0
        else { return nil }
        let size = UInt64(MemoryLayout<T>.size)
        let to = state.r64(7)
        var count = min(state.r64(1), (GuestPage.size &- (to & GuestPage.offsetMask)) / size)
        let generation = state.pointee.dataGeneration
        guard count > 1,
            // SAFETY: the soft TLB's answer is RAM from there to the page's end.
            let target = unsafe state.dataSet.find(to, count: size, generation: generation, writes: true)
        else { return nil }
        if operation == .stos {
            let value = register(type, 0)
            for index in 0..<Int(count) { unsafe (target + index * Int(size)).storeGuest(value) }
        } else {
            guard op.segment.isFlat else { return nil }
            let from = state.r64(6)
            count = min(count, (GuestPage.size &- (from & GuestPage.offsetMask)) / size)
            guard count > 1,
                let source = unsafe state.dataSet.find(from, count: size, generation: generation, writes: false)
            else { return nil }
            let bytes = Int(count &* size)
            // What was just written may be read by a later step: then the steps are made one by one.
            if unsafe target > source && target < source + bytes {
                for index in 0..<Int(count) {
                    unsafe (target + index * Int(size)).storeGuest((source + index * Int(size)).loadGuest(type))
                }
            } else {
                unsafe target.copyMemory(from: source, byteCount: bytes)
            }
            state.setR64(6, from &+ count &* size)
        }
        state.setR64(7, to &+ count &* size)
        return count
    }

    /// Moves rSI or rDI by an element, as DF says.
    @inline(__always)
    func advanceString(_ number: UInt8, _ op: MicroOp, _ size: Int) {
        let step = UInt64(size)
        let old = state.r64(number)
        let new = state.pointee.systemFlags & RFlags.direction == 0 ? old &+ step : old &- step
        setRegister(op.attributes.addressWidth, number, new)
    }

    @inline(__always)
    private func load<T: Operand>(_ type: T.Type, fromSource op: MicroOp) -> T? {
        guard let address = sourceAddress(op, MemoryLayout<T>.size) else { return nil }
        return load(type, at: address)
    }

    /// The linear address at rSI, in DS or the segment that a prefix names.
    func sourceAddress(_ op: MicroOp, _ size: Int) -> UInt64? {
        let offset = state.r64(6) & op.attributes.addressWidth.mask
        guard let segment = op.segment.segment else { return offset }
        return linear(segment, offset, count: UInt64(size), writes: false)
    }

    /// The linear address at ES:rDI.
    func destinationAddress(_ op: MicroOp, _ size: Int, writes: Bool) -> UInt64? {
        let offset = state.r64(7) & op.attributes.addressWidth.mask
        return op.attributes.mode == .long64 ? offset : linear(.es, offset, count: UInt64(size), writes: writes)
    }

    @inline(__always)
    private func load<T: Operand>(_ type: T.Type, fromDestination op: MicroOp) -> T? {
        guard let address = destinationAddress(op, MemoryLayout<T>.size, writes: false) else { return nil }
        return load(type, at: address)
    }

    @inline(__always)
    private func store<T: Operand>(_ value: T, toDestination op: MicroOp) -> Bool {
        guard let address = destinationAddress(op, MemoryLayout<T>.size, writes: true) else { return false }
        return store(value, at: address)
    }
}

// SPDX-License-Identifier: Apache-2.0

import SoftFloat
import VMMemory

/// 32 bytes: what a vector instruction has in hand. Of 128 bits only the lower lane counts.
struct LanePair {
    var lower: Lane
    var upper: Lane

    @inline(__always)
    init(_ lower: Lane = Lane(), _ upper: Lane = Lane()) {
        self.lower = lower
        self.upper = upper
    }
}

// Registers and memory of vector instructions.
extension Processor {
    /// Both lanes of a vector register.
    @inline(__always)
    func vector(_ register: UInt8) -> LanePair {
        let first = Int(register & 15) * 4
        return LanePair(
            Lane(low: state.pointee.vectors[first], high: state.pointee.vectors[first + 1]),
            Lane(low: state.pointee.vectors[first + 2], high: state.pointee.vectors[first + 3]))
    }

    /// Sets the lower lane and leaves the upper one: what instructions without VEX do.
    @inline(__always)
    func setLowerLane(_ register: UInt8, _ lane: Lane) {
        let first = Int(register & 15) * 4
        state.pointee.vectors[first] = lane.low
        state.pointee.vectors[first + 1] = lane.high
    }

    @inline(__always)
    func setUpperLane(_ register: UInt8, _ lane: Lane) {
        let first = Int(register & 15) * 4
        state.pointee.vectors[first + 2] = lane.low
        state.pointee.vectors[first + 3] = lane.high
    }

    /// Sets a destination: with VEX all 256 bits, the upper ones to zero where the instruction has 128
    /// (Intel SDM Vol 1 §14.3.1), else the lower 128.
    @inline(__always)
    func setVector(_ register: UInt8, _ value: LanePair, _ op: MicroOp) {
        setLowerLane(register, value.lower)
        guard op.attributes.isVEX else { return }
        setUpperLane(register, op.attributes.vectorLength256 ? value.upper : Lane())
    }

    /// The first source: VEX.vvvv's register, or the destination.
    @inline(__always)
    func firstSource(_ op: MicroOp) -> LanePair { vector(op.attributes.isVEX ? op.attributes.vvvv : op.a) }

    /// The linear address of `count` bytes at an offset that the instruction computes from its memory operand's parts.
    @inline(__always)
    func address(_ op: MicroOp, offset: UInt64, count: UInt64, writes: Bool) -> UInt64? {
        op.segment.isFlat ? offset : segmentedAddress(op, offset: offset, count: count, writes: writes)
    }

    /// Refuses addresses that are not multiples of `count` with #GP(0): 16-byte operands without VEX, and those of
    /// aligned moves (Intel SDM Vol 1 §10.4.1.1).
    @inline(__always)
    private func isAligned(_ address: UInt64, _ count: UInt64) -> Bool {
        if address & (count &- 1) == 0 { return true }
        fault = .generalProtection
        return false
    }

    /// The operand of ModRM.rm: a register, or 1 to 32 bytes of memory, the rest zero. `aligned`: as a move that says so.
    func source(_ op: MicroOp, bytes: UInt64, aligned: Bool = false) -> LanePair? {
        guard op.attributes.isMemory else { return vector(op.b) }
        guard let address = address(op, count: bytes) else { return nil }
        if bytes >= 16 && (aligned || !op.attributes.isVEX), !isAligned(address, bytes) { return nil }
        return load(pair: address, bytes: bytes, stack: op.segment.isStack)
    }

    /// The same where the memory form without VEX need not be aligned.
    func unalignedSource(_ op: MicroOp, bytes: UInt64) -> LanePair? {
        guard op.attributes.isMemory else { return vector(op.b) }
        guard let address = address(op, count: bytes) else { return nil }
        return load(pair: address, bytes: bytes, stack: op.segment.isStack)
    }

    /// 1 to 32 bytes at a linear address.
    func load(pair address: UInt64, bytes: UInt64, stack: Bool) -> LanePair? {
        switch bytes {
        case 1: return load(UInt8.self, at: address, stack: stack).map { LanePair(Lane(low: UInt64($0))) }
        case 2: return load(UInt16.self, at: address, stack: stack).map { LanePair(Lane(low: UInt64($0))) }
        case 4: return load(UInt32.self, at: address, stack: stack).map { LanePair(Lane(low: UInt64($0))) }
        case 8: return load(UInt64.self, at: address, stack: stack).map { LanePair(Lane(low: $0)) }
        default:
            guard let low = load(UInt64.self, at: address, stack: stack),
                let high = load(UInt64.self, at: wrapped(address &+ 8), stack: stack)
            else { return nil }
            if bytes == 16 { return LanePair(Lane(low: low, high: high)) }
            guard let third = load(UInt64.self, at: wrapped(address &+ 16), stack: stack),
                let fourth = load(UInt64.self, at: wrapped(address &+ 24), stack: stack)
            else { return nil }
            return LanePair(Lane(low: low, high: high), Lane(low: third, high: fourth))
        }
    }

    /// Stores 1 to 32 bytes to the memory operand, all or, when it faults, none. `aligned`: as a move that says so.
    func store(_ value: LanePair, _ op: MicroOp, bytes: UInt64, aligned: Bool = false) -> Bool {
        guard let address = address(op, count: bytes, writes: true) else { return false }
        if aligned, !isAligned(address, bytes) { return false }
        return store(value, at: address, bytes: bytes, stack: op.segment.isStack)
    }

    /// The same at a linear address.
    func store(_ value: LanePair, at address: UInt64, bytes: UInt64, stack: Bool) -> Bool {
        let low = value.lower.low
        switch bytes {
        case 1: return store(UInt8(truncatingIfNeeded: low), at: address, stack: stack)
        case 2: return store(UInt16(truncatingIfNeeded: low), at: address, stack: stack)
        case 4: return store(UInt32(truncatingIfNeeded: low), at: address, stack: stack)
        case 8: return store(low, at: address, stack: stack)
        default:
            guard isWritable(address, bytes: bytes, stack: stack), store(low, at: address, stack: stack),
                store(value.lower.high, at: wrapped(address &+ 8), stack: stack)
            else { return false }
            if bytes == 16 { return true }
            return store(value.upper.low, at: wrapped(address &+ 16), stack: stack)
                && store(value.upper.high, at: wrapped(address &+ 24), stack: stack)
        }
    }

    /// Whether a store that is made in parts may begin: where it crosses into another page, that one is asked first, so
    /// that a fault leaves nothing written.
    func isWritable(_ address: UInt64, bytes: UInt64, stack: Bool) -> Bool {
        let last = wrapped(address &+ (bytes &- 1))
        if (address ^ last) & ~GuestPage.offsetMask == 0 { return true }
        return translate(last, .write) != nil
    }

    /// Ends an instruction that computed with MXCSR: its exceptions are noted, and raised where they are unmasked, as
    /// #XM, or #UD where the system does not handle that (Intel SDM Vol 3A §2.5, CR4.OSXMMEXCPT).
    @inline(__always)
    func finish(_ environment: SSEEnvironment) -> Bool {
        state.pointee.mxcsr |= UInt32(environment.reported.rawValue)
        if environment.unmasked.isEmpty { return true }
        fault = state.pointee.cr4 & CR4.osxmmexcpt != 0 ? Fault(.simdError) : .invalidOpcode
        return false
    }
}

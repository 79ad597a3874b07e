// SPDX-License-Identifier: Apache-2.0

import CGuestAtomics
import VMMemory

/// Memory as outlined instructions reach it. The loop has its own inlined forms of these.
extension Processor {
    /// The linear address of an instruction's memory operand of `count` bytes, or nil when its segment refuses it.
    @inline(__always)
    func address(_ op: MicroOp, count: UInt64, writes: Bool = false) -> UInt64? {
        let offset = state.effectiveOffset(op)
        if op.segment.isFlat { return offset }
        return segmentedAddress(op, offset: offset, count: count, writes: writes)
    }

    /// The linear address of a memory operand that is not flat: the offset truncated to the address size, checked against
    /// the segment's limit and rights.
    @inline(never)
    func segmentedAddress(_ op: MicroOp, offset: UInt64, count: UInt64, writes: Bool) -> UInt64? {
        guard let segment = op.segment.segment else { return offset & op.attributes.addressWidth.mask }
        return linear(segment, offset & op.attributes.addressWidth.mask, count: count, writes: writes)
    }

    /// Loads at a linear address; nil: a fault was raised.
    @inline(__always)
    func load<T: FixedWidthInteger & UnsignedInteger>(_ type: T.Type, at address: UInt64, stack: Bool = false) -> T? {
        let count = UInt64(MemoryLayout<T>.size)
        // SAFETY: the soft TLB's answer is guest RAM for an access of this width.
        if let host = unsafe state.dataSet.find(
            address, count: count, generation: state.pointee.dataGeneration, writes: false)
        {
            return unsafe host.loadGuest(type)
        }
        guard loadSlow(address, bytes: count, stack: stack) else { return nil }
        return T(truncatingIfNeeded: state.pointee.result)
    }

    /// Stores at a linear address; false: a fault was raised and nothing is written.
    @inline(__always)
    func store<T: FixedWidthInteger & UnsignedInteger>(_ value: T, at address: UInt64, stack: Bool = false) -> Bool {
        let count = UInt64(MemoryLayout<T>.size)
        // SAFETY: as in `load`.
        if let host = unsafe state.dataSet.find(
            address, count: count, generation: state.pointee.dataGeneration, writes: true)
        {
            unsafe host.storeGuest(value)
            return true
        }
        return storeSlow(address, UInt64(truncatingIfNeeded: value), bytes: count, stack: stack)
    }

    /// Loads what will be stored back: faults are those of a write.
    @inline(__always)
    func loadForUpdate<T: FixedWidthInteger & UnsignedInteger>(
        _ type: T.Type, at address: UInt64, stack: Bool = false
    ) -> T? {
        let count = UInt64(MemoryLayout<T>.size)
        // SAFETY: as in `load`.
        if let host = unsafe state.dataSet.find(
            address, count: count, generation: state.pointee.dataGeneration, writes: true)
        {
            return unsafe host.loadGuest(type)
        }
        guard loadSlow(address, bytes: count, .write, stack: stack) else { return nil }
        return T(truncatingIfNeeded: state.pointee.result)
    }

    /// Loads of a width known only at run time, zero-extended.
    func load(_ width: OperandWidth, at address: UInt64, stack: Bool = false) -> UInt64? {
        switch width.bits {
        case 0: load(UInt8.self, at: address, stack: stack).map(UInt64.init)
        case 1: load(UInt16.self, at: address, stack: stack).map(UInt64.init)
        case 2: load(UInt32.self, at: address, stack: stack).map(UInt64.init)
        default: load(UInt64.self, at: address, stack: stack)
        }
    }

    /// Stores of a width known only at run time.
    func store(_ width: OperandWidth, _ value: UInt64, at address: UInt64, stack: Bool = false) -> Bool {
        switch width.bits {
        case 0: store(UInt8(truncatingIfNeeded: value), at: address, stack: stack)
        case 1: store(UInt16(truncatingIfNeeded: value), at: address, stack: stack)
        case 2: store(UInt32(truncatingIfNeeded: value), at: address, stack: stack)
        default: store(value, at: address, stack: stack)
        }
    }

    /// Loads by segment and offset: implied operands, stacks, strings.
    func load<T: FixedWidthInteger & UnsignedInteger>(_ type: T.Type, _ segment: Segment, _ offset: UInt64) -> T? {
        guard let address = linear(segment, offset, count: UInt64(MemoryLayout<T>.size), writes: false) else {
            return nil
        }
        return load(type, at: address, stack: segment == .ss)
    }

    /// Stores by segment and offset.
    func store<T: FixedWidthInteger & UnsignedInteger>(_ value: T, _ segment: Segment, _ offset: UInt64) -> Bool {
        guard let address = linear(segment, offset, count: UInt64(MemoryLayout<T>.size), writes: true) else {
            return false
        }
        return store(value, at: address, stack: segment == .ss)
    }
}

extension ProcessorPointer {
    /// base + index × scale + displacement, not yet truncated to the address size.
    @inline(__always)
    func effectiveOffset(_ op: MicroOp) -> UInt64 {
        r64(op.base) &+ r64(op.index) &<< UInt64(op.scale)
            &+ UInt64(bitPattern: Int64(op.displacement))
    }

    /// The data entries of the current context.
    @inline(__always)
    var dataSet: DataSet {
        // SAFETY: contextChanged put the address of a live set there.
        unsafe DataSet(base: UnsafeMutableRawPointer(bitPattern: pointee.dataTLB).unsafelyUnwrapped)
    }

    /// The fetch entries of the current context.
    @inline(__always)
    var fetchSet: FetchSet {
        // SAFETY: as above.
        unsafe FetchSet(base: UnsafeMutableRawPointer(bitPattern: pointee.fetchTLB).unsafelyUnwrapped)
    }
}

extension UnsafeMutableRawPointer {
    /// Loads guest memory, single-copy atomic where aligned, in the order that x86 promises.
    @inline(__always)
    func loadGuest<T: FixedWidthInteger & UnsignedInteger>(_ type: T.Type) -> T {
        // SAFETY: the caller proved the bytes.
        switch MemoryLayout<T>.size {
        case 1: unsafe T(truncatingIfNeeded: ga_load_8(self))
        case 2: unsafe T(truncatingIfNeeded: ga_load_any_16(self))
        case 4: unsafe T(truncatingIfNeeded: ga_load_any_32(self))
        default: unsafe T(truncatingIfNeeded: ga_load_any_64(self))
        }
    }

    /// Stores to guest memory, single-copy atomic where aligned, in the order that x86 promises.
    @inline(__always)
    func storeGuest<T: FixedWidthInteger & UnsignedInteger>(_ value: T) {
        // SAFETY: as in `loadGuest`.
        switch MemoryLayout<T>.size {
        case 1: unsafe ga_store_8(self, UInt8(truncatingIfNeeded: value))
        case 2: unsafe ga_store_any_16(self, UInt16(truncatingIfNeeded: value))
        case 4: unsafe ga_store_any_32(self, UInt32(truncatingIfNeeded: value))
        default: unsafe ga_store_any_64(self, UInt64(truncatingIfNeeded: value))
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import VMMemory

extension Processor {
    /// Code runs in protected mode, not virtual-8086: selectors name descriptors.
    @inline(__always)
    var usesDescriptors: Bool {
        state.pointee.cr0 & CR0.pe != 0 && state.pointee.systemFlags & RFlags.virtual8086 == 0
    }

    @inline(__always) var isLongMode: Bool { state.pointee.efer & EFER.lma != 0 }
    @inline(__always) var isReal: Bool { state.pointee.cr0 & CR0.pe == 0 }

    /// The soft TLB's entries for the processor's own accesses: those of supervisor code that SMAP keeps out.
    private var systemSet: DataSet {
        let isPaged = state.pointee.cr0 & CR0.pg != 0
        return tlb.dataSet(
            !isPaged ? .physical : state.pointee.cr4 & CR4.smap != 0 ? .supervisor : .supervisorUserAccess)
    }

    /// The processor's own load from a descriptor table or a TSS.
    func loadSystem(_ address: UInt64, bytes: UInt64) -> UInt64? {
        let address = wrapped(address)
        // SAFETY: the soft TLB's answer is guest RAM for an access of this width.
        if let host = unsafe systemSet.find(address, count: bytes, generation: tlb.dataGeneration, writes: false) {
            switch bytes {
            case 1: return unsafe UInt64(host.loadGuest(UInt8.self))
            case 2: return unsafe UInt64(host.loadGuest(UInt16.self))
            case 4: return unsafe UInt64(host.loadGuest(UInt32.self))
            default: return unsafe host.loadGuest(UInt64.self)
            }
        }
        guard loadSlow(address, bytes: bytes, .read.implicit) else { return nil }
        let value = state.pointee.result
        keepSystemPage(address)
        return value
    }

    /// The processor's own store.
    func storeSystem(_ address: UInt64, _ value: UInt64, bytes: UInt64, stack: Bool = false) -> Bool {
        let address = wrapped(address)
        // SAFETY: as in `loadSystem`; an entry for writes lets them past the hook.
        if let host = unsafe systemSet.find(address, count: bytes, generation: tlb.dataGeneration, writes: true) {
            switch bytes {
            case 1: unsafe host.storeGuest(UInt8(truncatingIfNeeded: value))
            case 2: unsafe host.storeGuest(UInt16(truncatingIfNeeded: value))
            case 4: unsafe host.storeGuest(UInt32(truncatingIfNeeded: value))
            default: unsafe host.storeGuest(value)
            }
            return true
        }
        return storeSlow(address, value, bytes: bytes, .write.implicit, stack: stack)
    }

    /// Lets later loads of the processor's own find the page of `address`, which one has just been made from.
    private func keepSystemPage(_ address: UInt64) {
        guard !isWatched(page: address), let found = translate(address, .read.implicit) else { return }
        let page = GuestAddress(found.physical & ~GuestPage.offsetMask)
        // SAFETY: a whole page of RAM, or nil.
        guard let host = unsafe memory.hostPointer(at: page, count: GuestPage.size) else { return }
        tlb.noteLarge(address, size: found.size)
        unsafe systemSet.insert(address, host: host, generation: tlb.dataGeneration, reads: true, writes: false)
    }

    /// Where `count` bytes of the descriptor that `selector` names lie, or nil where they are past the table's limit.
    func descriptorAddress(_ selector: UInt16, count: UInt64 = 8) -> UInt64? {
        let offset = UInt64(selector & 0xfff8)
        if selector & 4 != 0 {
            let table = state.pointee.ldtr
            guard !table.rights.contains(.unusable), offset + count - 1 <= UInt64(table.limit) else { return nil }
            return table.base &+ offset
        }
        let table = state.pointee.gdtr
        guard offset + count - 1 <= UInt64(table.limit) else { return nil }
        return table.base &+ offset
    }

    /// The descriptor that `selector` names. Nil: raised, past the limit as `vector` with the selector.
    func descriptor(_ selector: UInt16, else vector: ExceptionVector = .generalProtection) -> Descriptor? {
        guard let address = descriptorAddress(selector) else {
            return refuse(Fault(vector, code: selector.selectorCode))
        }
        return loadSystem(address, bytes: 8).map(Descriptor.init)
    }

    /// A system descriptor's base in long mode: 64 bits, out of 16 bytes (Intel SDM Vol 3A §9.2.3). Nil: raised.
    func wideBase(_ selector: UInt16, _ low: Descriptor) -> UInt64? {
        guard isLongMode else { return low.base }
        guard let address = descriptorAddress(selector, count: 16) else {
            return refuse(Fault(.generalProtection, code: selector.selectorCode))
        }
        guard let high = loadSystem(address &+ 8, bytes: 8) else { return nil }
        // The type of the upper half has to be zero.
        guard high >> 40 & 0x1f == 0 else { return refuse(Fault(.generalProtection, code: selector.selectorCode)) }
        let base = low.base | high << 32
        guard isCanonical(base) else { return refuse(Fault(.generalProtection, code: selector.selectorCode)) }
        return base
    }

    /// Sets or clears bits of the type byte of a descriptor in memory. False: raised.
    func updateType(_ selector: UInt16, set: UInt64 = 0, clear: UInt64 = 0) -> Bool {
        guard let address = descriptorAddress(selector) else { return true }
        guard let byte = loadSystem(address &+ 5, bytes: 1) else { return false }
        let next = (byte | set) & ~clear
        return next == byte || storeSystem(address &+ 5, next, bytes: 1)
    }

    /// The segment register that `descriptor` fills, its accessed bit set there and in memory. Nil: raised.
    func accessed(_ descriptor: Descriptor, _ selector: UInt16) -> SegmentRegister? {
        if descriptor.bits >> 40 & 1 == 0 && !updateType(selector, set: 1) { return nil }
        return Descriptor(descriptor.bits | 1 << 40).segment(selector: selector)
    }
}

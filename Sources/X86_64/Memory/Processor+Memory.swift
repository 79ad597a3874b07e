// SPDX-License-Identifier: Apache-2.0

import CGuestAtomics
import MachineCore
import VMMemory

extension Processor {
    /// The slow path of loads of 1 to 8 bytes: what the soft TLB does not hold, crosses pages, is watched or a device. The
    /// value is in `state.result`, zero-extended; false: a fault was raised.
    @inline(never)
    func loadSlow(_ address: UInt64, bytes: UInt64, _ access: MemoryAccess = .read, stack: Bool = false) -> Bool {
        guard isAllowed(address, bytes: bytes, access, stack: stack) else { return false }
        let before = GuestPage.size &- (address & GuestPage.offsetMask)
        if bytes > before {
            let second = wrapped(address &+ before)
            guard let low = place(address, before, access), let high = place(second, bytes &- before, access) else {
                return false
            }
            let lower = readPhysical(low, before)
            state.pointee.result = lower | readPhysical(high, bytes &- before) &<< (before &* 8)
        } else {
            guard let found = translate(address, access) else { return false }
            // SAFETY: `hostPointer` proved `bytes` bytes.
            if let host = unsafe memory.hostPointer(at: GuestAddress(found.physical), count: bytes) {
                state.pointee.result = unsafe Processor.load(host, bytes)
                // What is loaded to be stored back is cached by the store, which tells the write hook.
                if !access.isImplicit, !access.writes { unsafe cache(address, found, host, writes: false) }
            } else {
                state.pointee.result = readDevice(found.physical, bytes)
            }
        }
        noteAccess(address, bytes, access)
        return true
    }

    /// The slow path of stores.
    @inline(never)
    func storeSlow(
        _ address: UInt64, _ value: UInt64, bytes: UInt64, _ access: MemoryAccess = .write, stack: Bool = false
    ) -> Bool {
        guard isAllowed(address, bytes: bytes, access, stack: stack) else { return false }
        let before = GuestPage.size &- (address & GuestPage.offsetMask)
        if bytes > before {
            // Both pages are translated before anything is written.
            let second = wrapped(address &+ before)
            guard let low = place(address, before, access), let high = place(second, bytes &- before, access) else {
                return false
            }
            writePhysical(value, low, before)
            writePhysical(value &>> (before &* 8), high, bytes &- before)
        } else {
            guard let found = translate(address, access) else { return false }
            // SAFETY: `hostPointer` proved `bytes` bytes.
            if let host = unsafe memory.hostPointer(at: GuestAddress(found.physical), count: bytes) {
                if noteOwnWrite(found.physical, bytes), !access.isImplicit {
                    unsafe cache(address, found, host, writes: true)
                }
                unsafe Processor.store(host, value, bytes)
            } else {
                writeDevice(value, found.physical, bytes)
            }
        }
        noteAccess(address, bytes, access)
        return true
    }

    /// Where `count` bytes of one page lie, or nil when the access faulted.
    private func place(_ address: UInt64, _ count: UInt64, _ access: MemoryAccess) -> UInt64? {
        translate(address, access)?.physical
    }

    /// Linear addresses are 32 bits wide outside of IA-32e mode (Intel SDM Vol 3A §3.3).
    func wrapped(_ address: UInt64) -> UInt64 {
        state.pointee.efer & EFER.lma != 0 ? address : address & 0xffff_ffff
    }

    /// Whether `bytes` at `address` may be looked for at all: canonical, and aligned where that is checked. Raises
    /// #GP(0), #SS(0) or #AC(0) where not.
    func isAllowed(_ address: UInt64, bytes: UInt64, _ access: MemoryAccess, stack: Bool) -> Bool {
        if state.pointee.efer & EFER.lma != 0 {
            guard isCanonical(address), isCanonical(address &+ (bytes &- 1)) else {
                fault = stack ? .stackFault : .generalProtection
                return false
            }
        }
        if address & (bytes &- 1) != 0, checksAlignment, !access.isImplicit {
            fault = Fault(.alignmentCheck)
            return false
        }
        return true
    }

    /// #AC is on (Intel SDM Vol 3A §7.15, interrupt 17).
    var checksAlignment: Bool {
        state.pointee.privilege == 3 && state.pointee.cr0 & CR0.am != 0
            && state.pointee.systemFlags & RFlags.alignmentCheck != 0
    }

    /// Whether the upper bits of `address` repeat its highest translated one (Intel SDM Vol 1 §3.3.7.1).
    @inline(__always)
    func isCanonical(_ address: UInt64) -> Bool {
        let unused: Int64 = state.pointee.cr4 & CR4.la57 != 0 ? 7 : 16
        return UInt64(bitPattern: (Int64(bitPattern: address) &<< unused) &>> unused) == address
    }

    /// Lets the fast path have the page, where every access to it is alike.
    func cache(_ address: UInt64, _ found: Translation, _ host: UnsafeMutableRawPointer, writes: Bool) {
        // An address past the low 4 GiB is never cached outside of IA-32e mode, where it wraps.
        guard !isWatched(page: address) else { return }
        tlb.noteLarge(address, size: found.size)
        // SAFETY: the set is this processor's own; the host page is RAM for as long as the memory lives.
        guard let set = unsafe UnsafeMutableRawPointer(bitPattern: state.pointee.dataTLB) else { return }
        let start = unsafe host - Int(address & GuestPage.offsetMask)
        unsafe DataSet(base: set).insert(
            address, host: start, generation: tlb.dataGeneration, reads: !writes, writes: writes)
    }

    /// Tells the write hook of `count` bytes within a page that this processor is about to write, and drops what was
    /// decoded of them. True if the page may be cached as writable.
    func noteOwnWrite(_ physical: UInt64, _ count: UInt64) -> Bool {
        let address = GuestAddress(physical)
        memory.noteWrite(at: GuestAddress(physical & ~GuestPage.offsetMask), count: GuestPage.size)
        guard code.holds(address.page) else { return memory.writeHook.marks(of: address.page).isEmpty }
        if code.drop(address.page, offset: physical & GuestPage.offsetMask, count: count) { needsAttention = true }
        // The mark went with the hook's notice; what is still decoded needs it again. This processor has not cached the
        // page as writable since it was first marked; another may have done so in between.
        if memory.writeHook.mark(address.page, .code) { peers?.forgetWrites(except: configuration.id) }
        return false
    }

    /// Marks a page of which instructions are decoded, so that every store to it is heard of.
    func markCode(page: UInt64) {
        guard memory.writeHook.mark(page, .code) else { return }
        tlb.flushData()
        state.pointee.dataGeneration = currentDataGeneration
        peers?.forgetWrites(except: configuration.id)
    }

    // MARK: Physical memory

    /// `bytes`, 1 to 8, at a physical address, within a page: RAM, or what the bus answers.
    func readPhysical(_ physical: UInt64, _ bytes: UInt64) -> UInt64 {
        // SAFETY: `hostPointer` proved `bytes` bytes.
        if let host = unsafe memory.hostPointer(at: GuestAddress(physical), count: bytes) {
            return unsafe Processor.load(host, bytes)
        }
        return readDevice(physical, bytes)
    }

    func writePhysical(_ value: UInt64, _ physical: UInt64, _ bytes: UInt64) {
        // SAFETY: as above.
        if let host = unsafe memory.hostPointer(at: GuestAddress(physical), count: bytes) {
            _ = noteOwnWrite(physical, bytes)
            unsafe Processor.store(host, value, bytes)
        } else {
            writeDevice(value, physical, bytes)
        }
    }

    /// A device's answer: one access where it is aligned, else byte by byte. All ones where nothing answers.
    private func readDevice(_ physical: UInt64, _ bytes: UInt64) -> UInt64 {
        counters.busAccesses &+= 1
        if let width = AccessWidth(rawValue: UInt8(truncatingIfNeeded: bytes)), physical & (bytes &- 1) == 0 {
            return door.busRead(at: GuestAddress(physical), width: width) ?? width.mask
        }
        var value: UInt64 = 0
        for index in 0..<bytes {
            let byte = door.busRead(at: GuestAddress(physical &+ index), width: .byte) ?? 0xff
            value |= (byte & 0xff) << (index * 8)
        }
        return value
    }

    private func writeDevice(_ value: UInt64, _ physical: UInt64, _ bytes: UInt64) {
        counters.busAccesses &+= 1
        if let width = AccessWidth(rawValue: UInt8(truncatingIfNeeded: bytes)), physical & (bytes &- 1) == 0 {
            _ = door.busWrite(value & width.mask, at: GuestAddress(physical), width: width)
            return
        }
        for index in 0..<bytes {
            _ = door.busWrite(value >> (index * 8) & 0xff, at: GuestAddress(physical &+ index), width: .byte)
        }
    }

    /// `bytes` at `host`: one access where there is a type of that size.
    private static func load(_ host: UnsafeMutableRawPointer, _ bytes: UInt64) -> UInt64 {
        // SAFETY: the caller proved the bytes.
        switch bytes {
        case 1: return unsafe UInt64(ga_load_8(host))
        case 2: return unsafe UInt64(ga_load_any_16(host))
        case 4: return unsafe UInt64(ga_load_any_32(host))
        case 8: return unsafe ga_load_any_64(host)
        default:
            var value: UInt64 = 0
            for index in 0..<Int(bytes) { value |= unsafe UInt64(ga_load_8(host + index)) << UInt64(index * 8) }
            return value
        }
    }

    private static func store(_ host: UnsafeMutableRawPointer, _ value: UInt64, _ bytes: UInt64) {
        // SAFETY: as in `load`.
        switch bytes {
        case 1: unsafe ga_store_8(host, UInt8(truncatingIfNeeded: value))
        case 2: unsafe ga_store_any_16(host, UInt16(truncatingIfNeeded: value))
        case 4: unsafe ga_store_any_32(host, UInt32(truncatingIfNeeded: value))
        case 8: unsafe ga_store_any_64(host, value)
        default:
            for index in 0..<Int(bytes) {
                unsafe ga_store_8(host + index, UInt8(truncatingIfNeeded: value >> UInt64(index * 8)))
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import CGuestAtomics
import MachineCore
import VMMemory

/// How an access that left the fast path ended.
enum AccessOutcome {
    case done
    /// An exception was raised: the PC is the handler's.
    case trapped
    /// Done, and a watchpoint saw it: the hart stops behind the instruction.
    case watched
}

extension Hart {
    /// The slow path of loads: what the soft TLB does not hold, is misaligned, watched or a device. The value is in
    /// `state.result`, zero-extended.
    @inline(never)
    func loadSlow(_ address: UInt64, width: AccessWidth) -> AccessOutcome {
        let bytes = width.bytes
        if (address & GuestPage.offsetMask) + bytes > GuestPage.size { return loadAcross(address, width: width) }
        switch translate(address, .load) {
        case .failure(let fault):
            raise(Hart.cause(fault, .load), value: address)
            return .trapped
        case .success(let found):
            guard allows(found.physical, count: bytes, .load, privilege: dataPrivilege) else {
                raise(.loadAccess, value: address)
                return .trapped
            }
            // SAFETY: `hostPointer` proved `bytes` bytes.
            if let host = unsafe memory.hostPointer(at: GuestAddress(found.physical), count: bytes) {
                unsafe cache(address, found, host, writes: false)
                state.pointee.result = unsafe Hart.load(host, width)
            } else {
                guard address & (bytes - 1) == 0 else {
                    raise(.loadMisaligned, value: address)
                    return .trapped
                }
                counters.busAccesses &+= 1
                guard let value = door.busRead(at: GuestAddress(found.physical), width: width) else {
                    raise(.loadAccess, value: address)
                    return .trapped
                }
                state.pointee.result = value
            }
            return watched(address, bytes, .read)
        }
    }

    /// The slow path of stores.
    @inline(never)
    func storeSlow(_ address: UInt64, _ value: UInt64, width: AccessWidth) -> AccessOutcome {
        let bytes = width.bytes
        if (address & GuestPage.offsetMask) + bytes > GuestPage.size {
            return storeAcross(address, value, width: width)
        }
        switch translate(address, .store) {
        case .failure(let fault):
            raise(Hart.cause(fault, .store), value: address)
            return .trapped
        case .success(let found):
            guard allows(found.physical, count: bytes, .store, privilege: dataPrivilege) else {
                raise(.storeAccess, value: address)
                return .trapped
            }
            // SAFETY: `hostPointer` proved `bytes` bytes.
            if let host = unsafe memory.hostPointer(at: GuestAddress(found.physical), count: bytes) {
                memory.noteWrite(at: GuestAddress(found.physical), count: bytes)
                unsafe cache(address, found, host, writes: true)
                unsafe Hart.store(host, value, width)
            } else {
                guard address & (bytes - 1) == 0 else {
                    raise(.storeMisaligned, value: address)
                    return .trapped
                }
                counters.busAccesses &+= 1
                guard door.busWrite(value, at: GuestAddress(found.physical), width: width) else {
                    raise(.storeAccess, value: address)
                    return .trapped
                }
            }
            return watched(address, bytes, .write)
        }
    }

    /// An access over a page's end: both pages are translated before anything is read (RISC-V Priv 1.13 §3.6.4).
    private func loadAcross(_ address: UInt64, width: AccessWidth) -> AccessOutcome {
        var value: UInt64 = 0
        for index in 0..<width.bytes {
            guard let physical = translatePart(address &+ index, count: 1, .load) else { return .trapped }
            guard let byte = memory.load(UInt8.self, at: physical) else {
                raise(.loadMisaligned, value: address)
                return .trapped
            }
            value |= UInt64(byte) << (index * 8)
        }
        state.pointee.result = value
        return watched(address, width.bytes, .read)
    }

    private func storeAcross(_ address: UInt64, _ value: UInt64, width: AccessWidth) -> AccessOutcome {
        let next = (address | GuestPage.offsetMask) &+ 1
        let split = next &- address
        guard let first = translatePart(address, count: split, .store),
            let second = translatePart(next, count: width.bytes - split, .store)
        else { return .trapped }
        guard memory.contains(first, count: split), memory.contains(second, count: width.bytes - split) else {
            raise(.storeMisaligned, value: address)
            return .trapped
        }
        for index in 0..<width.bytes {
            let target = index < split ? first + index : second + (index - split)
            memory.store(UInt8(truncatingIfNeeded: value >> (index * 8)), at: target)
        }
        return watched(address, width.bytes, .write)
    }

    /// The place of `count` bytes within a page, or nil when that part of an access trapped: tval is its own address.
    private func translatePart(_ address: UInt64, count: UInt64, _ kind: AccessKind) -> GuestAddress? {
        var fault = TranslationFault.access
        switch translate(address, kind) {
        case .success(let found):
            if allows(found.physical, count: count, kind, privilege: dataPrivilege) {
                return GuestAddress(found.physical)
            }
        case .failure(let failure): fault = failure
        }
        raise(Hart.cause(fault, kind), value: address)
        return nil
    }

    /// Lets the fast path have the page, where every access to it is alike.
    private func cache(_ address: UInt64, _ found: Translation, _ host: UnsafeMutableRawPointer, writes: Bool) {
        guard pmpIsUniform(page: found.physical), !isWatched(page: address) else { return }
        let page = GuestAddress(found.physical & ~GuestPage.offsetMask)
        if writes {
            memory.noteWrite(at: page, count: GuestPage.size)
            guard memory.writeHook.marks(of: page.page).isEmpty else { return }
        }
        tlb.noteLarge(address, size: found.size)
        // SAFETY: the set is this hart's own; the host page is RAM for as long as the memory lives.
        guard let set = unsafe UnsafeMutableRawPointer(bitPattern: state.pointee.dataTLB) else { return }
        let start = unsafe host - Int(address & GuestPage.offsetMask)
        unsafe DataSet(base: set).insert(
            address, host: start, generation: tlb.dataGeneration, reads: !writes, writes: writes)
    }

    /// Host memory for an atomic access of `bytes`, which must be aligned; nil when it trapped.
    func atomicAddress(_ address: UInt64, bytes: UInt64, _ kind: AccessKind) -> UnsafeMutableRawPointer? {
        guard address & (bytes - 1) == 0 else {
            raise(kind == .load ? .loadMisaligned : .storeMisaligned, value: address)
            return nil
        }
        // SAFETY: the set is this hart's own.
        if let set = unsafe UnsafeMutableRawPointer(bitPattern: state.pointee.dataTLB),
            let host = unsafe DataSet(base: set).find(
                address, mask: bytes - 1, generation: state.pointee.dataGeneration, writes: kind == .store)
        {
            return unsafe host
        }
        switch translate(address, kind) {
        case .failure(let fault):
            raise(Hart.cause(fault, kind), value: address)
            return nil
        case .success(let found):
            // Devices take no atomics: the region has no AMO support (RISC-V Priv 1.13 §3.6.3.1).
            guard allows(found.physical, count: bytes, kind, privilege: dataPrivilege),
                let host = unsafe memory.hostPointer(at: GuestAddress(found.physical), count: bytes)
            else {
                raise(kind == .load ? .loadAccess : .storeAccess, value: address)
                return nil
            }
            if kind == .store { memory.noteWrite(at: GuestAddress(found.physical), count: bytes) }
            unsafe cache(address, found, host, writes: kind == .store)
            return unsafe host
        }
    }

    /// A plain load of `width` at `host`, single-copy atomic where aligned.
    private static func load(_ host: UnsafeMutableRawPointer, _ width: AccessWidth) -> UInt64 {
        // SAFETY: the caller proved the bytes; RAM is aligned on the host as in the guest.
        let aligned = UInt(bitPattern: host) & UInt(width.bytes - 1) == 0
        switch width {
        case .byte: return unsafe UInt64(ga_load_8(host))
        case .half: return unsafe UInt64(aligned ? ga_load_16(host) : host.loadUnaligned(as: UInt16.self))
        case .word: return unsafe UInt64(aligned ? ga_load_32(host) : host.loadUnaligned(as: UInt32.self))
        case .double: return unsafe aligned ? ga_load_64(host) : host.loadUnaligned(as: UInt64.self)
        }
    }

    private static func store(_ host: UnsafeMutableRawPointer, _ value: UInt64, _ width: AccessWidth) {
        // SAFETY: as in `load`.
        let aligned = UInt(bitPattern: host) & UInt(width.bytes - 1) == 0
        switch (width, aligned) {
        case (.byte, _): unsafe ga_store_8(host, UInt8(truncatingIfNeeded: value))
        case (.half, true): unsafe ga_store_16(host, UInt16(truncatingIfNeeded: value))
        case (.word, true): unsafe ga_store_32(host, UInt32(truncatingIfNeeded: value))
        case (.double, true): unsafe ga_store_64(host, value)
        case (.half, false): unsafe host.storeBytes(of: UInt16(truncatingIfNeeded: value), as: UInt16.self)
        case (.word, false): unsafe host.storeBytes(of: UInt32(truncatingIfNeeded: value), as: UInt32.self)
        case (.double, false): unsafe host.storeBytes(of: value, as: UInt64.self)
        }
    }

    // MARK: Watchpoints

    private func isWatched(page address: UInt64) -> Bool {
        let page = address & ~GuestPage.offsetMask
        return debug.watchpoints.contains { $0.covers(page, count: GuestPage.size) }
    }

    /// `done`, or `watched` with the hit noted if a watchpoint of this kind covers any of the bytes.
    func watched(_ address: UInt64, _ count: UInt64, _ kind: WatchKind) -> AccessOutcome {
        if debug.watchpoints.isEmpty { return .done }
        for point in debug.watchpoints where point.kind == kind || point.kind == .access {
            if point.covers(address, count: count) {
                watchHit = .watchpoint(point.address, point.kind)
                return .watched
            }
        }
        return .done
    }
}

// SPDX-License-Identifier: Apache-2.0

import CGuestAtomics
import VMMemory

/// A run of guest RAM that a queue reads or writes often: its place checked once, each access checked against it.
///
/// Everything in it may change under the device at any moment, so each field is loaded once and then judged. It owns
/// nothing and counts no reference, as it is copied with every access: its queue holds the `GuestMemory`.
@safe
struct RingMemory {
    private let address: GuestAddress
    private let count: UInt64
    // SAFETY: `count` bytes of RAM, proved in init; the mapping outlives the `GuestMemory`, which the queue holds.
    private let host: UnsafeMutableRawPointer

    /// `count` bytes at `address`, or nil where they are not all RAM or `address` is no multiple of `alignment`.
    init?(_ memory: GuestMemory, at address: GuestAddress, count: UInt64, alignment: UInt64) {
        guard address.value & (alignment - 1) == 0,
            // SAFETY: kept with the count that was checked.
            let host = unsafe memory.hostPointer(at: address, count: count)
        else { return nil }
        self.address = address
        self.count = count
        // SAFETY: as above.
        unsafe self.host = host
    }

    // SAFETY: in bounds by the precondition, for this and for all accesses below, which pass their width.
    @inline(__always)
    private func pointer(_ offset: UInt64, _ width: UInt64) -> UnsafeMutableRawPointer {
        precondition(offset < count && width <= count - offset, "a queue stays within its rings")
        return unsafe host + Int(truncatingIfNeeded: offset)
    }

    /// The 16-bit field at `offset`, which is even in an even structure.
    @inline(__always)
    func load16(at offset: UInt64) -> UInt16 {
        // SAFETY: see `pointer`; rings are aligned.
        unsafe ga_load_16(pointer(offset, 2))
    }

    /// As `load16`; what the driver wrote before it stored this value is seen by every later load.
    @inline(__always)
    func loadAcquire16(at offset: UInt64) -> UInt16 {
        // SAFETY: see `pointer`; rings are aligned.
        unsafe ga_load_acquire_16(pointer(offset, 2))
    }

    /// Stores, and tells `memory`'s write hook.
    @inline(__always)
    func store16(_ value: UInt16, at offset: UInt64, _ memory: GuestMemory) {
        memory.noteWrite(at: address + offset, count: 2)
        // SAFETY: see `pointer`; rings are aligned.
        unsafe ga_store_16(pointer(offset, 2), value)
    }

    /// As `store16`, after all that this device wrote before: a driver that sees the value sees that too.
    @inline(__always)
    func storeRelease16(_ value: UInt16, at offset: UInt64, _ memory: GuestMemory) {
        memory.noteWrite(at: address + offset, count: 2)
        // SAFETY: see `pointer`; rings are aligned.
        unsafe ga_store_release_16(pointer(offset, 2), value)
    }

    /// Stores, and tells `memory`'s write hook.
    @inline(__always)
    func store32(_ value: UInt32, at offset: UInt64, _ memory: GuestMemory) {
        memory.noteWrite(at: address + offset, count: 4)
        // SAFETY: see `pointer`; rings are aligned.
        unsafe ga_store_32(pointer(offset, 4), value)
    }

    /// The two words of the 16-byte element `index`. Any alignment: an indirect table has no rule for it.
    @inline(__always)
    func loadPair(_ index: UInt64) -> (low: UInt64, high: UInt64) {
        // SAFETY: see `pointer`.
        let place = unsafe pointer(index &* 16, 16)
        if address.value & 7 == 0 { return unsafe (ga_load_64(place), ga_load_64(place + 8)) }
        return unsafe (
            UInt64(littleEndian: place.loadUnaligned(as: UInt64.self)),
            UInt64(littleEndian: place.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        )
    }
}

/// A full fence: what was stored before is visible before what is loaded after. Event index and notification
/// suppression need it on every host, x86 too (virtio 1.2 §2.7.7.2, §2.7.10.2).
@inline(__always)
func storeLoadFence() { ga_fence() }

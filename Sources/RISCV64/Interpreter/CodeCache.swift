// SPDX-License-Identifier: Apache-2.0

import CGuestAtomics
import VMMemory

/// Decoded instructions of one hart, by guest-physical page.
///
/// A page has a micro-op for each 2 bytes of code, decoded when first executed, then a sentinel, then a snapshot of the
/// page's bytes. Instructions are decoded from the snapshot, never from memory. What runs is therefore the page as it
/// was at some moment, and an instruction-cache flush (`fence.i`) only has to compare: when a page is next entered, the
/// micro-ops whose bytes differ from memory by then are dropped. Nothing depends on hearing of other harts' stores.
@safe
final class CodeCache {
    /// Micro-ops a page.
    static var opsPerPage: Int { 2048 }
    /// Where the snapshot begins: behind the micro-ops and the sentinel.
    private static var snapshotOffset: Int { (opsPerPage + 2) * MemoryLayout<MicroOp>.size }
    private static var slotBytes: Int { snapshotOffset + Int(GuestPage.size) + 48 }

    // SAFETY: `slots` slots of `slotBytes` and the micro-ops for single instructions, in memory that the hart keeps.
    private let storage: UnsafeMutableRawPointer
    private let slots: Int
    private var used = 0
    /// The next slot to give up when all are used.
    private var victim = 0
    /// Which slot has a physical page, and which physical page and flush epoch a slot has.
    private var slotOfPage: [UInt64: Int] = [:]
    private var pageOfSlot: [UInt64] = []
    private var epochOfSlot: [UInt64] = []
    private var epoch: UInt64 = 0

    private static var scratchBytes: Int { 4 * MemoryLayout<MicroOp>.size }

    /// What a cache takes whose pages are to take at most `limit`: 16 pages at least.
    static func bytes(limit: Int) -> Int { max(16, limit / slotBytes) * slotBytes + scratchBytes }

    /// A cache in `bytes`, of `bytes(limit:)`, at `memory`, aligned to 64, which outlives it.
    init(in memory: UnsafeMutableRawPointer, bytes: Int) {
        slots = (bytes - CodeCache.scratchBytes) / CodeCache.slotBytes
        precondition(slots >= 16, "a code cache holds 16 pages at least")
        // SAFETY: the caller's promise; the last four micro-ops of it.
        unsafe storage = memory
        unsafe scratchAddress.initialize(repeating: MicroOp(.scratchEnd), count: 4)
    }

    private var scratchAddress: UnsafeMutablePointer<MicroOp> {
        // SAFETY: behind the last slot.
        unsafe (storage + slots * CodeCache.slotBytes).assumingMemoryBound(to: MicroOp.self)
    }

    /// Where a single instruction runs outside of a page: one micro-op, then sentinels for both lengths.
    var scratch: OpPointer { unsafe OpPointer(scratchAddress) }  // SAFETY: initialised in init.

    /// Forgets everything.
    func flush() {
        used = 0
        victim = 0
        slotOfPage.removeAll(keepingCapacity: true)
        pageOfSlot.removeAll(keepingCapacity: true)
        epochOfSlot.removeAll(keepingCapacity: true)
    }

    /// Makes every page be compared with memory before it runs again. The caller flushes the fetch entries.
    func expire() { epoch &+= 1 }

    /// The micro-ops of physical page number `page`, whose bytes are at `host`. True if other pages were given up for
    /// it, so that the caller's fetch entries may be stale.
    func ops(page: UInt64, host: UnsafeMutableRawPointer) -> (ops: OpPointer, evicted: Bool, isNew: Bool) {
        if let slot = slotOfPage[page] {
            // SAFETY: `host` is one page of mapped guest memory, by the caller's translation.
            if epochOfSlot[slot] != epoch { unsafe refresh(slot, host) }
            epochOfSlot[slot] = epoch
            return (ops(slot), false, false)
        }
        var evicted = false
        let slot: Int
        if used < slots {
            slot = used
            used += 1
            pageOfSlot.append(page)
            epochOfSlot.append(epoch)
        } else {
            slot = victim
            victim = (victim + 1) % slots
            slotOfPage[pageOfSlot[slot]] = nil
            pageOfSlot[slot] = page
            epochOfSlot[slot] = epoch
            evicted = true
        }
        slotOfPage[page] = slot
        // SAFETY: as above; the slot is in the storage.
        let base = unsafe slotAddress(slot)
        unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: CodeCache.snapshotOffset)
        unsafe (base + CodeCache.snapshotOffset).copyMemory(from: host, byteCount: Int(GuestPage.size))
        (ops(slot) + CodeCache.opsPerPage).pointee = MicroOp(.pageEnd)
        return (ops(slot), evicted, true)
    }

    private func slotAddress(_ slot: Int) -> UnsafeMutableRawPointer {
        // SAFETY: slots are below `slots`.
        unsafe storage + slot * CodeCache.slotBytes
    }

    private func ops(_ slot: Int) -> OpPointer {
        // SAFETY: a slot begins with its micro-ops.
        unsafe OpPointer(slotAddress(slot).assumingMemoryBound(to: MicroOp.self))
    }

    /// Drops the micro-ops of a slot whose bytes changed.
    private func refresh(_ slot: Int, _ host: UnsafeMutableRawPointer) {
        let ops = ops(slot)
        // SAFETY: both sides are a page; other harts may store to `host` meanwhile, and whatever is seen is a value
        // that the memory had after the flush.
        let snapshot = unsafe slotAddress(slot) + CodeCache.snapshotOffset
        for word in 0..<Int(GuestPage.size) / 8 {
            let now = unsafe ga_load_64(host + word * 8)
            guard unsafe now != snapshot.load(fromByteOffset: word * 8, as: UInt64.self) else { continue }
            unsafe snapshot.storeBytes(of: now, toByteOffset: word * 8, as: UInt64.self)
            // A 32-bit instruction that begins 2 bytes before the word reaches into it.
            for index in max(0, word * 4 - 1)..<word * 4 + 4 { (ops + index).pointee = MicroOp(.decode) }
        }
    }

    /// The bits of the instruction at `index` of the page that begins at `base`: a 16-bit one in the low half, or nil
    /// if it is a 32-bit one that goes on in the next page.
    func bits(_ base: OpPointer, index: Int) -> UInt32? {
        // SAFETY: `base` begins a slot; the index is within the page.
        let snapshot = unsafe UnsafeRawPointer(base.address) + CodeCache.snapshotOffset
        let low = unsafe UInt32(snapshot.load(fromByteOffset: index * 2, as: UInt16.self))
        guard low & 3 == 3 else { return low }
        guard index < CodeCache.opsPerPage - 1 else { return nil }
        return unsafe low | UInt32(snapshot.load(fromByteOffset: index * 2 + 2, as: UInt16.self)) << 16
    }
}

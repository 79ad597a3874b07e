// SPDX-License-Identifier: Apache-2.0

import CGuestAtomics
import VMMemory

/// Decoded instructions of one processor, by guest-physical page and code mode.
///
/// A page has a table that says for each of its bytes which micro-op the instruction beginning there became, if it was
/// decoded yet, and a snapshot of its bytes: instructions are decoded from the snapshot, never from memory. Micro-ops lie
/// in an arena, a run of instructions one behind the other.
///
/// Pages with decoded instructions are marked in the write hook. The processor's own stores to such a page drop it at
/// once if they touch what was decoded (`Processor.noteOwnWrite`); when others write, every page is compared with memory
/// before it runs again (`expire`). When either the pages or the arena are used up, everything goes.
@safe
final class CodeCache {
    /// The most micro-ops that one run is decoded to, its last one included.
    static var longestRun: Int { 64 }
    private static var tableBytes: Int { Int(GuestPage.size) * 4 }
    private static var pageBytes: Int { tableBytes + Int(GuestPage.size) }
    private static var scratchOps: Int { 4 }

    // SAFETY: `slots` pages of `pageBytes`, then `capacity` micro-ops, in memory that the processor keeps.
    private let storage: UnsafeMutableRawPointer
    private let arenaAddress: UnsafeMutablePointer<MicroOp>
    private let slots: Int
    private let capacity: Int
    private var usedSlots = 0
    /// Micro-ops in use; the first ones are the scratch run, so that no index in a table is zero.
    private var usedOps = CodeCache.scratchOps
    /// Which slot a physical page in a code mode has: page number × 4 + mode.
    private var slotOfKey: [UInt64: Int] = [:]
    private var infos: [Info] = []
    private var epoch: UInt64 = 0

    private struct Info {
        var key: UInt64
        var epoch: UInt64
        /// A bit for each 64 bytes from which something was decoded.
        var chunks: UInt64
    }

    /// What a cache takes whose contents are to take at most `limit`: 1 MiB at least.
    static func bytes(limit: Int) -> Int { max(1 << 20, limit) & ~63 }

    /// A cache in `bytes`, of `bytes(limit:)`, at `memory`, aligned to 64, which outlives it.
    init(in memory: UnsafeMutableRawPointer, bytes: Int) {
        slots = bytes * 2 / 5 / CodeCache.pageBytes
        capacity = (bytes - slots * CodeCache.pageBytes) / MemoryLayout<MicroOp>.stride
        // SAFETY: the caller's promise.
        unsafe storage = memory
        unsafe arenaAddress = (memory + slots * CodeCache.pageBytes).assumingMemoryBound(to: MicroOp.self)
        unsafe arenaAddress.initialize(repeating: MicroOp(.leave), count: CodeCache.scratchOps)
    }

    /// The micro-op that tables count from.
    var arena: OpPointer { unsafe OpPointer(arenaAddress) }  // SAFETY: initialised in init.

    /// Where a single instruction runs outside of a page: one micro-op, then one that leaves.
    var scratch: OpPointer { arena + 1 }

    /// Forgets everything. The caller flushes the fetch entries.
    func flush() {
        usedSlots = 0
        usedOps = CodeCache.scratchOps
        slotOfKey.removeAll(keepingCapacity: true)
        infos.removeAll(keepingCapacity: true)
    }

    /// Whether another run fits. Where not, the caller flushes.
    var hasRoom: Bool { usedOps + CodeCache.longestRun <= capacity }

    /// Makes every page be compared with memory before it runs again. The caller flushes the fetch entries.
    func expire() { epoch &+= 1 }

    /// How a page was found.
    enum Lookup {
        case found(CodePage)
        /// It is to be marked and then given its bytes: `refresh`.
        case stale(CodePage)
        /// No page is left: the caller flushes.
        case full
    }

    /// The decoded page of physical page `number` in `mode`.
    func find(_ number: UInt64, _ mode: CodeMode) -> Lookup {
        let key = number << 2 | UInt64(mode.rawValue)
        if let slot = slotOfKey[key] {
            return infos[slot].epoch == epoch ? .found(page(slot)) : .stale(page(slot))
        }
        guard usedSlots < slots else { return .full }
        let slot = usedSlots
        usedSlots += 1
        slotOfKey[key] = slot
        infos.append(Info(key: key, epoch: epoch &- 1, chunks: 0))
        let page = page(slot)
        page.clear()
        return .stale(page)
    }

    /// Compares a page with its bytes at `host` and drops what was decoded of it if they differ. True if it did.
    func refresh(_ page: CodePage, host: UnsafeMutableRawPointer) -> Bool {
        let slot = slot(page)
        infos[slot].epoch = epoch
        // SAFETY: `host` is one page of mapped guest memory, by the caller's translation; others may store there
        // meanwhile, and whatever is seen is a value that the memory had after the page was marked.
        var differs = false
        let snapshot = unsafe page.snapshot
        for offset in stride(from: 0, to: Int(GuestPage.size), by: 8) {
            let now = unsafe ga_load_64(host + offset)
            guard unsafe now != snapshot.load(fromByteOffset: offset, as: UInt64.self) else { continue }
            unsafe snapshot.storeBytes(of: now, toByteOffset: offset, as: UInt64.self)
            differs = true
        }
        guard differs, infos[slot].chunks != 0 else { return false }
        infos[slot].chunks = 0
        page.clear()
        return true
    }

    /// Whether anything is decoded of physical page `number`, in any mode.
    func holds(_ number: UInt64) -> Bool {
        (0..<3).contains { mode in
            guard let slot = slotOfKey[number << 2 | UInt64(mode)] else { return false }
            return infos[slot].chunks != 0
        }
    }

    /// Hears that `count` bytes at `offset` of physical page `number` were written by this processor: drops what was
    /// decoded of the page, if any of it was from there. True if it did.
    func drop(_ number: UInt64, offset: UInt64, count: UInt64) -> Bool {
        let first = offset >> 6
        let last = (offset &+ count &- 1) >> 6
        let touched = (UInt64.max >> (63 &- (last &- first) & 63)) << (first & 63)
        var dropped = false
        for mode in 0..<3 {
            guard let slot = slotOfKey[number << 2 | UInt64(mode)] else { continue }
            guard infos[slot].chunks & touched != 0 else {
                // The snapshot must not go on without the new bytes.
                infos[slot].epoch = epoch &- 1
                dropped = true
                continue
            }
            infos[slot].chunks = 0
            infos[slot].epoch = epoch &- 1
            page(slot).clear()
            dropped = true
        }
        return dropped
    }

    /// Appends a run that begins at `offset` of `page` and was decoded from the `bytes` bytes there.
    func append(_ op: MicroOp) {
        // SAFETY: `hasRoom` was asked before a run was begun.
        unsafe (arenaAddress + usedOps).initialize(to: op)
        usedOps += 1
    }

    /// The index that the next micro-op gets.
    var nextIndex: UInt32 { UInt32(truncatingIfNeeded: usedOps) }

    /// Notes that the bytes from `offset` up to `end` of `page` were decoded.
    func noteDecoded(_ page: CodePage, from offset: Int, to end: Int) {
        let slot = slot(page)
        for chunk in offset >> 6...max(offset, min(end, Int(GuestPage.size)) - 1) >> 6 {
            infos[slot].chunks |= 1 << UInt64(chunk)
        }
    }

    /// The physical page number that `page` was made from.
    func number(_ page: CodePage) -> UInt64 { infos[slot(page)].key >> 2 }

    private func page(_ slot: Int) -> CodePage {
        // SAFETY: slots are below `slots`.
        unsafe CodePage(storage + slot * CodeCache.pageBytes)
    }

    private func slot(_ page: CodePage) -> Int {
        // SAFETY: pages lie in `storage`.
        unsafe (page.address - storage) / CodeCache.pageBytes
    }
}

/// The table and the snapshot of one decoded page.
@safe
struct CodePage: Equatable {
    // SAFETY: a slot of a CodeCache that outlives the run.
    let address: UnsafeMutableRawPointer

    @inline(__always)
    init(_ address: UnsafeMutableRawPointer) {
        // SAFETY: stored; the caller's promise is the rest.
        unsafe self.address = address
    }

    /// The page that `bitPattern` gave, or nil for zero.
    @inline(__always)
    init?(bitPattern: UInt) {
        // SAFETY: made from a live CodePage.
        guard let address = unsafe UnsafeMutableRawPointer(bitPattern: bitPattern) else { return nil }
        unsafe self.address = address
    }

    var bitPattern: UInt { unsafe UInt(bitPattern: address) }  // SAFETY: the number only.

    static func == (left: CodePage, right: CodePage) -> Bool { left.bitPattern == right.bitPattern }

    /// The micro-op's index for the instruction at `offset`, below 4096, in the arena; zero: not decoded.
    subscript(offset: Int) -> UInt32 {
        @inline(__always)
        get {
            // SAFETY: the table has 4096 entries.
            unsafe address.load(fromByteOffset: offset &* 4, as: UInt32.self)
        }
        nonmutating set {
            // SAFETY: as above.
            unsafe address.storeBytes(of: newValue, toByteOffset: offset &* 4, as: UInt32.self)
        }
    }

    /// Forgets all that was decoded.
    func clear() {
        // SAFETY: the table.
        unsafe _ = address.initializeMemory(as: UInt8.self, repeating: 0, count: Int(GuestPage.size) * 4)
    }

    /// The bytes that instructions are decoded from.
    var snapshot: UnsafeMutableRawPointer {
        // SAFETY: behind the table.
        unsafe address + Int(GuestPage.size) * 4
    }
}

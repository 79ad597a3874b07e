// SPDX-License-Identifier: Apache-2.0

import VMMemory

/// The soft TLB: from linear pages straight to host memory, a set of entries for each way in which loads and
/// stores, or fetches, may be allowed, so that a change of privilege empties nothing.
///
/// An entry's tag is the page's linear address with the generation in bits 3 to 11. It is found by the address of an
/// access's first byte and compared with that of its last one, so that one comparison proves page, permission,
/// generation and that no page's end is crossed. A flush moves the generation on. Zero is never a valid tag, as
/// generations begin at 1.
@safe
final class TranslationCache {
    /// Which permissions an entry was checked against.
    enum Context: Int {
        /// CPL 3.
        case user = 0
        /// CPL 0 to 2 where SMAP keeps it from user pages.
        case supervisor = 1
        /// CPL 0 to 2 without SMAP, or with AC set.
        case supervisorUserAccess = 2
        /// No paging.
        case physical = 3
    }

    /// Data entries a context: readTag, writeTag, addend, unused; 32 bytes.
    static var dataEntries: UInt64 { 1024 }
    /// Fetch entries a context and code mode: tag, address of the page's decoded instructions; 16 bytes.
    static var fetchEntries: UInt64 { 256 }
    private static var fetchSets: Int { 12 }
    private static var dataBytes: Int { Int(dataEntries) * 32 }
    private static var fetchBytes: Int { Int(fetchEntries) * 16 }
    /// What a cache takes in all.
    static var bytes: Int { 4 * dataBytes + fetchSets * fetchBytes }

    // SAFETY: four and twelve sets, in memory that the processor keeps; indices are masked.
    private let data: UnsafeMutableRawPointer
    private let fetch: UnsafeMutableRawPointer
    /// The current generations, shifted to where tags have them.
    private(set) var dataGeneration: UInt64 = 8
    private(set) var fetchGeneration: UInt64 = 8
    /// The last generations that were given away.
    private var lastData: UInt64 = 8
    private var lastFetch: UInt64 = 8
    /// The contexts (PCIDs) whose entries are kept while another is in use, each under its own generations.
    private var spaces = InlineArray<8, AddressSpace>(repeating: AddressSpace())
    private var currentSpace = 0
    private var victim = 0

    private struct AddressSpace {
        /// The context's identifier; all ones: free.
        var identifier = UInt64.max
        /// Its generations; zero: nothing is kept.
        var data: UInt64 = 0
        var fetch: UInt64 = 0
    }

    /// Where entries came from pages larger than 4 KiB since the last flush: a bit for a 2 MiB region, by its number
    /// modulo the bits, so that a flush of one address seldom takes such a page for what it is not.
    private var largeRegions = InlineArray<32, UInt64>(repeating: 0)
    /// The range of pages larger than 2 MiB.
    private var giantLow = UInt64.max
    private var giantHigh: UInt64 = 0

    /// A cache in `bytes` zeroed bytes at `memory`, which outlives it: no entry is valid.
    init(in memory: UnsafeMutableRawPointer) {
        // SAFETY: the caller's promise.
        unsafe data = memory
        unsafe fetch = memory + 4 * TranslationCache.dataBytes
    }

    private func clear() {
        // SAFETY: the whole of both allocations.
        unsafe data.initializeMemory(as: UInt8.self, repeating: 0, count: 4 * TranslationCache.dataBytes)
        unsafe fetch.initializeMemory(
            as: UInt8.self, repeating: 0, count: TranslationCache.fetchSets * TranslationCache.fetchBytes)
    }

    /// The set for loads and stores in `context`.
    func dataSet(_ context: Context) -> DataSet {
        // SAFETY: one of four sets.
        unsafe DataSet(base: data + context.rawValue * TranslationCache.dataBytes)
    }

    /// The set for fetches in `context` and `mode`.
    func fetchSet(_ context: Context, _ mode: CodeMode) -> FetchSet {
        // SAFETY: one of twelve sets.
        unsafe FetchSet(base: fetch + (context.rawValue * 3 + Int(mode.rawValue)) * TranslationCache.fetchBytes)
    }

    /// Forgets everything.
    func flush() {
        flushFetches()
        flushData()
        largeRegions = InlineArray(repeating: 0)
        giantLow = .max
        giantHigh = 0
    }

    /// Forgets where loads and stores go, in all contexts.
    func flushData() {
        for index in spaces.indices { spaces[index].data = 0 }
        renewData()
    }

    /// Forgets where instructions come from, so that the next fetch of each page looks whether its code changed.
    func flushFetches() {
        for index in spaces.indices { spaces[index].fetch = 0 }
        renewFetches()
    }

    private func renewData() {
        lastData += 8
        if lastData > GuestPage.offsetMask { return restart() }
        dataGeneration = lastData
    }

    private func renewFetches() {
        lastFetch += 8
        if lastFetch > GuestPage.offsetMask { return restart() }
        fetchGeneration = lastFetch
    }

    private func restart() {
        clear()
        for index in spaces.indices {
            spaces[index].data = 0
            spaces[index].fetch = 0
        }
        lastData = 8
        lastFetch = 8
        dataGeneration = 8
        fetchGeneration = 8
    }

    // MARK: Contexts (Intel SDM Vol 3A §5.10.1)

    /// Goes over to the context `identifier`: with what was kept of it, or with nothing. Pages that are global are kept
    /// once for each context.
    func enter(_ identifier: UInt64, keeps: Bool) {
        spaces[currentSpace].data = dataGeneration
        spaces[currentSpace].fetch = fetchGeneration
        let known = spaces.indices.first { spaces[$0].identifier == identifier }
        let space: Int
        if let known {
            space = known
        } else {
            victim = (victim + 1) % spaces.count
            space = victim
            spaces[space] = AddressSpace(identifier: identifier)
        }
        currentSpace = space
        if !keeps { spaces[space] = AddressSpace(identifier: identifier) }
        // A renewal may begin all generations anew, and then nothing is kept any more.
        if spaces[space].data != 0 { dataGeneration = spaces[space].data } else { renewData() }
        if spaces[space].fetch != 0 { fetchGeneration = spaces[space].fetch } else { renewFetches() }
    }

    /// Forgets what is kept of the context `identifier`.
    func forget(_ identifier: UInt64) {
        if spaces[currentSpace].identifier == identifier { return enter(identifier, keeps: false) }
        for index in spaces.indices where spaces[index].identifier == identifier {
            spaces[index] = AddressSpace()
        }
    }

    /// Forgets what was cached for the page of `address`, and all of it if that may be part of a larger page.
    func flush(page address: UInt64) {
        if address >= giantLow && address <= giantHigh { return flush() }
        let region = TranslationCache.largeRegion(address)
        if largeRegions[region.word] & region.bit != 0 { return flush() }
        for context in 0..<4 {
            // SAFETY: sets 0 to 3.
            unsafe DataSet(base: data + context * TranslationCache.dataBytes).remove(address)
        }
        for set in 0..<TranslationCache.fetchSets {
            // SAFETY: sets 0 to 11.
            unsafe FetchSet(base: fetch + set * TranslationCache.fetchBytes).remove(address)
        }
    }

    /// Notes that an entry came from a page of `size` bytes around `address`.
    func noteLarge(_ address: UInt64, size: UInt64) {
        guard size > GuestPage.size else { return }
        guard size <= 2 << 20 else {
            giantLow = min(giantLow, address & ~(size - 1))
            giantHigh = max(giantHigh, address | (size - 1))
            return
        }
        let region = TranslationCache.largeRegion(address)
        largeRegions[region.word] |= region.bit
    }

    private static func largeRegion(_ address: UInt64) -> (word: Int, bit: UInt64) {
        let number = address >> 21 & 2047
        return (Int(number >> 6), 1 << (number & 63))
    }
}

/// The soft TLB's entries for loads and stores in one context.
@safe
struct DataSet {
    // SAFETY: `TranslationCache.dataEntries` entries of 32 bytes; every index is masked. The cache outlives it.
    let base: UnsafeMutableRawPointer

    /// The set as a number, for `ProcessorState`.
    var bitPattern: UInt { unsafe UInt(bitPattern: base) }  // SAFETY: the number only.

    @inline(__always)
    private func entry(_ address: UInt64) -> UnsafeMutableRawPointer {
        // SAFETY: the index is masked.
        unsafe base + Int(truncatingIfNeeded: (address >> 12 & (TranslationCache.dataEntries - 1)) &* 32)
    }

    /// Host memory for an access of `count` bytes, 1 to a page's, that is allowed and within a page, or nil.
    @inline(__always)
    func find(
        _ address: UInt64, count: UInt64, generation: UInt64, writes: Bool
    ) -> UnsafeMutableRawPointer? {
        // SAFETY: an entry whose tag matches has an addend that leads into mapped guest RAM.
        let entry = unsafe entry(address)
        let tag = unsafe entry.load(fromByteOffset: writes ? 8 : 0, as: UInt64.self)
        guard (address &+ (count &- 1)) & ~GuestPage.offsetMask | generation == tag else { return nil }
        let addend = unsafe entry.load(fromByteOffset: 16, as: UInt64.self)
        return unsafe UnsafeMutableRawPointer(bitPattern: UInt(truncatingIfNeeded: address &+ addend))
    }

    /// Caches that the page of `address` lies at `host`, for reads, writes or both. The other kind is kept if it is
    /// there for the same page at the same place: permissions that were checked for another page frame prove nothing.
    func insert(
        _ address: UInt64, host: UnsafeMutableRawPointer, generation: UInt64, reads: Bool, writes: Bool
    ) {
        let page = address & ~GuestPage.offsetMask
        let tag = page | generation
        // SAFETY: the index is masked; entries are trivial.
        let entry = unsafe entry(address)
        let addend = UInt64(UInt(bitPattern: host)) &- page
        let stays = unsafe entry.load(fromByteOffset: 16, as: UInt64.self) == addend
        let keepsRead = unsafe stays && entry.load(as: UInt64.self) == tag
        let keepsWrite = unsafe stays && entry.load(fromByteOffset: 8, as: UInt64.self) == tag
        unsafe entry.storeBytes(of: reads || keepsRead ? tag : 0, as: UInt64.self)
        unsafe entry.storeBytes(of: writes || keepsWrite ? tag : 0, toByteOffset: 8, as: UInt64.self)
        unsafe entry.storeBytes(of: addend, toByteOffset: 16, as: UInt64.self)
    }

    /// Forgets the entry where `address` would be.
    func remove(_ address: UInt64) {
        // SAFETY: the index is masked.
        let entry = unsafe entry(address)
        unsafe entry.storeBytes(of: 0, as: UInt64.self)
        unsafe entry.storeBytes(of: 0, toByteOffset: 8, as: UInt64.self)
    }
}

/// The soft TLB's entries for fetches in one context: which decoded page a linear page runs from.
@safe
struct FetchSet {
    // SAFETY: `TranslationCache.fetchEntries` entries of 16 bytes; every index is masked. The cache outlives it.
    let base: UnsafeMutableRawPointer

    /// The set as a number, for `ProcessorState`.
    var bitPattern: UInt { unsafe UInt(bitPattern: base) }  // SAFETY: the number only.

    @inline(__always)
    private func entry(_ address: UInt64) -> UnsafeMutableRawPointer {
        // SAFETY: the index is masked.
        unsafe base + Int(truncatingIfNeeded: (address >> 12 & (TranslationCache.fetchEntries - 1)) &* 16)
    }

    /// The decoded page for `page`, a page's address, or nil.
    @inline(__always)
    func find(_ page: UInt64, generation: UInt64) -> CodePage? {
        // SAFETY: an entry whose tag matches holds the address of a live decoded page.
        let entry = unsafe entry(page)
        guard unsafe entry.load(as: UInt64.self) == page | generation else { return nil }
        return unsafe CodePage(bitPattern: entry.load(fromByteOffset: 8, as: UInt.self))
    }

    /// Caches that `page`, a page's address, runs from `code`.
    func insert(_ page: UInt64, code: CodePage, generation: UInt64) {
        // SAFETY: the index is masked.
        let entry = unsafe entry(page)
        unsafe entry.storeBytes(of: page | generation, as: UInt64.self)
        unsafe entry.storeBytes(of: code.bitPattern, toByteOffset: 8, as: UInt.self)
    }

    /// Forgets the entry where `address` would be.
    func remove(_ address: UInt64) {
        // SAFETY: the index is masked.
        unsafe entry(address).storeBytes(of: 0, as: UInt64.self)
    }
}

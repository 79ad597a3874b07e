// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
import Synchronization
public import SystemPackage

/// What the guests of one runtime folder tell each other about their use of the processors: a page a guest in a file
/// that all of them map.
///
/// A guest writes its own page and reads the others'; it keeps no descriptor that could write the file. The first page
/// has one bell a guest, which anyone may ring. What is read is another process's word: `ProcessorShare` bounds it.
/// A page belongs to whoever holds a lock on its first byte, so that a killed guest's page is free.
///
/// Layout: page 0: `UInt64` version, `UInt32` changes (a guest came, went or moved), from 1024 `UInt32` bells.
/// Page 1 + n, all `UInt64`: see `Word`.
@safe
public final class ProcessorPool: Sendable {
    /// Guests that share; one that comes later runs without shares.
    public static let seats = 256
    /// The file's name in a runtime folder. It has the layout's version: another version's guests share apart.
    public static let fileName = "pool.1"

    static let page = 4096
    private static var size: Int { (1 + seats) * page }
    private static var changesOffset: Int { 8 }
    private static var bellsOffset: Int { 1024 }

    /// The words of a guest's page.
    enum Word: Int {
        /// Not 0: taken.
        case state = 0
        /// Monotonic nanoseconds of the governor's last look.
        case beat = 1
        /// CPU time in nanoseconds by the default share: twice as much for a guest of half the shares.
        case virtualTime = 2
        /// vCPUs that run, or would if no other guest were there.
        case wanting = 3
        /// vCPUs in all.
        case processors = 4
        case shares = 5
        /// 64 CPUs a word from here: where its vCPUs may run.
        case cpus = 8
    }

    // SAFETY: mapped from init to deinit: the first page for writing, all pages for reading, the own page for writing.
    // Words in them are accessed atomically alone.
    private nonisolated(unsafe) let header: UnsafeMutableRawPointer
    private nonisolated(unsafe) let all: UnsafeMutableRawPointer
    private nonisolated(unsafe) let own: UnsafeMutableRawPointer
    /// Which page is this guest's.
    let seat: Int
    /// Open for reading, so that nothing but the lock comes of it; nil for a pool of one.
    private let lock: FileDescriptor?

    /// Takes a seat in the pool of the runtime folder `folder`.
    public convenience init(folder: FilePath) throws(HostError) {
        let path = folder.appending(Self.fileName)
        let file = try Self.openFile(path)
        try Self.withAllocation(of: file.raw, path) { () throws(HostError) in
            try Self.prepare(file.raw, path)
        }
        let lock = try Descriptor.open(path, .readOnly, options: .noFollow)
        let seat = try Self.withAllocation(of: file.raw, path) { () throws(HostError) in
            try Self.takeSeat(file.raw, lock.raw)
        }
        try self.init(mapping: file.raw, seat: seat, lock: lock.take())
    }

    /// A pool of one guest, which shares with nobody.
    public convenience init() throws(HostError) { try self.init(mapping: nil, seat: 0, lock: nil) }

    private init(mapping file: FileDescriptor?, seat: Int, lock: FileDescriptor?) throws(HostError) {
        self.seat = seat
        self.lock = lock
        var maps: [UnsafeMutableRawPointer] = unsafe []
        let parts = [(0, Self.page, true), (0, Self.size, false), ((1 + seat) * Self.page, Self.page, true)]
        // Anonymous memory has nobody to be kept from writing: its one mapping serves as all three.
        for (offset, size, isWritten) in file == nil ? [(0, Self.size, true)] : parts {
            let access = isWritten ? PROT_READ | PROT_WRITE : PROT_READ
            let kind = file == nil ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED
            // SAFETY: a new mapping where the kernel likes, of a file that is as large.
            let map = unsafe mmap(nil, size, access, kind, file?.rawValue ?? -1, off_t(offset))
            guard unsafe map != MAP_FAILED, let map = unsafe map else {
                let error = Errno.current
                for unsafe(map, part) in unsafe zip(maps, parts) { unsafe munmap(map, part.1) }
                try? lock?.close()
                throw HostError("cannot map the pool of processors", error)
            }
            unsafe maps.append(map)
        }
        // SAFETY: as mapped above.
        unsafe header = maps[0]
        unsafe all = file == nil ? maps[0] : maps[1]
        unsafe own = file == nil ? maps[0] + (1 + seat) * Self.page : maps[2]
        store(.state, 1)
        announce()
    }

    deinit {
        store(.wanting, 0)
        store(.state, 0)
        announce()
        // SAFETY: what init mapped, once; nobody has this object any more.
        unsafe munmap(all, Self.size)
        if lock != nil {
            unsafe munmap(header, Self.page)
            unsafe munmap(own, Self.page)
        }
        try? lock?.close()
    }

    // MARK: The own page

    /// Writes a word of the own page.
    func store(_ word: Word, _ value: UInt64) {
        // SAFETY: see `own`.
        unsafe Self.atomic(own, word.rawValue * 8, UInt64.self).pointee.store(value, ordering: .releasing)
    }

    /// Says where the own vCPUs may run.
    func store(_ cpus: CPUSet) {
        for (index, word) in cpus.words.enumerated() {
            let offset = (Word.cpus.rawValue + index) * 8
            // SAFETY: see `own`; the set has 16 words.
            unsafe Self.atomic(own, offset, UInt64.self).pointee.store(word, ordering: .releasing)
        }
    }

    // MARK: The others'

    /// The seats of others that are taken.
    func takenSeats() -> [Int] { (0..<Self.seats).filter { $0 != seat && load(.state, of: $0) != 0 } }

    func load(_ word: Word, of seat: Int) -> UInt64 {
        // SAFETY: see `all`; a seat is below `seats`.
        unsafe Self.atomic(all, (1 + seat) * Self.page + word.rawValue * 8, UInt64.self).pointee.load(
            ordering: .acquiring)
    }

    func loadCPUs(of seat: Int) -> CPUSet {
        let start = (1 + seat) * Self.page + Word.cpus.rawValue * 8
        // SAFETY: as in `load`.
        return CPUSet(
            words: (0..<CPUSet.wordCount).map {
                unsafe Self.atomic(all, start + $0 * 8, UInt64.self).pointee.load(ordering: .relaxed)
            })
    }

    // MARK: Bells

    /// Counts guests that came, went or moved.
    var changes: UInt32 {
        // SAFETY: see `header`.
        unsafe Self.atomic(header, Self.changesOffset, UInt32.self).pointee.load(ordering: .acquiring)
    }

    /// Makes the others look who is there.
    func announce() {
        // SAFETY: see `header`.
        unsafe Self.atomic(header, Self.changesOffset, UInt32.self).pointee.wrappingAdd(
            1, ordering: .acquiringAndReleasing)
        for seat in takenSeats() { ring(seat) }
    }

    /// What the own bell stands at: read before looking, given to `wait`.
    var bell: UInt32 {
        // SAFETY: see `header`.
        unsafe bellWord(seat).pointee.load(ordering: .sequentiallyConsistent)
    }

    /// Rings the own bell.
    func ring() { ring(seat) }

    private func ring(_ seat: Int) {
        // SAFETY: see `header`.
        unsafe bellWord(seat).pointee.wrappingAdd(1, ordering: .sequentiallyConsistent)
        unsafe chost_shared_wake(UnsafeRawPointer(bellWord(seat)).assumingMemoryBound(to: UInt32.self))
    }

    /// Sleeps until the own bell stands at something else than `bell`, or until `deadline`.
    func wait(while bell: UInt32, untilMonotonic deadline: UInt64?) {
        // SAFETY: see `header`.
        unsafe _ = chost_shared_wait(
            UnsafeRawPointer(bellWord(seat)).assumingMemoryBound(to: UInt32.self), bell, deadline ?? .max)
    }

    private func bellWord(_ seat: Int) -> UnsafeMutablePointer<Atomic<UInt32>> {
        // SAFETY: within the first page: 1024 and four bytes a seat.
        unsafe Self.atomic(header, Self.bellsOffset + seat * 4, UInt32.self)
    }

    private static func atomic<Value>(
        _ base: UnsafeMutableRawPointer, _ offset: Int, _: Value.Type
    ) -> UnsafeMutablePointer<Atomic<Value>> {
        // SAFETY: an atomic has the layout of its value; offsets here are multiples of the value's size.
        unsafe (base + offset).assumingMemoryBound(to: Atomic<Value>.self)
    }
}

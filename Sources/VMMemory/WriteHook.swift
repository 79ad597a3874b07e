// SPDX-License-Identifier: Apache-2.0

import CGuestAtomics
import Synchronization

/// What every write to guest memory passes: a byte of marks a page, and who is told when a marked page is written.
///
/// A page with no mark costs a writer one load. An engine may write past the hook on a page that it has noted once and
/// that has had no mark since; who sets a mark afterwards makes the vCPUs forget their writable pages first
/// (`forgetWrites` in each mailbox), so that the next store comes here again.
public final class WriteHook: Sendable {
    /// Why a page's writes are of interest; a byte a page.
    public struct Marks: OptionSet, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// The dirty log is on and the page was not yet written since it was last read.
        public static let clean = Marks(rawValue: 1)
        /// An engine has code made from this page.
        public static let code = Marks(rawValue: 2)
    }

    @safe
    private struct Table: Sendable {
        let firstPage: UInt64
        let pages: UInt64
        // SAFETY: `pages` bytes, allocated in init, freed in deinit, accessed atomically within bounds.
        nonisolated(unsafe) let marks: UnsafeMutableRawPointer
    }

    private let tables: [Table]
    private let listening = Atomic<Bool>(false)
    /// Called with the page number before a page marked `code` is written, on the writer's thread.
    // SAFETY: written once, before `listening` is released; read only after it was acquired.
    private nonisolated(unsafe) var codeListener: (@Sendable (UInt64) -> Void)?

    init(regions: [MemoryRegion]) {
        tables = regions.map { region in
            let pages = region.size >> GuestPage.shift
            // SAFETY: `pages` bytes, zeroed before anyone sees them.
            let marks = UnsafeMutableRawPointer.allocate(byteCount: Int(pages), alignment: 8)
            unsafe marks.initializeMemory(as: UInt8.self, repeating: 0, count: Int(pages))
            return unsafe Table(firstPage: region.base.page, pages: pages, marks: marks)
        }
    }

    deinit {
        // SAFETY: allocated in init, freed once.
        for table in tables { unsafe table.marks.deallocate() }
    }

    /// Sets who hears of writes to code pages. Called once, before any vCPU runs.
    public func listenForCode(_ listener: @escaping @Sendable (UInt64) -> Void) {
        precondition(!listening.load(ordering: .relaxed), "the code listener is set once")
        // SAFETY: written before `listening` is released, read only after it was acquired.
        unsafe codeListener = listener
        listening.store(true, ordering: .releasing)
    }

    /// Hears a write of `count` bytes at `address`; addresses outside RAM are ignored.
    @usableFromInline
    func note(_ address: GuestAddress, count: UInt64) {
        let first = address.page
        let last = (address + (count &- 1)).page
        guard count > 0, first <= last else { return }
        for page in first...last {
            // SAFETY: `mark` is nil or a byte of a table.
            guard let mark = unsafe mark(of: page) else { return }
            if unsafe ga_load_8(mark) != 0 { unsafe noteMarked(page, mark) }
        }
    }

    /// Marks `page`; true if the mark is new. The caller then makes every vCPU forget the page as writable.
    public func mark(_ page: UInt64, _ marks: Marks) -> Bool {
        // SAFETY: `mark` is nil or a byte of a table.
        guard let mark = unsafe mark(of: page) else { return false }
        return unsafe ga_fetch_or_8(mark, marks.rawValue) & marks.rawValue != marks.rawValue
    }

    /// The marks of `page`; none outside RAM.
    public func marks(of page: UInt64) -> Marks {
        // SAFETY: `mark` is nil or a byte of a table.
        guard let mark = unsafe mark(of: page) else { return [] }
        return unsafe Marks(rawValue: ga_load_8(mark))
    }

    @inline(never)
    private func noteMarked(_ page: UInt64, _ mark: UnsafeMutableRawPointer) {
        // SAFETY: `mark` is a byte of a table.
        let before = unsafe Marks(rawValue: ga_exchange_8(mark, 0))
        guard before.contains(.code), listening.load(ordering: .acquiring) else { return }
        // SAFETY: `listening` was acquired, so the write of the listener is visible and it is never written again.
        unsafe codeListener?(page)
    }

    @inline(__always)
    private func mark(of page: UInt64) -> UnsafeMutableRawPointer? {
        for table in tables where page &- table.firstPage < table.pages {
            // SAFETY: the index is within the table.
            return unsafe table.marks + Int(truncatingIfNeeded: page &- table.firstPage)
        }
        return nil
    }
}

// SPDX-License-Identifier: Apache-2.0

import CGuestAtomics
import Synchronization
import VMMemory

/// Held by the processor that makes a locked access across two 8-byte words: such accesses are atomic with regard to each
/// other (Intel SDM Vol 3A §9.1.2.2), not with regard to those within one word.
private let splitLock = Atomic<Bool>(false)

extension Processor {
    /// Replaces `T` at `address` by what `body` makes of it, atomically. What was there, or nil when a fault was raised.
    @inline(__always)
    func updateLocked<T: Operand>(_ type: T.Type, at address: UInt64, stack: Bool, _ body: (T) -> T) -> T? {
        let bytes = UInt64(MemoryLayout<T>.size)
        guard (address & 7) + bytes <= 8 else { return updateSplit(type, at: address, stack: stack, body) }
        // SAFETY: 8 aligned bytes of RAM, proved by `lockedWord`; `word` is nil where there is none.
        guard let word = unsafe lockedWord(address, bytes: bytes, stack: stack) else {
            return faulted ? nil : updateSplit(type, at: address, stack: stack, body)
        }
        let shift = (address & 7) &* 8
        let mask = UInt64(truncatingIfNeeded: T.max) &<< shift
        while true {
            let now = unsafe ga_load_64(word)
            let old = T(truncatingIfNeeded: now &>> shift)
            let new = UInt64(truncatingIfNeeded: body(old)) &<< shift
            if unsafe ga_compare_exchange_64(word, now, now & ~mask | new) { return old }
        }
    }

    /// The aligned 8 bytes of RAM around an access of `bytes` that lies within them, writable; nil with `faulted` set when
    /// a fault was raised, with it clear where there is a device.
    @inline(never)
    func lockedWord(_ address: UInt64, bytes: UInt64, stack: Bool) -> UnsafeMutableRawPointer? {
        faulted = false
        // SAFETY: the soft TLB's answer is RAM; an aligned word never leaves its page.
        if let host = unsafe state.dataSet.find(
            address & ~7, count: 8, generation: state.pointee.dataGeneration, writes: true)
        {
            return unsafe host
        }
        guard isAllowed(address, bytes: bytes, .write, stack: stack), let found = translate(address, .write) else {
            faulted = true
            return nil
        }
        guard let host = unsafe memory.hostPointer(at: GuestAddress(found.physical & ~7), count: 8) else { return nil }
        if noteOwnWrite(found.physical, bytes) { unsafe cache(address & ~7, found.around(8), host, writes: true) }
        noteAccess(address, bytes, .write)
        return unsafe host
    }

    /// A locked access across words, or of a device.
    @inline(__always)
    private func updateSplit<T: Operand>(_ type: T.Type, at address: UInt64, stack: Bool, _ body: (T) -> T) -> T? {
        lockSplit()
        defer { splitLock.store(false, ordering: .sequentiallyConsistent) }
        guard let old = loadForUpdate(type, at: address, stack: stack) else { return nil }
        return store(body(old), at: address, stack: stack) ? old : nil
    }

    private func lockSplit() {
        while splitLock.exchange(true, ordering: .sequentiallyConsistent) {}
    }

    /// CMPXCHG16B: replaces the 16 aligned bytes at `address` if they are `expected`. What was there, or nil when a fault
    /// was raised.
    func compareExchangePair(
        at address: UInt64, stack: Bool, expected: WordPair, desired: WordPair
    ) -> (old: WordPair, exchanged: Bool)? {
        // SAFETY: both words are in one page of RAM, aligned to 16 there.
        guard let word = unsafe lockedWord(address, bytes: 8, stack: stack) else {
            guard !faulted else { return nil }
            return exchangeDevicePair(at: address, stack: stack, expected, desired)
        }
        noteAccess(address, 16, .write)
        let pair = unsafe word.assumingMemoryBound(to: Atomic<WordPair>.self)
        let result = unsafe pair.pointee.compareExchange(
            expected: expected, desired: desired, ordering: .sequentiallyConsistent)
        return (result.original, result.exchanged)
    }

    private func exchangeDevicePair(
        at address: UInt64, stack: Bool, _ expected: WordPair, _ desired: WordPair
    ) -> (old: WordPair, exchanged: Bool)? {
        guard let low = loadForUpdate(UInt64.self, at: address, stack: stack),
            let high = loadForUpdate(UInt64.self, at: address &+ 8, stack: stack)
        else { return nil }
        let old = WordPair(first: UInt(low), second: UInt(high))
        let new = old == expected ? desired : old
        guard store(UInt64(new.first), at: address, stack: stack),
            store(UInt64(new.second), at: address &+ 8, stack: stack)
        else { return nil }
        return (old, old == expected)
    }
}

extension Translation {
    /// The translation of the aligned `count` bytes around.
    func around(_ count: UInt64) -> Translation { Translation(physical: physical & ~(count - 1), size: size) }
}

// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Bytes from one thread to another without a lock: who puts never waits, and what does not fit is not taken.
@safe
public final class ByteRing: Sendable {
    private let capacity: Int
    // SAFETY: allocated in init, freed in deinit. Bytes from `head` up to `tail` are the taker's to read, all others the
    // putter's to write; the positions are published after the bytes were touched.
    private nonisolated(unsafe) let bytes: UnsafeMutablePointer<UInt8>
    /// How many bytes were taken since the start.
    private let head = Atomic<Int>(0)
    /// How many were put.
    private let tail = Atomic<Int>(0)

    /// A ring for so many bytes.
    public init(capacity: Int) {
        precondition(capacity > 0, "a ring has room for something")
        self.capacity = capacity
        // SAFETY: freed in deinit.
        unsafe bytes = .allocate(capacity: capacity)
    }

    deinit {
        // SAFETY: allocated in init; no thread can be at a ring that is gone.
        unsafe bytes.deallocate()
    }

    /// Puts what fits of `new`: how much, and whether the taker found the ring empty and has to be told. One thread at a
    /// time.
    public func put(_ new: ArraySlice<UInt8>) -> (taken: Int, wasEmpty: Bool) {
        let end = tail.load(ordering: .relaxed)
        let taken = min(new.count, capacity - (end - head.load(ordering: .acquiring)))
        guard taken > 0 else { return (0, false) }
        for (offset, byte) in new.prefix(taken).enumerated() {
            // SAFETY: within the storage, and behind the tail: the taker does not look there yet.
            unsafe bytes[(end + offset) % capacity] = byte
        }
        // Sequentially consistent both here and in `take`: either the taker sees these bytes, or this thread sees that
        // it has taken all before them.
        tail.store(end + taken, ordering: .sequentiallyConsistent)
        return (taken, head.load(ordering: .sequentiallyConsistent) == end)
    }

    /// All that is there; nothing means that the next `put` will find the ring empty. One thread at a time.
    public func take() -> [UInt8] {
        let start = head.load(ordering: .relaxed)
        let end = tail.load(ordering: .sequentiallyConsistent)
        guard start != end else { return [] }
        let taken = (start..<end).map { position in
            // SAFETY: within the storage, and before the tail: put, and not written to again before `head` moves.
            unsafe bytes[position % capacity]
        }
        head.store(end, ordering: .sequentiallyConsistent)
        return taken
    }
}

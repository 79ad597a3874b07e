// SPDX-License-Identifier: Apache-2.0

/// Bytes on their way to a reader that may be slow: a queue with a bound.
struct OutputBuffer {
    /// What happens to bytes that do not fit.
    enum Overflow: Sendable {
        /// They are not taken: the sender waits, or drops them itself.
        case refuse
        /// The oldest make room.
        case discardOldest
    }

    let capacity: Int
    let overflow: Overflow
    private var bytes: [UInt8] = []
    private var head = 0
    /// The position in the whole stream of the first byte that is here.
    private(set) var start: UInt64 = 0
    /// Bytes that were discarded to make room.
    private(set) var discarded: UInt64 = 0

    init(capacity: Int, overflow: Overflow) {
        precondition(capacity > 0, "a buffer has room for something")
        self.capacity = capacity
        self.overflow = overflow
    }

    var count: Int { bytes.count - head }
    var isEmpty: Bool { count == 0 }
    var room: Int { capacity - count }

    /// Takes what fits of `new`, or all of it where the oldest make room; how many were taken.
    mutating func append(_ new: [UInt8]) -> Int {
        guard overflow == .discardOldest else {
            let taken = min(room, new.count)
            bytes += new[..<taken]
            return taken
        }
        let kept = new.suffix(capacity)
        let lost = max(0, count + kept.count - capacity)
        discarded += UInt64(lost + new.count - kept.count)
        removeFirst(lost)
        bytes += kept
        return new.count
    }

    /// The first bytes, at most `limit`.
    func prefix(_ limit: Int) -> ArraySlice<UInt8> { bytes[head...].prefix(limit) }

    /// All before `position` of the whole stream is done with. Some or all of it may have been discarded meanwhile.
    mutating func remove(before position: UInt64) {
        if position > start { removeFirst(Int(min(position - start, UInt64(count)))) }
    }

    private mutating func removeFirst(_ count: Int) {
        start += UInt64(count)
        head += count
        // Moving the rest costs no more than what was removed.
        if head * 2 >= bytes.count {
            bytes.removeFirst(head)
            head = 0
        }
    }

    mutating func removeAll() {
        start += UInt64(count)
        bytes = []
        head = 0
    }
}

// SPDX-License-Identifier: Apache-2.0

/// Work by deadline: a binary heap, equal deadlines in the order in which they came.
struct DeadlineQueue {
    private struct Entry {
        let deadline: UInt64
        let id: UInt64
        let work: @Sendable () -> Void

        func comesBefore(_ other: Entry) -> Bool { (deadline, id) < (other.deadline, other.id) }
    }

    private var heap: [Entry] = []
    private(set) var lastID: UInt64 = 0

    /// The next deadline.
    var earliest: UInt64? { heap.first?.deadline }
    var count: Int { heap.count }

    /// Adds `work`; the number answered cancels it.
    mutating func insert(_ deadline: UInt64, _ work: @escaping @Sendable () -> Void) -> UInt64 {
        lastID += 1
        heap.append(Entry(deadline: deadline, id: lastID, work: work))
        rise(heap.count - 1)
        return lastID
    }

    /// Takes out what was added under `id`; false where it is gone already.
    mutating func remove(_ id: UInt64) -> Bool {
        guard let index = heap.firstIndex(where: { $0.id == id }) else { return false }
        removeEntry(at: index)
        return true
    }

    /// Takes out the first work due at `now` that was added no later than `newest`.
    mutating func popDue(at now: UInt64, upTo newest: UInt64) -> (@Sendable () -> Void)? {
        guard let first = heap.first, first.deadline <= now, first.id <= newest else { return nil }
        removeEntry(at: 0)
        return first.work
    }

    private mutating func removeEntry(at index: Int) {
        let last = heap.count - 1
        heap.swapAt(index, last)
        heap.removeLast()
        guard index < last else { return }
        sink(index)
        rise(index)
    }

    private mutating func rise(_ start: Int) {
        var index = start
        while index > 0, heap[index].comesBefore(heap[(index - 1) / 2]) {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    private mutating func sink(_ start: Int) {
        var index = start
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < heap.count {
                if heap[child].comesBefore(heap[least]) { least = child }
            }
            if least == index { return }
            heap.swapAt(index, least)
            index = least
        }
    }
}

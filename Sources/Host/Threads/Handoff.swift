// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A queue into which any thread puts and from which one thread takes, without a lock: who puts never waits, whatever
/// the taker is doing. A vCPU's thread hands things to threads that serve people by it.
@safe
final class Handoff<Element: Sendable>: Sendable {
    @safe
    private final class Node {
        let element: Element
        /// What was put before this.
        // SAFETY: null, or a node that is retained until the taker comes to it.
        var next: UnsafeMutableRawPointer?

        init(_ element: Element) { self.element = element }
    }

    // SAFETY: null, or a node that was retained for the queue; the chain behind it is reached by the taker alone, after
    // it has exchanged the head for null.
    private nonisolated(unsafe) let head = unsafe Atomic<UnsafeMutableRawPointer?>(nil)

    init() {}

    deinit { _ = take() }

    /// Puts `element` behind what others put before; true if the queue was empty.
    func put(_ element: Element) -> Bool {
        let node = Node(element)
        // SAFETY: retained until `take` takes it over. A failed exchange leaves the node with this thread alone.
        let pointer = unsafe Unmanaged.passRetained(node).toOpaque()
        var expected = unsafe head.load(ordering: .relaxed)
        while true {
            unsafe node.next = expected
            let (done, found) = unsafe head.weakCompareExchange(
                expected: expected, desired: pointer, successOrdering: .releasing, failureOrdering: .relaxed)
            if done { return unsafe expected == nil }
            unsafe expected = found
        }
    }

    /// All that was put, in order. One thread at a time.
    func take() -> [Element] {
        var taken: [Element] = []
        // SAFETY: the whole chain is this thread's from here on; each node was retained once.
        var next = unsafe head.exchange(nil, ordering: .acquiring)
        while let pointer = unsafe next {
            let node = unsafe Unmanaged<Node>.fromOpaque(pointer).takeRetainedValue()
            unsafe next = node.next
            taken.append(node.element)
        }
        taken.reverse()
        return taken
    }
}

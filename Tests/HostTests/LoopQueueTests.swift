// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing

@testable import Host

/// Work for an event loop from threads that do not wait.
@Suite("Loop queue", .timeLimit(.minutes(10)))
struct LoopQueueTests {
    @Test("what several threads post at once is all done, each thread's in its order")
    func order() throws {
        let loop = try EventLoop(name: "test")
        try loop.start()
        defer { loop.stop() }
        let queue = try LoopQueue(loop)
        let done = Mutex<[[Int]]>([[], [], [], []])
        let gate = WaitGate()
        let threads = try (0..<4).map { number in
            try HostThread(name: "poster") {
                for item in 0..<2000 {
                    queue.post {
                        let isLast = done.withLock { done in
                            done[number].append(item)
                            return done.allSatisfy { $0.count == 2000 }
                        }
                        if isLast { gate.wake() }
                    }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(gate.wait(untilMonotonic: MonotonicTime.after(milliseconds: 60_000)))
        #expect(done.withLock(\.self) == [[Int]](repeating: Array(0..<2000), count: 4))
    }

    @Test("a handoff that nobody takes from lets go of what is in it")
    func release() {
        final class Thing: Sendable {}
        let handoff = Handoff<Thing>()
        weak var thing: Thing?
        do {
            let made = Thing()
            thing = made
            #expect(handoff.put(made))
            #expect(!handoff.put(Thing()))
        }
        #expect(thing != nil)
        _ = handoff.take()
        #expect(thing == nil)
        #expect(handoff.put(Thing()))
    }
}

/// Bytes from one thread to another.
@Suite("Byte ring", .timeLimit(.minutes(10)))
struct ByteRingTests {
    @Test("what fits is taken, and comes out in order, over the end and on")
    func wrapping() {
        let ring = ByteRing(capacity: 10)
        let first = ring.put([1, 2, 3, 4, 5, 6])
        #expect(first.taken == 6)
        #expect(first.wasEmpty)
        let second = ring.put([7, 8, 9, 10, 11])
        #expect(second.taken == 4)
        #expect(!second.wasEmpty)
        #expect(ring.put([11]).taken == 0)
        #expect(ring.take() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
        #expect(ring.take().isEmpty)
        #expect(ring.put([11, 12, 13]).wasEmpty)
        #expect(ring.take() == [11, 12, 13])
    }

    @Test("two threads pass bytes on, and who takes is told of all that came to an empty ring")
    func threads() throws {
        let ring = ByteRing(capacity: 64)
        let gate = WaitGate()
        let total = 200_000
        let putter = try HostThread(name: "putter") {
            var sent = 0
            while sent < total {
                let piece = (0..<min(7, total - sent)).map { UInt8(truncatingIfNeeded: sent + $0) }
                let (taken, wasEmpty) = ring.put(piece[...])
                sent += taken
                if wasEmpty { gate.wake() }
                if taken == 0 { HostThread.yield() }
            }
        }
        var received: [UInt8] = []
        while received.count < total {
            let taken = ring.take()
            received += taken
            guard taken.isEmpty else { continue }
            guard gate.wait(untilMonotonic: MonotonicTime.after(milliseconds: 60_000)) else { break }
        }
        putter.join()
        #expect(received == (0..<total).map { UInt8(truncatingIfNeeded: $0) })
    }
}

// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing

@testable import Host

/// Work for an event loop from threads that do not wait.
@Suite("Loop queue", .timeLimit(.minutes(2)))
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

// SPDX-License-Identifier: Apache-2.0

import Host
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(10))) struct WaitGateTests {
    @Test("a wake-up before the wait ends it at once, and only one wait")
    func sticky() {
        let gate = WaitGate()
        gate.wake()
        gate.wake()
        #expect(gate.wait(untilMonotonic: MonotonicTime.after(milliseconds: 10_000)))
        #expect(!gate.wait(untilMonotonic: MonotonicTime.after(milliseconds: 1)))
    }

    @Test("a deadline ends the wait, not before its time", arguments: [0, 1, 20] as [UInt64])
    func deadline(milliseconds: UInt64) {
        let deadline = MonotonicTime.after(milliseconds: milliseconds)
        #expect(!WaitGate().wait(untilMonotonic: deadline))
        #expect(MonotonicTime.now >= deadline)
    }

    @Test("a deadline long past does not sleep")
    func past() { #expect(!WaitGate().wait(untilMonotonic: 1)) }

    @Test("no wake-up is lost in a hundred thousand turns between two threads")
    func pingPong() throws {
        let (ping, pong) = (WaitGate(), WaitGate())
        let turns = 100_000
        let other = try HostThread(name: "pong") {
            for _ in 0..<turns {
                ping.wait()
                pong.wake()
            }
        }
        for _ in 0..<turns {
            ping.wake()
            pong.wait()
        }
        other.join()
    }
}

@Suite struct HostThreadTests {
    @Test("a thread runs its body under its name, cut to what Linux keeps")
    func name() throws {
        let seen = Notes<String>()
        let thread = try HostThread(name: "a-name-of-more-than-15-bytes") {
            seen.add((try? TextFile.read("/proc/thread-self/comm", limit: 64)) ?? "")
        }
        thread.join()
        #expect(seen.all == ["a-name-of-more-\n"])
    }

    @Test("the stack has the size asked for")
    func stack() throws {
        let seen = Notes<Int>()
        // A frame of 6 MiB faults on a stack of the usual megabyte.
        let thread = try HostThread(name: "deep", stackSize: 8 << 20) {
            withUnsafeTemporaryAllocation(byteCount: 6 << 20, alignment: 16) { buffer in
                for offset in stride(from: 0, to: buffer.count, by: 4096) { buffer[offset] = 1 }
                seen.add(buffer.count)
            }
        }
        thread.join()
        #expect(seen.all == [6 << 20])
    }

    @Test("a stack that cannot be had is an error with a remedy")
    func impossibleStack() {
        let error = #expect(throws: HostError.self) { try HostThread(name: "huge", stackSize: 1 << 60) {} }
        #expect(error?.description.contains("cannot start the thread 'huge'") == true)
    }
}

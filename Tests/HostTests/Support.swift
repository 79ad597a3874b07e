// SPDX-License-Identifier: Apache-2.0

import Glibc
import Host
import Synchronization
import SystemPackage

/// What callbacks on other threads noted, in order.
final class Notes<Value: Sendable>: Sendable {
    private let values = Mutex<[Value]>([])
    private let gate = WaitGate()

    func add(_ value: Value) {
        values.withLock { $0.append(value) }
        gate.wake()
    }

    var all: [Value] { values.withLock { $0 } }

    /// Waits until `count` values are there, at most ten seconds; what is there then.
    func wait(for count: Int) -> [Value] {
        let deadline = MonotonicTime.after(milliseconds: 10_000)
        while all.count < count, MonotonicTime.now < deadline { gate.wait(untilMonotonic: deadline) }
        return all
    }
}

/// How many descriptors this process has open. The runtime opens a few when it likes: compare with a margin.
func openDescriptors() -> Int { Directory.names("/proc/self/fd").count }

/// How many threads this process has.
func liveThreads() -> Int { Directory.names("/proc/self/task").count }

/// Whether `condition` holds now or within twenty seconds: the test library has threads of its own.
func settles(_ condition: () -> Bool) -> Bool {
    let deadline = MonotonicTime.after(milliseconds: 120_000)
    while !condition(), MonotonicTime.now < deadline { usleep(10_000) }
    return condition()
}

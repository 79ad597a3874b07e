// SPDX-License-Identifier: Apache-2.0

import Host
import Synchronization

/// Runs work one piece after the other on a thread that may wait: for vCPUs to stop, for disks to be quiet. Tasks share
/// few threads and must not.
final class ControlThread: Sendable {
    /// What the thread holds, apart from its owner, so that the owner's end ends it.
    private final class Queue: Sendable {
        struct State {
            var work: [@Sendable () -> Void] = []
            var isOver = false
        }

        let gate = WaitGate()
        let state = Mutex(State())

        func run() {
            while true {
                let (work, isOver) = state.withLock { state in
                    defer { state.work = [] }
                    return (state.work, state.isOver)
                }
                for piece in work { piece() }
                if work.isEmpty {
                    if isOver { return }
                    gate.wait()
                }
            }
        }
    }

    private let queue = Queue()

    init() throws(HostError) {
        let queue = queue
        _ = try HostThread(name: "control") { queue.run() }
    }

    deinit {
        queue.state.withLock { $0.isOver = true }
        queue.gate.wake()
    }

    /// Runs `work` after what was asked before.
    func async(_ work: @escaping @Sendable () -> Void) {
        queue.state.withLock { $0.work.append(work) }
        queue.gate.wake()
    }
}

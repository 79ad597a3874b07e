// SPDX-License-Identifier: Apache-2.0

import Host

/// The event loop that serves who controls a machine, and the way to it from threads that must not wait.
final class ClientLoop: Sendable {
    let loop: EventLoop
    let queue: LoopQueue

    /// A loop that runs until it is stopped.
    init() throws(HostError) {
        loop = try EventLoop(name: "clients")
        queue = try LoopQueue(loop)
        try loop.start()
    }
}

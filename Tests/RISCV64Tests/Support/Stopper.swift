// SPDX-License-Identifier: Apache-2.0

import Foundation
import MachineCore

/// Asks a hart to stop from another thread, after a while.
final class Stopper: Sendable {
    private let done = DispatchSemaphore(value: 0)

    /// Posts `.stop` to `mailbox` after `microseconds`.
    init(_ mailbox: Mailbox, after microseconds: UInt32) {
        let done = done
        Thread.detachNewThread {
            usleep(microseconds)
            mailbox.post(.stop)
            done.signal()
        }
    }

    /// Until the request has been posted; one that nobody took is taken back by the next run.
    func wait() { done.wait() }
}

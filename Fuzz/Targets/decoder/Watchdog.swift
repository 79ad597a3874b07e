// SPDX-License-Identifier: Apache-2.0

import Glibc
import MachineCore
import Synchronization

/// Stops a hart that runs for more than a few milliseconds: a program may loop for ever, and that is no finding. A hart
/// that does not stop when asked is one: libFuzzer's own limit ends the run.
final class Watchdog: Sendable {
    /// Odd while something is watched; each watch has its own number.
    private let watch = Atomic<UInt64>(0)
    private let current = Mutex<Mailbox?>(nil)

    init() {
        var thread = pthread_t()
        let myself = Unmanaged.passRetained(self).toOpaque()
        pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Watchdog>.fromOpaque(argument).takeUnretainedValue().patrol()
                return nil
            }, myself)
    }

    /// Does `work`; it ends with false if it was stopped.
    func watch(_ mailbox: Mailbox, _ work: () -> Bool) -> Bool {
        current.withLock { $0 = mailbox }
        watch.add(1, ordering: .acquiringAndReleasing)
        defer {
            watch.add(1, ordering: .acquiringAndReleasing)
            // Under the lock, so that no stop of this watch comes after it.
            current.withLock { $0 = nil }
            mailbox.withdraw(.stop)
        }
        return work()
    }

    private func patrol() {
        var seen: UInt64 = 0
        while true {
            usleep(3000)
            let now = watch.load(ordering: .acquiring)
            if now == seen, now & 1 == 1 {
                current.withLock { $0?.post(.stop) }
            }
            seen = now
        }
    }
}

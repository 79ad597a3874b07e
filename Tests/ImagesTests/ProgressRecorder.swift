// SPDX-License-Identifier: Apache-2.0
import Images
import Synchronization

/// Remembers what an operation said.
final class ProgressRecorder: Sendable {
    private let heard = Mutex<[ImageProgress]>([])

    var events: [ImageProgress] { heard.withLock { $0 } }

    func record(_ event: ImageProgress) {
        heard.withLock { $0.append(event) }
    }

    /// Returns once something has been said.
    func waitForEvent() async {
        while events.isEmpty { try? await Task.sleep(for: .milliseconds(5)) }
    }
}

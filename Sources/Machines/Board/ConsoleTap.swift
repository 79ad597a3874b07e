// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Synchronization

/// Between a console of the guest's and its backend: looks at what goes out for the line of a crash.
final class ConsoleTap: StreamBackend {
    private let backend: (any StreamBackend)?
    private let scanner = Mutex(PanicScanner())
    private let found: @Sendable (PanicScanner.Finding) -> Void

    /// A tap before `backend`; nil swallows all.
    init(_ backend: (any StreamBackend)?, found: @escaping @Sendable (PanicScanner.Finding) -> Void) {
        self.backend = backend
        self.found = found
    }

    func send(_ bytes: [UInt8]) -> Int {
        guard let backend else {
            for finding in scanner.withLock({ $0.scan(bytes) }) { found(finding) }
            return bytes.count
        }
        // What the backend does not take is sent again or dropped, so only what it took has been said.
        let taken = backend.send(bytes)
        let said = taken == bytes.count ? bytes : Array(bytes.prefix(taken))
        for finding in scanner.withLock({ $0.scan(said) }) { found(finding) }
        return taken
    }

    func resume() { backend?.resume() }
}

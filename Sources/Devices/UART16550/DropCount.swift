// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Counts what was lost outside of a device's lock, where its work is performed.
final class DropCount: Sendable {
    private let count = Atomic<UInt64>(0)

    /// The sum so far.
    var total: UInt64 { count.load(ordering: .relaxed) }

    /// Adds `amount` losses; one that is not positive is none.
    func add(_ amount: Int) {
        guard amount > 0 else { return }
        count.wrappingAdd(UInt64(amount), ordering: .relaxed)
    }
}

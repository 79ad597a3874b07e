// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The last value that one thread said, for any others to read. The one never waits for them, wherever they are stopped.
///
/// There are two places. Readers go one after the other, so that one place at most is being read, and the writer takes
/// the other.
final class LatestValue<Value: Sendable>: Sendable {
    private let first: Mutex<Value>
    private let second: Mutex<Value>
    private let isSecondLatest = Atomic<Bool>(false)
    private let readers = Mutex(())

    init(_ value: Value) {
        first = Mutex(value)
        second = Mutex(value)
    }

    /// The last value. Waits for other readers.
    var value: Value { read { $0 } }

    /// Calls `body` with the last value.
    func read<T: Sendable>(_ body: (Value) -> T) -> T {
        readers.withLock { _ in
            isSecondLatest.load(ordering: .acquiring) ? second.withLock { body($0) } : first.withLock { body($0) }
        }
    }

    /// Sets the value. By one thread at a time.
    func set(_ value: Value) {
        // The place that is not the latest is free, unless a reader came to it before the value that is: then the latest
        // one is, until that reader has gone and another has come. So this turns only as readers come and go.
        var takesSecond = !isSecondLatest.load(ordering: .relaxed)
        while !put(value, inSecond: takesSecond) { takesSecond.toggle() }
        isSecondLatest.store(takesSecond, ordering: .releasing)
    }

    /// Sets one of the places; false where a reader is there.
    private func put(_ value: Value, inSecond: Bool) -> Bool {
        inSecond
            ? second.withLockIfAvailable { $0 = value } != nil : first.withLockIfAvailable { $0 = value } != nil
    }
}

// SPDX-License-Identifier: Apache-2.0

import Backends
import Synchronization

/// A clock that stands until the test moves it, and calls what is due.
final class HandTimer: Sendable {
    private struct State {
        var now: UInt64
        var calls: [(deadline: UInt64, work: @Sendable () -> Void)] = []
    }

    static let start: UInt64 = 1_000_000_000
    private let state = Mutex(State(now: start))

    var timer: LimitTimer {
        LimitTimer(
            now: { [self] in state.withLock { $0.now } },
            schedule: { [self] deadline, work in state.withLock { $0.calls.append((deadline, work)) } })
    }

    /// Calls that are on their way.
    var pending: Int { state.withLock { $0.calls.count } }

    /// Goes on by `nanoseconds`, stopping at each call that becomes due.
    func advance(_ nanoseconds: UInt64) {
        let end = state.withLock { $0.now + nanoseconds }
        while let work = next(until: end) { work() }
        state.withLock { $0.now = end }
    }

    private func next(until end: UInt64) -> (@Sendable () -> Void)? {
        state.withLock { state in
            let earliest = state.calls.indices.min { state.calls[$0].deadline < state.calls[$1].deadline }
            guard let earliest, state.calls[earliest].deadline <= end else { return nil }
            let call = state.calls.remove(at: earliest)
            state.now = max(state.now, call.deadline)
            return call.work
        }
    }
}

extension UInt64 {
    static let millisecond: UInt64 = 1_000_000
    static let second: UInt64 = 1_000_000_000
}

// SPDX-License-Identifier: Apache-2.0

import Host
import MachineCore
import Synchronization

/// A machine's virtual time: the host's monotonic clock less the time it stood still.
final class VirtualClock: Clock {
    /// While running: monotonic time less virtual time. While stopped: virtual time, with `stoppedBit` set.
    private let state: Atomic<UInt64>
    private static var stoppedBit: UInt64 { 1 << 63 }

    /// A clock that stands at zero.
    init() { state = Atomic(Self.stoppedBit) }

    var nanoseconds: UInt64 {
        let value = state.load(ordering: .acquiring)
        if value & Self.stoppedBit != 0 { return value & ~Self.stoppedBit }
        return MonotonicTime.now &- value
    }

    var isRunning: Bool { state.load(ordering: .acquiring) & Self.stoppedBit == 0 }

    /// Lets time go on from where it stands.
    func start() {
        let value = state.load(ordering: .acquiring)
        guard value & Self.stoppedBit != 0 else { return }
        state.store(MonotonicTime.now &- (value & ~Self.stoppedBit), ordering: .releasing)
    }

    /// Stops time where it is.
    func stop() {
        let value = state.load(ordering: .acquiring)
        guard value & Self.stoppedBit == 0 else { return }
        state.store((MonotonicTime.now &- value) | Self.stoppedBit, ordering: .releasing)
    }

    /// The monotonic time at which virtual time will be `deadline`, or nil while it stands or past the clock's end.
    func monotonic(_ deadline: UInt64) -> UInt64? {
        let value = state.load(ordering: .acquiring)
        guard value & Self.stoppedBit == 0 else { return nil }
        let (time, overflow) = deadline.addingReportingOverflow(value)
        return overflow ? nil : time
    }
}

/// The host's calendar.
final class HostCalendar: Calendar {
    var nanosecondsSinceEpoch: UInt64 { MonotonicTime.sinceEpoch }
}

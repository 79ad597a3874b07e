// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The VM's one virtual clock: monotonic, stopped while the VM is paused, the same on every engine.
public protocol Clock: AnyObject, Sendable {
    /// Nanoseconds of virtual time since the machine was switched on.
    var nanoseconds: UInt64 { get }
}

/// How far a guest has moved the time counter that its vCPUs read from the virtual clock: by a store to the timer chip
/// that drives it. The clock itself, and with it every device, stays.
public final class TimeOffset: Sendable {
    private let value = Atomic<UInt64>(0)

    /// A counter that shows the clock's own ticks.
    public init() {}

    /// What to add to the clock's ticks, wrapping.
    public var ticks: UInt64 { value.load(ordering: .acquiring) }

    /// Moves the counter. Timers of vCPUs that compare with it have to be armed anew (`Mailbox.Requests.timeMoved`).
    public func set(_ ticks: UInt64) { value.store(ticks, ordering: .releasing) }
}

/// The host's calendar, for a guest's real-time clock.
public protocol Calendar: AnyObject, Sendable {
    /// Nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
    var nanosecondsSinceEpoch: UInt64 { get }
}

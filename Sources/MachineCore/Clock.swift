// SPDX-License-Identifier: Apache-2.0

/// The VM's one virtual clock: monotonic, stopped while the VM is paused, the same on every engine.
public protocol Clock: AnyObject, Sendable {
    /// Nanoseconds of virtual time since the machine was switched on.
    var nanoseconds: UInt64 { get }
}

/// The host's calendar, for a guest's real-time clock.
public protocol Calendar: AnyObject, Sendable {
    /// Nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
    var nanosecondsSinceEpoch: UInt64 { get }
}

// SPDX-License-Identifier: Apache-2.0

/// What a device has done since power-on; resets by the driver do not clear it.
public struct DeviceCounters: Equatable, Sendable {
    /// Buffers taken and answered.
    public var requests: UInt64 = 0
    /// Data bytes given to the guest, headers not counted.
    public var bytesToGuest: UInt64 = 0
    /// Data bytes taken from the guest, headers not counted.
    public var bytesFromGuest: UInt64 = 0
    /// Requests answered with an error, and frames dropped.
    public var errors: UInt64 = 0
    /// Times the driver notified a queue.
    public var notifications: UInt64 = 0
    /// Interrupts raised for used buffers and configuration changes.
    public var interrupts: UInt64 = 0
    /// Times the driver reset the device.
    public var resets: UInt64 = 0
    /// Times the driver broke the rules so that the device asked for a reset.
    public var faults: UInt64 = 0

    /// All zero.
    public init() {}
}

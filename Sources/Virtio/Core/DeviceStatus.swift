// SPDX-License-Identifier: Apache-2.0

/// The device status field (virtio 1.2 §2.1).
public struct DeviceStatus: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The guest has found the device.
    public static var acknowledge: DeviceStatus { DeviceStatus(rawValue: 1) }
    /// The guest has a driver for it.
    public static var driver: DeviceStatus { DeviceStatus(rawValue: 2) }
    /// The driver is ready: queues are processed.
    public static var driverOK: DeviceStatus { DeviceStatus(rawValue: 4) }
    /// Features are settled. Written by the driver, kept by the device only if it agrees.
    public static var featuresOK: DeviceStatus { DeviceStatus(rawValue: 8) }
    /// Written by the device: it cannot go on without a reset.
    public static var needsReset: DeviceStatus { DeviceStatus(rawValue: 64) }
    /// The driver has given up.
    public static var failed: DeviceStatus { DeviceStatus(rawValue: 128) }
}

// SPDX-License-Identifier: Apache-2.0

/// Where a function sits: bus, device, function (PCI 3.0 §3.2.2.3.2).
@frozen
public struct PCIAddress: Hashable, Comparable, Sendable {
    /// 16 bits: bus in 15:8, device in 7:3, function in 2:0. It is also the requester ID.
    public let value: UInt16

    /// The address whose 16 bits are `value`.
    @inlinable public init(value: UInt16) { self.value = value }

    /// Function `function` (0...7) of device `device` (0...31) on bus `bus`; more bits are cut off.
    @inlinable
    public init(bus: UInt8 = 0, device: UInt8, function: UInt8 = 0) {
        value = UInt16(bus) << 8 | UInt16(device & 31) << 3 | UInt16(function & 7)
    }

    /// 0...255.
    @inlinable public var bus: UInt8 { UInt8(truncatingIfNeeded: value >> 8) }
    /// 0...31.
    @inlinable public var device: UInt8 { UInt8(truncatingIfNeeded: value >> 3) & 31 }
    /// 0...7.
    @inlinable public var function: UInt8 { UInt8(truncatingIfNeeded: value) & 7 }

    @inlinable
    public static func < (left: PCIAddress, right: PCIAddress) -> Bool { left.value < right.value }
}

/// A function's interrupt pin as its register holds it (PCI 3.0 §6.2.4).
public enum PCIInterruptPin: UInt8, Sendable, CaseIterable {
    case none = 0
    case a = 1
    case b = 2
    case c = 3
    case d = 4
}

/// Which of a host bridge's four interrupt lines a pin reaches. The host bridge, the board's wiring and the
/// `interrupt-map` of the device tree all ask here, so that they agree.
public enum PCIInterruptRouting {
    /// How many lines a host bridge has.
    @inlinable public static var lines: Int { 4 }

    /// The line, 0...3, that `pin` of device `device` on the root bus reaches: devices are rotated over the lines
    /// as bridges do (PCI-to-PCI Bridge 1.2 §9.1). `pin` is not `none`.
    public static func line(device: UInt8, pin: PCIInterruptPin) -> Int {
        precondition(pin != .none, "a function without an interrupt pin has no line")
        return (Int(device) + Int(pin.rawValue) - 1) % lines
    }
}

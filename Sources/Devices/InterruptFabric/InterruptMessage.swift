// SPDX-License-Identifier: Apache-2.0

/// A message between interrupt controllers of a PC: from an IOAPIC, a device (MSI) or a local APIC (IPI), to local APICs.
@frozen
public struct InterruptMessage: Equatable, Sendable {
    /// What arrives, as bits 10:8 of a redirection entry, an MSI's data and the ICR say (Intel SDM Vol 3A §11.6.1).
    public enum Delivery: UInt8, Sendable, CaseIterable {
        case fixed = 0
        case lowestPriority = 1
        case systemManagement = 2
        /// No sender may use it.
        case reserved = 3
        case nonMaskable = 4
        case initialize = 5
        case startUp = 6
        /// The vector is the 8259's to tell (§11.5.1).
        case external = 7
    }

    /// Whom it is for.
    public enum Destination: Equatable, Sendable {
        /// The local APIC of this ID.
        case physical(UInt32)
        /// Those whose logical destination register matches (§11.6.2.2).
        case logical(UInt32)
        /// All.
        case everyone
    }

    public var destination: Destination
    public var delivery: Delivery
    public var vector: UInt8
    /// Level-triggered: the local APIC's EOI is told to the IOAPICs.
    public var isLevel: Bool

    /// A message.
    public init(to destination: Destination, _ delivery: Delivery = .fixed, vector: UInt8, isLevel: Bool = false) {
        self.destination = destination
        self.delivery = delivery
        self.vector = vector
        self.isLevel = isLevel
    }

    /// The lowest address of the window that local APICs take messages at, 1 MiB (§11.11.1).
    public static var windowBase: UInt64 { 0xFEE0_0000 }

    /// What a write of `data` to `address` says, or nil if the address is not in the window (§11.11.1, §11.11.2):
    ///
    ///     address  31:20 0xFEE; 19:12 destination; 3 redirection hint; 2 the destination is logical
    ///     data     15 level-triggered; 14 assert; 10:8 delivery; 7:0 vector
    ///
    /// The hint says that one of the destinations is enough; with delivery "fixed" that is what "lowest priority" means.
    /// A level that is taken back (bit 14 clear, bit 15 set) is no message: the lines it came from are our own business.
    public init?(address: UInt64, data: UInt32) {
        guard address & ~0xF_FFFF == Self.windowBase else { return nil }
        guard data & 0xC000 != 0x8000 else { return nil }
        let target = UInt32(truncatingIfNeeded: address >> 12) & 0xFF
        let isLogical = address & 4 != 0
        delivery = Delivery(rawValue: UInt8(truncatingIfNeeded: data >> 8) & 7) ?? .reserved
        if address & 8 != 0, isLogical, delivery == .fixed { delivery = .lowestPriority }
        if isLogical {
            destination = .logical(target)
        } else {
            destination = target == 0xFF ? .everyone : .physical(target)
        }
        vector = UInt8(truncatingIfNeeded: data)
        isLevel = data & 0x8000 != 0
    }
}

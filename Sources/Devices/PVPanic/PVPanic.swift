// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// pvpanic on PCI: the guest's system says that it has crashed, or that it ends (pvpanic, "PCI Interface").
///
/// Base address 0 is memory. The specification has one byte of it, PCI's smallest base address 16: the others read as
/// zero and ignore writes. Who uses the register: r the guest reads, w the guest writes.
///
///     +0  8 bits  r  the events that the device understands: all three
///     +0  8 bits  w  the events that happened; bits that the device does not understand are ignored
///
///     bit 0  the system crashed: the host is to act
///     bit 1  the system crashed and sees to it itself, with a crash kernel: the host records it and lets it go on
///     bit 2  the system ends in good order: the host is to act
///
/// There is no interrupt, and nothing that a snapshot has to save beside the configuration space.
public final class PVPanic: PCIFunction {
    /// The bits of the register.
    private struct Events: OptionSet {
        let rawValue: UInt8

        static var panicked: Self { Self(rawValue: 1 << 0) }
        static var crashLoaded: Self { Self(rawValue: 1 << 1) }
        static var shutdown: Self { Self(rawValue: 1 << 2) }
        static var all: Self { [.panicked, .crashLoaded, .shutdown] }
    }

    /// How often the guest told each event, resets of the machine included.
    public struct Counts: Equatable, Sendable {
        public internal(set) var panicked: UInt64 = 0
        public internal(set) var crashLoaded: UInt64 = 0
        public internal(set) var shutdown: UInt64 = 0

        /// Nothing told yet.
        public init() {}
    }

    public let configuration: PCIConfiguration
    /// What the guest has told so far.
    public private(set) var told = Counts()
    private let requests: @Sendable (MachineRequest) -> Void
    private var asked: MachineRequest?

    /// A device that hands what the guest asks for to `requests`, with no lock held: `.panic` for a crash, and
    /// `.powerOff(code: 0)` for an end in good order.
    public init(requests: @escaping @Sendable (MachineRequest) -> Void) {
        self.requests = requests
        // Class 08.80, a system peripheral of no kind that PCI names. Drivers go by vendor and device.
        configuration = PCIConfiguration(
            identity: PCIIdentity(
                vendor: 0x1B36, device: 0x0011, classCode: 0x08_80_00, subsystemVendor: 0x1AF4, subsystem: 0x1100))
        configuration.addBaseAddress(0, .memory32(size: 16))
    }

    /// A wider access has the register in its lowest byte, as it has on a bus.
    public func read(bar: Int, at offset: UInt64, width: AccessWidth) -> UInt64 {
        offset == 0 ? UInt64(Events.all.rawValue) : 0
    }

    public func write(_ value: UInt64, bar: Int, at offset: UInt64, width: AccessWidth) {
        guard offset == 0 else { return }
        let events = Events(rawValue: UInt8(truncatingIfNeeded: value))
        if events.contains(.crashLoaded) { told.crashLoaded &+= 1 }
        if events.contains(.shutdown) {
            told.shutdown &+= 1
            asked = .powerOff(code: 0)
        }
        // Last: a crash is never mistaken for an end in good order.
        if events.contains(.panicked) {
            told.panicked &+= 1
            asked = .panic
        }
    }

    public func takeWork() -> DeviceWork? {
        guard let request = asked else { return nil }
        asked = nil
        return { [requests] in requests(request) }
    }

    public func reset() {
        asked = nil
        configuration.reset()
    }
}

// SPDX-License-Identifier: Apache-2.0

import VMMemory

/// The one place through which anything nondeterministic reaches a vCPU: device reads, time, random numbers, the
/// arrival of interrupts. Lockstep, interrupt-after-N and record/replay each put a door of their own here.
public protocol InputDoor: AnyObject, Sendable {
    /// A device read, or nil where nothing answers.
    func busRead(at address: GuestAddress, width: AccessWidth) -> UInt64?
    /// A device write; false where nothing answers.
    func busWrite(_ value: UInt64, at address: GuestAddress, width: AccessWidth) -> Bool
    /// Virtual time in nanoseconds.
    func time() -> UInt64
    /// Ticks that the guest has added to its time counter, wrapping (`TimeOffset`).
    func timeOffset() -> UInt64
    /// 64 random bits.
    func random() -> UInt64
    /// The interrupt lines into the vCPU as its mailbox has them now.
    func interrupts(_ mailbox: Mailbox) -> UInt64
}

extension InputDoor {
    /// A door to a machine whose time counter cannot be set.
    public func timeOffset() -> UInt64 { 0 }
}

/// The door of an ordinary run: straight to the bus, the clock and the mailbox.
public final class LiveInputDoor: InputDoor {
    private let bus: Bus
    private let clock: any Clock
    private let offset: TimeOffset

    /// A door to `bus` and `clock`, whose ticks the guest moves by `offset`.
    public init(bus: Bus, clock: any Clock, offset: TimeOffset = TimeOffset()) {
        self.bus = bus
        self.clock = clock
        self.offset = offset
    }

    public func busRead(at address: GuestAddress, width: AccessWidth) -> UInt64? {
        bus.read(at: address, width: width)
    }

    public func busWrite(_ value: UInt64, at address: GuestAddress, width: AccessWidth) -> Bool {
        bus.write(value, at: address, width: width)
    }

    public func time() -> UInt64 { clock.nanoseconds }

    public func timeOffset() -> UInt64 { offset.ticks }

    public func random() -> UInt64 {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }

    public func interrupts(_ mailbox: Mailbox) -> UInt64 { mailbox.lines }
}

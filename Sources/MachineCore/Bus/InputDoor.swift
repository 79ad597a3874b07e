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
    /// 64 random bits.
    func random() -> UInt64
    /// The interrupt lines into the vCPU as its mailbox has them now.
    func interrupts(_ mailbox: Mailbox) -> UInt64
}

/// The door of an ordinary run: straight to the bus, the clock and the mailbox.
public final class LiveInputDoor: InputDoor {
    private let bus: Bus
    private let clock: any Clock

    /// A door to `bus` and `clock`.
    public init(bus: Bus, clock: any Clock) {
        self.bus = bus
        self.clock = clock
    }

    public func busRead(at address: GuestAddress, width: AccessWidth) -> UInt64? {
        bus.read(at: address, width: width)
    }

    public func busWrite(_ value: UInt64, at address: GuestAddress, width: AccessWidth) -> Bool {
        bus.write(value, at: address, width: width)
    }

    public func time() -> UInt64 { clock.nanoseconds }

    public func random() -> UInt64 {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }

    public func interrupts(_ mailbox: Mailbox) -> UInt64 { mailbox.lines }
}

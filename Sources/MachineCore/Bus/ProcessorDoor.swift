// SPDX-License-Identifier: Apache-2.0

/// What can wait at the interrupt pins of a processor of the PC, as `InputDoor.interrupts` answers it (`rawValue`).
///
/// The processor asks when its mailbox says `interrupt`, and again whenever it becomes willing to take what it was not
/// before (IF set, a lower task priority, the end of an interrupt shadow, of NMI blocking).
@frozen
public struct ProcessorEvents: OptionSet, Sendable {
    public let rawValue: UInt64
    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// A maskable interrupt, external or of the local controller, above the task priority: `acknowledge` takes it.
    @inlinable public static var maskable: Self { Self(rawValue: 1) }
    /// NMI: `take` takes it.
    @inlinable public static var nonMaskable: Self { Self(rawValue: 2) }
    /// SMI: `take` takes it.
    @inlinable public static var systemManagement: Self { Self(rawValue: 4) }
    /// INIT: `take` takes it, which also resets the local controller.
    @inlinable public static var initialize: Self { Self(rawValue: 8) }
    /// Start-up (SIPI): `takeStartUp` takes it. One that meets a processor not waiting for it is taken and ignored.
    @inlinable public static var startUp: Self { Self(rawValue: 16) }
}

/// The door of one processor of a PC: beside memory and time it has ports, and an interrupt controller of its own.
///
/// Called by the processor's thread alone. `busRead` and `busWrite` know the page of the processor's local controller.
public protocol ProcessorDoor: InputDoor {
    /// Reads `port`; all ones where nothing answers.
    func portRead(at port: UInt16, width: AccessWidth) -> UInt64
    /// Writes `port`; lost where nothing answers.
    func portWrite(_ value: UInt64, at port: UInt16, width: AccessWidth)
    /// Takes the maskable interrupt of the highest priority: its vector, or nil if none waits any more.
    func acknowledge() -> UInt8?
    /// Takes `event`, one of NMI, SMI and INIT: false if it does not wait any more.
    func take(_ event: ProcessorEvents) -> Bool
    /// NMIs are no longer blocked (IRET): while they are, one more waits at most (Intel SDM Vol 3A §6.7.1); two that
    /// come before the first is taken are both seen.
    func unblockNonMaskable()
    /// Takes a start-up message: its vector, the 4 KiB page at which to begin, or nil if none waits.
    func takeStartUp() -> UInt8?
    /// The task priority as CR8 has it, 0...15.
    func taskPriority() -> UInt8
    /// Sets the task priority, of which the low 4 bits count.
    func setTaskPriority(_ priority: UInt8)
    /// Reads a model-specific register of the local controller: IA32_APIC_BASE (0x1B), IA32_TSC_DEADLINE (0x6E0),
    /// x2APIC (0x800...0x8FF). Nil: #GP.
    func readLocalRegister(_ index: UInt32) -> UInt64?
    /// Writes one. False: #GP, and nothing has changed.
    func writeLocalRegister(_ value: UInt64, _ index: UInt32) -> Bool
    /// What the processor now adds to the ticks of the time-stamp rate (IA32_TSC, IA32_TSC_ADJUST written), wrapping.
    func setTimeStampOffset(_ offset: UInt64)
}

/// How fast a time-stamp counter counts: ticks of virtual time, from zero when the machine was switched on.
@frozen
public struct TimeStampRate: Equatable, Sendable {
    /// In Hz.
    public let frequency: UInt64
    private static var second: UInt64 { 1_000_000_000 }

    /// A counter of `frequency` Hz, 1 to 2^32 - 1 thousand.
    public init(frequency: UInt64) {
        precondition(frequency >= 1 && frequency < 1000 << 32, "a time-stamp counter has a frequency")
        self.frequency = frequency
    }

    /// The count at `nanoseconds` of virtual time, wrapping.
    public func ticks(at nanoseconds: UInt64) -> UInt64 {
        let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: Self.second)
        return seconds &* frequency &+ Self.scale(rest, frequency, Self.second)
    }

    /// The first moment at which the count is at least `ticks`, or nil past the clock's end.
    public func nanoseconds(at ticks: UInt64) -> UInt64? {
        let (seconds, rest) = ticks.quotientAndRemainder(dividingBy: frequency)
        let (whole, tooLate) = seconds.multipliedReportingOverflow(by: Self.second)
        // Rounded up: a deadline that comes a tick early would find nothing due.
        let part = Self.scale(rest, Self.second, frequency, roundingUp: true)
        let (moment, overflow) = whole.addingReportingOverflow(part)
        return tooLate || overflow ? nil : moment
    }

    /// `value * multiplier / divisor`, where `value` is below `divisor`.
    private static func scale(
        _ value: UInt64, _ multiplier: UInt64, _ divisor: UInt64, roundingUp: Bool = false
    ) -> UInt64 {
        let (quotient, remainder) = divisor.dividingFullWidth(value.multipliedFullWidth(by: multiplier))
        return roundingUp && remainder != 0 ? quotient + 1 : quotient
    }
}

// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// ACPI's fixed hardware: the power-management timer, events and control, and a block of general-purpose events
/// (ACPI 6.5 §4.8).
///
/// Offsets are distances from the block's first port; registers take bytes and more. Who uses it: r the guest reads, w
/// the guest writes; c: writing 1 clears.
///
///     0x00  16 bits  rc  PM1 status: 0 timer, 4 bus master, 5 global, 8 power button, 9 sleep button, 10 RTC, 15 wake
///     0x02  16 bits  rw  PM1 enable: 0, 5, 8, 9 and 10 of these
///     0x04  16 bits  rw  PM1 control: 0 SCI_EN, r; 1 bus-master wake; 12:10 SLP_TYP; 13 SLP_EN, w
///     0x08  32 bits  r   the timer, 3.579545 MHz, 24 or 32 bits
///     0x20  16 bits  rc  general-purpose status
///     0x22  16 bits  rw  general-purpose enable
///
/// Output 0 is SCI, a level. The machine is in ACPI mode from the start: SCI_EN is 1, and FADT's SMI_CMD is 0.
public final class ACPIPower: Device {
    /// What is saved and restored.
    public struct State: Equatable, Sendable {
        public internal(set) var status: UInt16 = 0
        public internal(set) var enable: UInt16 = 0
        public internal(set) var control: UInt16 = 0
        public internal(set) var generalStatus: UInt16 = 0
        public internal(set) var generalEnable: UInt16 = 0
        /// How often the timer's highest bit had changed when it was last looked at.
        public internal(set) var timerTurns: UInt64 = 0
    }

    /// Sources of fixed events from outside, by their bit (§4.8.3.1.1).
    public enum Event: UInt16, Sendable {
        case powerButton = 0x0100
        case sleepButton = 0x0200
        case realTimeClock = 0x0400
    }

    /// Where the registers are, for ACPI's tables: bytes into the block.
    public enum Offset {
        public static var events: UInt16 { 0x00 }
        public static var control: UInt16 { 0x04 }
        public static var timer: UInt16 { 0x08 }
        public static var generalEvents: UInt16 { 0x20 }
        /// Of status and enable together.
        public static var generalSize: UInt8 { 4 }
    }

    /// SLP_TYP of soft-off (`\_S5`), which ends the machine.
    public static var softOff: UInt8 { 0 }
    /// SLP_TYP of suspend to memory (`\_S3`).
    public static var suspend: UInt8 { 1 }
    /// The timer's rate in Hz (§4.8.2.1).
    public static var timerFrequency: UInt64 { 3_579_545 }

    private enum Bit {
        static var timer: UInt16 { 1 << 0 }
        static var wake: UInt16 { 1 << 15 }
        static var status: UInt16 { 0x8731 }
        static var enable: UInt16 { 0x0721 }
        static var control: UInt16 { 0x1C02 }
        static var sciEnabled: UInt16 { 1 << 0 }
        static var sleeps: UInt16 { 1 << 13 }
    }

    /// The registers now.
    public private(set) var state = State()
    /// Whether the timer has 32 bits: FADT's TMR_VAL_EXT.
    public let hasWideTimer: Bool
    private let clock: any Clock
    private let rate = TimeStampRate(frequency: timerFrequency)
    private let requests: @Sendable (MachineRequest) -> Void
    private let sleeps: (@Sendable (UInt8) -> Void)?
    private var asked: UInt8?

    /// Hands `.powerOff(code: 0)` to `requests` when the guest enters soft-off, and any other SLP_TYP to `sleeps`, both
    /// with no lock held. Without `sleeps` other types do nothing.
    public init(
        clock: any Clock, hasWideTimer: Bool = true, requests: @escaping @Sendable (MachineRequest) -> Void,
        sleeps: (@Sendable (UInt8) -> Void)? = nil
    ) {
        self.clock = clock
        self.hasWideTimer = hasWideTimer
        self.requests = requests
        self.sleeps = sleeps
        state.timerTurns = turns
    }

    public var windowSize: UInt64 { 0x40 }

    // MARK: Events

    /// An event from outside: a button was pressed, the clock's alarm went off.
    public func raise(_ event: Event) { state.status |= event.rawValue }

    /// A general-purpose event, 0...15; others do not exist.
    public func raiseGeneral(_ number: Int) {
        guard number >= 0, number < 16 else { return }
        state.generalStatus |= 1 << UInt16(number)
    }

    /// The machine has woken from sleep.
    public func wake() { state.status |= Bit.wake }

    public var interruptLevels: UInt64 {
        settle()
        let fixed = state.status & state.enable & Bit.enable
        return fixed != 0 || state.generalStatus & state.generalEnable != 0 ? 1 : 0
    }

    /// When the timer's highest bit changes next, if that interrupts.
    public var deadline: UInt64? {
        settle()
        guard state.enable & Bit.timer != 0, state.status & Bit.timer == 0 else { return nil }
        let (tick, overflow) = (turns + 1).multipliedReportingOverflow(by: turn)
        return overflow ? nil : rate.nanoseconds(at: tick)
    }

    private var ticks: UInt64 { rate.ticks(at: clock.nanoseconds) }
    /// Ticks between two changes of the highest bit (§4.8.2.1).
    private var turn: UInt64 { hasWideTimer ? 1 << 31 : 1 << 23 }
    private var turns: UInt64 { ticks / turn }

    private func settle() {
        guard turns != state.timerTurns else { return }
        state.timerTurns = turns
        state.status |= Bit.timer
    }

    // MARK: Registers

    public func read(at offset: UInt64, width: AccessWidth) -> UInt64 {
        settle()
        return (0..<width.bytes).reduce(0) { $0 | UInt64(byte(offset &+ $1)) << (8 * $1) }
    }

    public func write(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
        settle()
        for index in 0..<width.bytes {
            setByte(UInt8(truncatingIfNeeded: value >> (8 * index)), offset &+ index)
        }
    }

    private func byte(_ offset: UInt64) -> UInt8 {
        let part = { (register: UInt16) in UInt8(truncatingIfNeeded: register >> UInt16(8 * (offset & 1))) }
        switch offset {
        case 0x00, 0x01: return part(state.status)
        case 0x02, 0x03: return part(state.enable)
        case 0x04, 0x05: return part(state.control | Bit.sciEnabled)
        case 0x08...0x0B:
            let value = hasWideTimer ? ticks : ticks & 0xFF_FFFF
            return UInt8(truncatingIfNeeded: value >> (8 * (offset & 3)))
        case 0x20, 0x21: return part(state.generalStatus)
        case 0x22, 0x23: return part(state.generalEnable)
        default: return 0
        }
    }

    private func setByte(_ byte: UInt8, _ offset: UInt64) {
        let shift = UInt16(8 * (offset & 1))
        let value = UInt16(byte) << shift
        let others = ~(UInt16(0xFF) << shift)
        switch offset {
        case 0x00, 0x01: state.status &= ~(value & Bit.status)
        case 0x02, 0x03: state.enable = (state.enable & others | value) & Bit.enable
        case 0x04, 0x05:
            state.control = (state.control & others | value) & Bit.control
            if value & Bit.sleeps != 0 { asked = UInt8(state.control >> 10 & 7) }
        case 0x20, 0x21: state.generalStatus &= ~value
        case 0x22, 0x23: state.generalEnable = state.generalEnable & others | value
        default: break
        }
    }

    public func takeWork() -> DeviceWork? {
        guard let type = asked else { return nil }
        asked = nil
        if type == Self.softOff { return { [requests] in requests(.powerOff(code: 0)) } }
        guard let sleeps else { return nil }
        return { sleeps(type) }
    }

    public func reset() {
        state = State()
        state.timerTurns = turns
        asked = nil
    }
}

// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// The real-time clock of Android's emulator (device tree `google,goldfish-rtc`), as its "Goldfish Virtual Hardware"
/// document and Linux's driver `rtc-goldfish` know it: nanoseconds since 1970 in two halves, and one alarm.
///
/// All registers have 32 bits; who uses them: r the guest reads, w the guest writes.
///
///     0x00  rw  time 31:0; reading it holds time 63:32 for the next register
///     0x04  rw  time 63:32
///     0x08  rw  alarm 31:0; writing it arms the alarm
///     0x0C  rw  alarm 63:32
///     0x10  rw  interrupt enable, bit 0
///     0x14   w  disarms the alarm
///     0x18  r   alarm status: 1 while armed
///     0x1C   w  clears the interrupt
///
/// One interrupt output: the alarm went off, and interrupts are enabled.
public final class GoldfishRTC: Device {
    /// What is saved and restored, beside the calendar.
    public struct State: Equatable, Sendable {
        /// The guest's time less the calendar's, wrapping.
        public internal(set) var offset: UInt64 = 0
        /// Time 63:32 as it was when 31:0 was read.
        public internal(set) var heldHigh: UInt32 = 0
        /// In the guest's time.
        public internal(set) var alarm: UInt64 = 0
        public internal(set) var isArmed = false
        public internal(set) var isInterruptEnabled = false
        /// The alarm went off, and the guest has not cleared it.
        public internal(set) var hasGoneOff = false
    }

    private enum Register {
        static var timeLow: UInt64 { 0x00 }
        static var timeHigh: UInt64 { 0x04 }
        static var alarmLow: UInt64 { 0x08 }
        static var alarmHigh: UInt64 { 0x0C }
        static var interruptEnable: UInt64 { 0x10 }
        static var clearAlarm: UInt64 { 0x14 }
        static var alarmStatus: UInt64 { 0x18 }
        static var clearInterrupt: UInt64 { 0x1C }
    }

    /// The registers now.
    public private(set) var state = State()
    private let calendar: any Calendar
    private let clock: any Clock

    /// A clock that starts with the host's `calendar`; `clock` is what its deadline is in.
    public init(calendar: any Calendar, clock: any Clock) {
        self.calendar = calendar
        self.clock = clock
    }

    /// A page, of which the first registers are all.
    public var windowSize: UInt64 { 0x1000 }

    public var interruptLevels: UInt64 {
        state.isInterruptEnabled && (state.hasGoneOff || isDue(at: time)) ? 1 : 0
    }

    /// The alarm, in virtual time. The calendar may be set meanwhile, so that the alarm is not yet due then: the next
    /// deadline is after it.
    public var deadline: UInt64? {
        let now = time
        guard state.isArmed, state.isInterruptEnabled, !isDue(at: now) else { return nil }
        let (moment, overflow) = clock.nanoseconds.addingReportingOverflow(state.alarm - now)
        return overflow ? nil : moment
    }

    /// Takes aligned words; others read as zero.
    public func read(at offset: UInt64, width: AccessWidth) -> UInt64 {
        guard width == .word else { return 0 }
        settle()
        switch offset {
        case Register.timeLow:
            let now = time
            state.heldHigh = UInt32(truncatingIfNeeded: now >> 32)
            return now & 0xFFFF_FFFF
        case Register.timeHigh: return UInt64(state.heldHigh)
        case Register.alarmLow: return state.alarm & 0xFFFF_FFFF
        case Register.alarmHigh: return state.alarm >> 32
        case Register.interruptEnable: return state.isInterruptEnabled ? 1 : 0
        case Register.alarmStatus: return state.isArmed ? 1 : 0
        default: return 0
        }
    }

    public func write(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
        guard width == .word else { return }
        settle()
        switch offset {
        case Register.timeLow: setTime(time & ~0xFFFF_FFFF | value)
        case Register.timeHigh: setTime(time & 0xFFFF_FFFF | value << 32)
        case Register.alarmLow:
            state.alarm = state.alarm & ~0xFFFF_FFFF | value
            state.isArmed = true
            settle()
        case Register.alarmHigh: state.alarm = state.alarm & 0xFFFF_FFFF | value << 32
        case Register.interruptEnable: state.isInterruptEnabled = value & 1 != 0
        case Register.clearAlarm: state.isArmed = false
        case Register.clearInterrupt: state.hasGoneOff = false
        default: break
        }
    }

    /// The time goes on as the guest has set it: a battery keeps it over a reset.
    public func reset() { state = State(offset: state.offset) }

    private var time: UInt64 { calendar.nanosecondsSinceEpoch &+ state.offset }

    private func isDue(at now: UInt64) -> Bool { state.isArmed && now >= state.alarm }

    /// An alarm whose time has come goes off once.
    private func settle() {
        guard isDue(at: time) else { return }
        state.isArmed = false
        state.hasGoneOff = true
    }

    private func setTime(_ new: UInt64) {
        state.offset = state.offset &+ (new &- time)
        settle()
    }
}

// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// The real-time clock of a PC with its battery-backed memory, an MC146818A.
///
/// Offsets are distances from port 0x70; each port is a byte. Who uses it: r the guest reads, w the guest writes.
///
///     +0   w  6:0 which byte (bit 7 masks NMI, and there is none to mask)
///     +1  rw  that byte
///
///     0x00, 0x02, 0x04        rw  seconds, minutes, hours
///     0x01, 0x03, 0x05        rw  the same of the alarm; 0xC0 and above: any
///     0x06, 0x07, 0x08, 0x09  rw  day of the week (Sunday is 1), day, month, year
///     0x0A  rw  A: bit 7 update in progress, r; 6:4 divider; 3:0 rate of the periodic interrupt
///     0x0B  rw  B: 7 set; enables 6 periodic, 5 alarm, 4 update; 2 binary, not decimal; 1 24 hours, not 12
///     0x0C  r   C: 7 interrupts; flags 6 periodic, 5 alarm, 4 update. Reading clears them.
///     0x0D  r   D: bit 7, the battery is good
///     0x32  rw  century, in the form of the year; ACPI's FADT names it
///     others rw memory
///
/// The guest's time is the host's calendar and what the guest has set beside it; the periodic interrupt runs by virtual
/// time. Output 0 is IRQ 8.
public final class MC146818: Device {
    /// What is saved and restored, beside calendar and clock.
    public struct State: Equatable, Sendable {
        public internal(set) var index: UInt8 = 0
        /// All bytes. Those of the time are right only while it is held.
        public internal(set) var bytes: [UInt8]
        /// The guest's time less the calendar's, in nanoseconds, wrapping.
        public internal(set) var offset: UInt64 = 0
        /// Up to when events were looked for: the guest's time, and periods of 1/32768 s of virtual time.
        public internal(set) var seenTime: UInt64 = 0
        public internal(set) var seenCycle: UInt64 = 0
    }

    enum Register {
        static var a: Int { 0x0A }
        static var b: Int { 0x0B }
        static var c: Int { 0x0C }
        static var d: Int { 0x0D }
        static var century: Int { 0x32 }
    }

    enum ControlB {
        static var set: UInt8 { 1 << 7 }
        static var interrupts: UInt8 { 0x70 }
        static var binary: UInt8 { 1 << 2 }
        static var hours24: UInt8 { 1 << 1 }
    }

    /// Flags of C; those of B that enable them have the same bits.
    enum Flag {
        static var any: UInt8 { 1 << 7 }
        static var periodic: UInt8 { 1 << 6 }
        static var alarm: UInt8 { 1 << 5 }
        static var update: UInt8 { 1 << 4 }
    }

    static var second: UInt64 { 1_000_000_000 }
    /// The update shows this long before it, and takes that long after (data sheet, "Update cycle", at 32.768 kHz).
    private static var updateNotice: UInt64 { 244_000 }
    private static var updateCycle: UInt64 { 1_984_000 }

    /// The registers now.
    public internal(set) var state: State
    private let calendar: any Calendar
    let clock: any Clock
    private let cycles = TimeStampRate(frequency: 32_768)

    /// A clock that starts with the host's `calendar`; `clock` is what its deadline is in. It counts decimal, 24 hours.
    public init(calendar: any Calendar, clock: any Clock) {
        self.calendar = calendar
        self.clock = clock
        var bytes = [UInt8](repeating: 0, count: 128)
        bytes[Register.a] = 0x26
        bytes[Register.b] = ControlB.hours24
        bytes[Register.d] = 0x80
        state = State(bytes: bytes)
        state.seenTime = time
        state.seenCycle = cycles.ticks(at: clock.nanoseconds)
    }

    public var windowSize: UInt64 { 2 }

    /// Sets a byte of the memory, as firmware's setup does; not those of the clock.
    public func setMemory(_ value: UInt8, at index: UInt8) {
        guard index > Register.d, index < 128, index != Register.century else { return }
        state.bytes[Int(index)] = value
    }

    // MARK: Time

    /// The guest's time in nanoseconds since 1970.
    var time: UInt64 {
        get { calendar.nanosecondsSinceEpoch &+ state.offset }
        set { state.offset = newValue &- calendar.nanosecondsSinceEpoch }
    }

    var b: UInt8 { state.bytes[Register.b] }
    /// The divider runs: 6:4 of A are 010 (data sheet, table 5: at 32.768 kHz).
    private var isDividing: Bool { state.bytes[Register.a] & 0x60 != 0x60 }
    /// The time stands: the guest sets it, or holds the divider.
    var isHeld: Bool { b & ControlB.set != 0 || !isDividing }

    /// The period of the periodic interrupt in cycles of 32.768 kHz; nil: none.
    private var period: UInt64? {
        let rate = state.bytes[Register.a] & 15
        guard rate != 0, isDividing else { return nil }
        return 1 << UInt64(rate < 3 ? rate + 6 : rate - 1)
    }

    private var isUpdating: Bool {
        let part = time % Self.second
        return !isHeld && (part >= Self.second - Self.updateNotice || part < Self.updateCycle)
    }

    // MARK: Events

    /// Sets the flags of what has happened since the last time.
    func settle() {
        let (now, cycle) = (time, cycles.ticks(at: clock.nanoseconds))
        if let period, cycle / period != state.seenCycle / period { raise(Flag.periodic) }
        state.seenCycle = cycle
        // A calendar that was set back begins anew.
        if now > state.seenTime, !isHeld {
            let (first, last) = (state.seenTime / Self.second, now / Self.second)
            if last > first {
                raise(Flag.update)
                if let alarm = nextAlarm(after: first), alarm <= last { raise(Flag.alarm) }
            }
        }
        state.seenTime = now
    }

    private func raise(_ flag: UInt8) { state.bytes[Register.c] |= flag }

    public var interruptLevels: UInt64 {
        settle()
        return state.bytes[Register.c] & b & ControlB.interrupts != 0 ? 1 : 0
    }

    public var deadline: UInt64? {
        guard interruptLevels == 0 else { return nil }
        let now = clock.nanoseconds
        var moments: [UInt64] = []
        if b & Flag.periodic != 0, let period {
            let (next, overflow) = (state.seenCycle / period + 1).multipliedReportingOverflow(by: period)
            if !overflow, let moment = cycles.nanoseconds(at: next) { moments.append(max(moment, now &+ 1)) }
        }
        if !isHeld {
            let second = state.seenTime / Self.second
            if b & Flag.update != 0 { moments.append(now &+ (Self.second - state.seenTime % Self.second)) }
            if b & Flag.alarm != 0, let alarm = nextAlarm(after: second) {
                moments.append(now &+ ((alarm - second) * Self.second - state.seenTime % Self.second))
            }
        }
        return moments.filter { $0 > now }.min()
    }

    // MARK: Ports

    public func read(at offset: UInt64, width: AccessWidth) -> UInt64 {
        guard width == .byte, offset == 0 || offset == 1 else { return 0 }
        // The index cannot be read back: the bus floats.
        guard offset == 1 else { return 0xFF }
        settle()
        let index = Int(state.index)
        switch index {
        case Register.a: return UInt64(state.bytes[index]) | (isUpdating ? 0x80 : 0)
        case Register.c:
            let flags = state.bytes[index]
            let level = interruptLevels
            state.bytes[index] = 0
            return UInt64(flags) | (level != 0 ? UInt64(Flag.any) : 0)
        default:
            if !isHeld { showTime() }
            return UInt64(state.bytes[index])
        }
    }

    public func write(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
        guard width == .byte else { return }
        let byte = UInt8(truncatingIfNeeded: value)
        switch offset {
        case 0: state.index = byte & 0x7F
        case 1:
            settle()
            setByte(byte)
        default: break
        }
    }

    private func setByte(_ byte: UInt8) {
        let index = Int(state.index)
        switch index {
        case Register.c, Register.d: return
        case Register.a, Register.b: setControl(byte, index)
        case 0, 2, 4, 6...9, Register.century:
            guard !isHeld else { return state.bytes[index] = byte }
            // Set while it runs: the other parts stay, and so does the fraction of the second.
            showTime()
            state.bytes[index] = byte
            takeTime(fraction: time % Self.second)
        default: state.bytes[index] = byte
        }
    }

    /// A and B: the time is shown when it stops, and taken when it goes on. A divider that was held runs again half a
    /// second from the next update (data sheet, "Divider control").
    private func setControl(_ byte: UInt8, _ index: Int) {
        let wasHeld = isHeld
        let wasDividing = isDividing
        state.bytes[index] = index == Register.a ? byte & 0x7F : byte
        // The set bit takes the update's enable away (data sheet, register B, "SET").
        if index == Register.b, byte & ControlB.set != 0 { state.bytes[index] &= ~Flag.update }
        if !wasHeld, isHeld { showTime() }
        if wasHeld, !isHeld {
            takeTime(fraction: !wasDividing && isDividing ? Self.second / 2 : time % Self.second)
        }
    }

    /// The time and the memory have a battery. Interrupts are off.
    public func reset() {
        settle()
        state.index = 0
        state.bytes[Register.b] &= ~ControlB.interrupts
        state.bytes[Register.c] = 0
    }
}

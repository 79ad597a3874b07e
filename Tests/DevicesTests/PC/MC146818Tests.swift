// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore
import Testing

@Suite("MC146818 clock")
struct MC146818Tests {
    /// 2026-11-21T13:45:58.25Z, a Saturday.
    private static let start: UInt64 = 1_795_268_758_250_000_000
    let calendar = HandClock(start)
    let clock = HandClock()
    let rtc: MC146818

    init() { rtc = MC146818(calendar: calendar, clock: clock) }

    private func read(_ index: UInt64) -> UInt64 {
        rtc.writeByte(index, 0)
        return rtc.readByte(1)
    }

    private func write(_ value: UInt64, _ index: UInt64) {
        rtc.writeByte(index, 0)
        rtc.writeByte(value, 1)
    }

    private func pass(_ nanoseconds: UInt64) {
        calendar.set(calendar.nanoseconds + nanoseconds)
        clock.set(clock.nanoseconds + nanoseconds)
    }

    /// Second to century, weekday last.
    private var time: [UInt64] { [0, 2, 4, 7, 8, 9, 0x32, 6].map(read) }

    @Test("the host's time, decimal and of 24 hours at first")
    func decimal() {
        #expect(time == [0x58, 0x45, 0x13, 0x21, 0x11, 0x26, 0x20, 7])
    }

    @Test(
        "binary, and 12 hours", arguments: [(0x06, 13), (0x04, 0x81), (0x00, 0x81), (0x02, 0x13)] as [(UInt64, UInt64)])
    func forms(control: UInt64, hour: UInt64) {
        write(control, 0x0B)
        #expect(read(4) == hour)
    }

    @Test(
        "twelve comes first of twelve hours",
        arguments: [(0, 12), (1, 1), (11, 11), (12, 0x8C), (13, 0x81), (23, 0x8B)] as [(UInt64, UInt64)])
    func twelve(hour: UInt64, shown: UInt64) {
        calendar.set(hour * 3600 * 1_000_000_000)
        write(0x04, 0x0B)
        #expect(read(4) == shown)
        write(0x84, 0x0B)
        write(shown, 4)
        write(0x04, 0x0B)
        write(0x06, 0x0B)
        #expect(read(4) == hour)
    }

    @Test(
        "days of the calendar",
        arguments: [
            (0, 1970, 1, 1, 5), (951_782_399, 2000, 2, 28, 2), (951_782_400, 2000, 2, 29, 3),
            (951_868_800, 2000, 3, 1, 4), (1_709_164_800, 2024, 2, 29, 5), (4_107_542_400, 2100, 3, 1, 2),
            (1_798_675_199, 2026, 12, 30, 4), (18_446_744_072, 2554, 7, 21, 1),
        ] as [(UInt64, UInt64, UInt64, UInt64, UInt64)])
    func dates(seconds: UInt64, year: UInt64, month: UInt64, day: UInt64, weekday: UInt64) {
        calendar.set(seconds * 1_000_000_000)
        write(0x06, 0x0B)
        #expect([read(0x32) * 100 + read(9), read(8), read(7), read(6)] == [year, month, day, weekday])
    }

    @Test("a time that is set goes on from there")
    func sets() {
        write(0x82, 0x0B)
        let parts: [(UInt64, UInt64)] = [
            (0, 0x30), (2, 0x59), (4, 0x23), (7, 0x31), (8, 0x12), (9, 0x99), (0x32, 0x19),
        ]
        parts.forEach { write($1, $0) }
        pass(10_000_000_000)
        #expect(read(0) == 0x30, "it stands while it is set")
        write(0x02, 0x0B)
        pass(30_000_000_000)
        #expect(time == [0x00, 0x00, 0x00, 0x01, 0x01, 0x00, 0x20, 7])
    }

    @Test("a byte that is written while it runs changes that part alone")
    func setsOne() {
        write(0x08, 4)
        #expect(time == [0x58, 0x45, 0x08, 0x21, 0x11, 0x26, 0x20, 7])
        pass(2_000_000_000)
        #expect(read(0) == 0)
        #expect(read(2) == 0x46)
    }

    @Test(
        "a date that is none counts on",
        arguments: [(0x31, 0x02, [0x03, 0x03]), (0x00, 0x00, [0x01, 0x01]), (0x01, 0x13, [0x01, 0x01])]
            as [(UInt64, UInt64, [UInt64])])
    func noDate(day: UInt64, month: UInt64, shown: [UInt64]) {
        write(0x82, 0x0B)
        write(day, 7)
        write(month, 8)
        write(0x02, 0x0B)
        #expect([read(7), read(8)] == shown)
    }

    @Test("a divider that was held runs again half a second from the next update")
    func divider() {
        write(0x76, 0x0A)
        pass(10_000_000_000)
        #expect(read(0) == 0x58)
        write(0x26, 0x0A)
        pass(499_999_999)
        #expect(read(0) == 0x58)
        pass(1)
        #expect(read(0) == 0x59)
    }

    @Test(
        "the update shows 244 µs before it and for its 1984 µs, but not while the clock stands",
        arguments: [(749_755_000, 0), (749_757_000, 0x80), (750_000_000, 0x80), (751_983_000, 0x80), (751_985_000, 0)]
            as [(UInt64, UInt64)])
    func update(nanoseconds: UInt64, flag: UInt64) {
        pass(nanoseconds)
        #expect(read(0x0A) == 0x26 | flag)
        write(0x82, 0x0B)
        #expect(read(0x0A) == 0x26)
    }

    @Test("an update interrupts with its enable, and reading C takes it back")
    func updateInterrupt() {
        write(0x12, 0x0B)
        #expect(rtc.interruptLevels == 0)
        #expect(rtc.deadline == 750_000_000)
        pass(750_000_000)
        #expect(rtc.interruptLevels == 1)
        #expect(rtc.deadline == nil)
        #expect(read(0x0C) == 0xD0, "and a period has passed")
        #expect(read(0x0C) == 0)
        #expect(rtc.interruptLevels == 0)
        #expect(rtc.deadline == 1_750_000_000)
    }

    @Test("flags come without their enables, and interrupt when these come")
    func flags() {
        pass(1_000_000_000)
        #expect(rtc.interruptLevels == 0)
        write(0x12, 0x0B)
        #expect(rtc.interruptLevels == 1)
        #expect(read(0x0C) == 0xD0)
    }

    @Test("the set bit takes the update's enable away")
    func setTakesEnable() {
        write(0x92, 0x0B)
        #expect(read(0x0B) == 0x82)
    }

    @Test(
        "an alarm goes off at its time, each part one number or any",
        arguments: [
            (0x46, 0x45, 0x13, 86_388), (0x59, 0x45, 0x13, 1), (0x05, 0xFF, 0xFF, 7), (0xC0, 0xC0, 0xC0, 1),
            (0x00, 0x00, 0xFF, 842), (0x00, 0x46, 0x13, 2), (0xFF, 0x50, 0xFF, 242), (0x00, 0x00, 0x00, 36_842),
            (0xFF, 0x45, 0xFF, 1), (0x58, 0xFF, 0xFF, 60),
        ] as [(UInt64, UInt64, UInt64, UInt64)])
    func alarm(second: UInt64, minute: UInt64, hour: UInt64, after: UInt64) {
        write(second, 1)
        write(minute, 3)
        write(hour, 5)
        _ = read(0x0C)
        write(0x22, 0x0B)
        let moment = after * 1_000_000_000 - 250_000_000
        #expect(rtc.deadline == moment)
        pass(moment - 1)
        #expect(rtc.interruptLevels == 0)
        pass(1)
        #expect(rtc.interruptLevels == 1)
        #expect(read(0x0C) & 0x20 != 0)
    }

    @Test("an alarm of a time that there is not never goes off")
    func noAlarm() {
        write(0x75, 1)
        write(0x22, 0x0B)
        #expect(rtc.deadline == nil)
        pass(86_400_000_000_000 * 2)
        #expect(rtc.interruptLevels == 0)
    }

    @Test(
        "the periodic interrupt has the rate of A",
        arguments: [(0x26, 976_563), (0x2F, 500_000_000), (0x23, 122_071), (0x21, 3_906_250), (0x22, 7_812_500)]
            as [(UInt64, UInt64)])
    func periodic(control: UInt64, period: UInt64) {
        write(control, 0x0A)
        write(0x42, 0x0B)
        #expect(rtc.deadline == period)
        pass(period)
        #expect(rtc.interruptLevels == 1)
        #expect(read(0x0C) & 0x40 != 0)
        #expect(rtc.interruptLevels == 0)
    }

    @Test("rate 0 has no periodic interrupt")
    func noPeriod() {
        write(0x20, 0x0A)
        write(0x42, 0x0B)
        #expect(rtc.deadline == nil)
    }

    @Test("memory keeps what is written, and what the machine has put there")
    func memory() {
        rtc.setMemory(0x5A, at: 0x5D)
        rtc.setMemory(0x5A, at: 0x0B)
        write(0xA5, 0x7F)
        #expect(read(0x5D) == 0x5A)
        #expect(read(0x7F) == 0xA5)
        #expect(read(0xFF) == 0xA5, "bit 7 masks NMI")
        #expect(read(0x0B) == 0x02)
    }

    @Test("C and D cannot be written, A not its update bit")
    func readOnly() {
        write(0xFF, 0x0C)
        write(0, 0x0D)
        write(0xA6, 0x0A)
        #expect(read(0x0C) == 0)
        #expect(read(0x0D) == 0x80)
        #expect(read(0x0A) == 0x26)
    }

    @Test("a calendar that is set back raises nothing")
    func calendarBack() {
        write(0x12, 0x0B)
        _ = read(0x0C)
        calendar.set(Self.start - 5_000_000_000)
        #expect(rtc.interruptLevels == 0)
    }

    @Test("reset takes interrupts away, and keeps time and memory")
    func reset() {
        write(0x08, 4)
        write(0x11, 0x40)
        write(0x72, 0x0B)
        rtc.reset()
        #expect(read(0x0B) == 0x02)
        #expect(read(4) == 0x08)
        #expect(read(0x40) == 0x11)
    }

    @Test(
        "the index reads as ones, and what is not there as zero",
        arguments: [(0, .byte, 0xFF), (2, .byte, 0), (1, .half, 0), (0, .word, 0)] as [(UInt64, AccessWidth, UInt64)])
    func reserved(offset: UInt64, width: AccessWidth, value: UInt64) {
        #expect(rtc.read(at: offset, width: width) == value)
    }
}

// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore
import Testing

@Suite("Goldfish real-time clock")
struct GoldfishRTCTests {
    private static let epoch: UInt64 = 1_700_000_000_123_456_789
    let calendar = HandClock(epoch)
    let clock = HandClock(5_000)
    let rtc: GoldfishRTC

    init() { rtc = GoldfishRTC(calendar: calendar, clock: clock) }

    private var time: UInt64 { rtc.readWord(0x00) | rtc.readWord(0x04) << 32 }

    private func setAlarm(_ alarm: UInt64) {
        rtc.writeWord(alarm >> 32, 0x0C)
        rtc.writeWord(alarm & 0xFFFF_FFFF, 0x08)
    }

    private func advance(_ nanoseconds: UInt64) {
        calendar.set(calendar.nanoseconds + nanoseconds)
        clock.set(clock.nanoseconds + nanoseconds)
    }

    @Test("it tells the host's time in nanoseconds since 1970")
    func tells() { #expect(time == Self.epoch) }

    @Test("reading the low half holds the high half")
    func holds() {
        calendar.set(0x1_FFFF_FFFF)
        #expect(rtc.readWord(0x00) == 0xFFFF_FFFF)
        calendar.set(0x2_0000_0000)
        #expect(rtc.readWord(0x04) == 1)
        #expect(rtc.readWord(0x00) == 0)
        #expect(rtc.readWord(0x04) == 2)
    }

    @Test("a time that the guest sets goes on from there, over a reset too")
    func setTime() {
        rtc.writeWord(0x10, 0x04)
        rtc.writeWord(0x20, 0x00)
        advance(3)
        #expect(time == 0x10_0000_0023)
        rtc.reset()
        #expect(time == 0x10_0000_0023)
    }

    @Test("the alarm interrupts when its time has come, until it is cleared")
    func alarm() {
        rtc.writeWord(1, 0x10)
        setAlarm(Self.epoch + 100)
        #expect(rtc.readWord(0x18) == 1)
        #expect(rtc.deadline == 5_100)
        advance(99)
        #expect(rtc.interruptLevels == 0)
        advance(1)
        #expect(rtc.interruptLevels == 1)
        #expect(rtc.deadline == nil)
        #expect(rtc.readWord(0x18) == 0)
        #expect(rtc.interruptLevels == 1)
        rtc.writeWord(1, 0x1C)
        #expect(rtc.interruptLevels == 0)
    }

    @Test("an alarm in the past goes off at once", arguments: [0, 1, epoch])
    func pastAlarm(alarm: UInt64) {
        rtc.writeWord(1, 0x10)
        setAlarm(alarm)
        #expect(rtc.interruptLevels == 1)
        #expect(rtc.readWord(0x18) == 0)
    }

    @Test("an alarm that went off while interrupts were disabled interrupts when they are enabled")
    func enableLater() {
        setAlarm(Self.epoch + 1)
        advance(1)
        #expect(rtc.interruptLevels == 0)
        #expect(rtc.deadline == nil)
        rtc.writeWord(1, 0x10)
        #expect(rtc.interruptLevels == 1)
    }

    @Test("a disarmed alarm does not go off")
    func disarm() {
        rtc.writeWord(1, 0x10)
        setAlarm(Self.epoch + 1)
        rtc.writeWord(1, 0x14)
        #expect(rtc.readWord(0x18) == 0)
        advance(1)
        #expect(rtc.interruptLevels == 0)
    }

    @Test("an alarm moves with a calendar that is set back: a new deadline, and no interrupt at the old one")
    func calendarSetBack() {
        rtc.writeWord(1, 0x10)
        setAlarm(Self.epoch + 100)
        clock.set(5_100)
        calendar.set(Self.epoch - 900)
        #expect(rtc.interruptLevels == 0)
        #expect(rtc.deadline == 6_100)
    }

    @Test("an alarm past the end of virtual time has no deadline")
    func farAlarm() {
        clock.set(.max - 10)
        rtc.writeWord(1, 0x10)
        setAlarm(.max)
        #expect(rtc.deadline == nil)
        #expect(rtc.readWord(0x08) == 0xFFFF_FFFF)
        #expect(rtc.readWord(0x0C) == 0xFFFF_FFFF)
    }

    @Test("only bit 0 enables the interrupt")
    func enableBit() {
        rtc.writeWord(0xFFFF_FFFE, 0x10)
        #expect(rtc.readWord(0x10) == 0)
        rtc.writeWord(0xFFFF_FFFF, 0x10)
        #expect(rtc.readWord(0x10) == 1)
    }

    @Test(
        "what is reserved, and accesses but words, read as zero and change nothing",
        arguments: [
            (0x14, .word), (0x20, .word), (0xFFC, .word), (.max, .word), (0x02, .word), (0x00, .byte), (0x10, .half),
            (0x08, .double),
        ] as [(UInt64, AccessWidth)])
    func reserved(offset: UInt64, width: AccessWidth) {
        let before = rtc.state
        rtc.write(1, at: offset, width: width)
        #expect(rtc.read(at: offset, width: width) == 0)
        #expect(rtc.state == before)
    }

    @Test("reset disarms the alarm and takes its interrupt back")
    func reset() {
        rtc.writeWord(1, 0x10)
        setAlarm(1)
        rtc.reset()
        #expect(rtc.interruptLevels == 0)
        rtc.writeWord(1, 0x10)
        #expect(rtc.interruptLevels == 0)
    }
}

// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore
import Testing

@Suite("ACPI fixed hardware")
struct ACPIPowerTests {
    let clock = HandClock()
    let requests = Recorder<MachineRequest>()
    let slept = Recorder<UInt8>()
    let acpi: ACPIPower

    init() {
        let (requests, slept) = (requests, slept)
        acpi = ACPIPower(clock: clock, requests: { requests.record($0) }, sleeps: { slept.record($0) })
    }

    private func readHalf(_ offset: UInt64) -> UInt64 { acpi.read(at: offset, width: .half) }
    private func writeHalf(_ value: UInt64, _ offset: UInt64) {
        acpi.write(value, at: offset, width: .half)
        acpi.performWork()
    }

    @Test(
        "the timer counts 3.579545 MHz in 32 or 24 bits",
        arguments: [(true, 0x1555_F3C4), (false, 0x55_F3C4)] as [(Bool, UInt64)])
    func timer(isWide: Bool, value: UInt64) {
        let acpi = ACPIPower(clock: clock, hasWideTimer: isWide, requests: { _ in })
        clock.set(100_000_000_000)
        #expect(acpi.readWord(8) == value)
        acpi.writeWord(0, 8)
        #expect(acpi.readWord(8) == value)
    }

    @Test(
        "the timer's highest bit sets its status and interrupts, each time it changes",
        arguments: [(true, 1 << 31), (false, 1 << 23)] as [(Bool, UInt64)])
    func timerInterrupt(isWide: Bool, ticks: UInt64) throws {
        let acpi = ACPIPower(clock: clock, hasWideTimer: isWide, requests: { _ in })
        acpi.write(1, at: 2, width: .half)
        let moment = try #require(TimeStampRate(frequency: 3_579_545).nanoseconds(at: ticks))
        #expect(acpi.deadline == moment)
        clock.set(moment - 1)
        #expect(acpi.interruptLevels == 0)
        clock.set(moment)
        #expect(acpi.interruptLevels == 1)
        #expect(acpi.deadline == nil)
        acpi.write(1, at: 0, width: .half)
        #expect(acpi.interruptLevels == 0)
        #expect(acpi.deadline == TimeStampRate(frequency: 3_579_545).nanoseconds(at: 2 * ticks))
    }

    @Test(
        "an event sets its status, interrupts with its enable, and is cleared by a one",
        arguments: [(.powerButton, 0x100), (.sleepButton, 0x200), (.realTimeClock, 0x400)]
            as [(ACPIPower.Event, UInt64)])
    func events(event: ACPIPower.Event, bit: UInt64) {
        acpi.raise(event)
        #expect(readHalf(0) == bit)
        #expect(acpi.interruptLevels == 0)
        writeHalf(bit, 2)
        #expect(acpi.interruptLevels == 1)
        writeHalf(0xFFFF & ~bit, 0)
        #expect(acpi.interruptLevels == 1)
        writeHalf(bit, 0)
        #expect(acpi.interruptLevels == 0)
    }

    @Test("enable and control keep what can be written, SCI_EN is one")
    func bits() {
        writeHalf(0xFFFF, 2)
        #expect(readHalf(2) == 0x0721)
        #expect(readHalf(4) == 1)
        writeHalf(0xDFFF, 4)
        #expect(readHalf(4) == 0x1C03)
    }

    @Test("bytes reach their half of a register")
    func bytes() {
        acpi.writeByte(0x07, 3)
        #expect(readHalf(2) == 0x0700)
        acpi.raise(.powerButton)
        #expect(acpi.readWord(0) == 0x0700_0100)
        #expect(acpi.interruptLevels == 1)
        acpi.writeByte(0xFF, 0)
        #expect(acpi.readByte(1) == 1)
        acpi.writeByte(1, 1)
        #expect(acpi.readByte(1) == 0)
    }

    @Test("soft-off ends the machine; other types are told; without SLP_EN nothing happens")
    func sleep() {
        writeHalf(UInt64(ACPIPower.softOff) << 10, 4)
        #expect(requests.all.isEmpty)
        writeHalf(0x2000 | UInt64(ACPIPower.suspend) << 10, 4)
        #expect(slept.all == [ACPIPower.suspend])
        #expect(requests.all.isEmpty)
        writeHalf(0x2000 | UInt64(ACPIPower.softOff) << 10, 4)
        #expect(requests.all == [.powerOff(code: 0)])
        #expect(readHalf(4) & 0x2000 == 0)
        acpi.wake()
        #expect(readHalf(0) == 0x8000)
    }

    @Test("the high byte alone suffices to sleep")
    func sleepByte() {
        acpi.writeByte(0x20, 5)
        acpi.performWork()
        #expect(requests.all == [.powerOff(code: 0)])
    }

    @Test("a machine that cannot sleep ignores it")
    func noSleep() {
        let acpi = ACPIPower(clock: clock, requests: { _ in })
        acpi.write(0x2400, at: 4, width: .half)
        #expect(acpi.takeWork() == nil)
    }

    @Test("general-purpose events", arguments: [0, 7, 8, 15])
    func general(number: Int) {
        acpi.raiseGeneral(number)
        #expect(readHalf(0x20) == 1 << UInt64(number))
        #expect(acpi.interruptLevels == 0)
        writeHalf(1 << UInt64(number), 0x22)
        #expect(acpi.interruptLevels == 1)
        writeHalf(0xFFFF, 0x20)
        #expect(acpi.interruptLevels == 0)
        #expect(readHalf(0x22) == 1 << UInt64(number))
    }

    @Test("general-purpose events that are not there are ignored", arguments: [Int.min, -1, 16, .max])
    func noGeneral(number: Int) {
        let before = acpi.state
        acpi.raiseGeneral(number)
        #expect(acpi.state == before)
    }

    @Test(
        "what is reserved reads as zero and changes nothing",
        arguments: [0x06, 0x0C, 0x1E, 0x24, 0x3E, .max] as [UInt64])
    func reserved(offset: UInt64) {
        let before = acpi.state
        writeHalf(0xFFFF, offset)
        #expect(acpi.state == before)
        #expect(acpi.readByte(offset) == 0)
    }

    @Test("reset forgets all")
    func reset() {
        acpi.raise(.powerButton)
        acpi.write(0x2000, at: 4, width: .half)
        acpi.reset()
        #expect(acpi.takeWork() == nil)
        #expect(readHalf(0) == 0)
    }
}

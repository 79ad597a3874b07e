// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore
import Testing

@Suite("HPET")
struct HPETTests {
    let clock = HandClock(1000)
    let sink = MessageRecorder()
    let hpet: HPET

    init() { hpet = HPET(clock: clock, routes: 0x00F0_0000, messages: sink) }

    private func configuration(_ number: UInt64) -> UInt64 { 0x100 + 0x20 * number }
    private func value(_ number: UInt64) -> UInt64 { 0x108 + 0x20 * number }
    private func enable(_ bits: UInt64 = 1) { hpet.writeDouble(bits, 0x10) }
    /// Lets `ticks` of 10 ns pass.
    private func pass(_ ticks: UInt64) { clock.set(clock.nanoseconds + 10 * ticks) }
    /// What a board does when it looks.
    private func look() -> UInt64 {
        _ = hpet.deadline
        return hpet.interruptLevels
    }

    @Test(
        "registers after reset",
        arguments: [
            (0x000, 0x0098_9680_8086_A201), (0x010, 0), (0x020, 0), (0x0F0, 0), (0x100, 0x00F0_0000_0000_8030),
            (0x108, UInt64.max), (0x110, 0), (0x140, 0x00F0_0000_0000_8030), (0x160, 0), (0x008, 0), (0x3F8, 0),
        ] as [(UInt64, UInt64)])
    func powerOn(offset: UInt64, value: UInt64) {
        #expect(hpet.readDouble(offset) == value)
    }

    @Test("without a way for messages they are not offered")
    func noMessages() {
        let hpet = HPET(clock: clock, routes: 4)
        hpet.writeDouble(.max, 0x100)
        #expect(hpet.readDouble(0x100) == 0x0000_0004_0000_013E)
    }

    @Test("the counter stands until it is enabled, goes on by 10 ns, and keeps its place")
    func counter() {
        pass(50)
        #expect(hpet.readDouble(0xF0) == 0)
        enable()
        pass(50)
        #expect(hpet.readDouble(0xF0) == 50)
        enable(0)
        pass(50)
        #expect(hpet.readDouble(0xF0) == 50)
        hpet.writeDouble(0x1_0000_0000, 0xF0)
        enable()
        pass(7)
        #expect(hpet.readWord(0xF0) == 7)
        #expect(hpet.readWord(0xF4) == 1)
    }

    @Test(
        "a comparator's configuration keeps what can be written, and routes that are offered",
        arguments: [(20, 20), (23, 23), (0, 20), (24, 20)] as [(UInt64, UInt64)])
    func configurations(route: UInt64, kept: UInt64) {
        hpet.writeDouble(20 << 9, configuration(1))
        hpet.writeDouble(0x410E & ~(0x1F << 9) | 0x4000 | route << 9, configuration(1))
        #expect(hpet.readDouble(configuration(1)) == 0x00F0_0000_0000_8030 | 0x410E | kept << 9)
    }

    @Test("one-shot: an edge when the counter meets the value, at the moment of the deadline")
    func oneShot() {
        hpet.writeDouble(20 << 9 | 4, configuration(2))
        hpet.writeDouble(500, value(2))
        enable()
        #expect(look() == 0)
        #expect(hpet.deadline == 1000 + 5000)
        pass(499)
        #expect(look() == 0)
        pass(1)
        #expect(look() == 1 << 20)
        #expect(hpet.readDouble(0x20) == 0)
        #expect(hpet.deadline == nil)
    }

    @Test("the next edge falls and rises")
    func nextEdge() {
        hpet.writeDouble(20 << 9 | 4, configuration(2))
        enable()
        hpet.writeDouble(500, value(2))
        pass(500)
        #expect(look() == 1 << 20)
        hpet.writeDouble(600, value(2))
        #expect(look() == 1 << 20)
        pass(100)
        #expect(look() == 0)
        #expect(look() == 1 << 20)
    }

    @Test("a value that is met this very tick interrupts; one that has passed does not")
    func equal() {
        hpet.writeDouble(20 << 9 | 4, configuration(0))
        enable()
        pass(100)
        hpet.writeDouble(99, value(0))
        #expect(look() == 0)
        hpet.writeDouble(100, value(0))
        #expect(look() == 1 << 20)
    }

    @Test("level: the status bit holds the output until it is cleared")
    func level() {
        hpet.writeDouble(21 << 9 | 6, configuration(1))
        hpet.writeDouble(100, value(1))
        enable()
        pass(100)
        #expect(look() == 1 << 21)
        #expect(hpet.readDouble(0x20) == 2)
        hpet.writeDouble(1, 0x20)
        #expect(look() == 1 << 21)
        hpet.writeDouble(2, 0x20)
        #expect(look() == 0)
    }

    @Test("periodic: the period is added at each match, and matches that nobody saw count once")
    func periodic() {
        hpet.writeDouble(20 << 9 | 4 | 8 | 0x40, configuration(0))
        hpet.writeDouble(10_000, value(0))
        hpet.writeDouble(20_000, value(0))
        enable()
        pass(10_000)
        #expect(look() == 1 << 20)
        #expect(hpet.readDouble(value(0)) == 30_000)
        pass(45_000)
        #expect(look() == 0)
        #expect(look() == 1 << 20)
        #expect(hpet.readDouble(value(0)) == 70_000)
        #expect(hpet.deadline == 1000 + 700_000)
        hpet.writeDouble(5_000, value(0))
        #expect(hpet.readDouble(value(0)) == 70_000, "without the set bit only the period")
        pass(15_000)
        #expect(hpet.readDouble(value(0)) == 75_000)
    }

    @Test("a periodic comparator that was set once has that value as its period, too")
    func setOnce() {
        hpet.writeDouble(20 << 9 | 4 | 8 | 0x40, configuration(0))
        hpet.writeDouble(10_000, value(0))
        enable()
        pass(10_000)
        #expect(hpet.readDouble(value(0)) == 20_000)
        #expect(hpet.readDouble(configuration(0)) & 0x40 == 0)
    }

    @Test("in 32-bit mode the counter is met all 2^32 ticks")
    func narrow() {
        hpet.writeDouble(20 << 9 | 4 | 0x100, configuration(0))
        hpet.writeDouble(0xF_0000_0064, value(0))
        #expect(hpet.readDouble(value(0)) == 100)
        hpet.writeDouble(0x5_0000_00C8, 0xF0)
        enable()
        let moment: UInt64 = 1000 + ((1 << 32) - 100) * 10
        #expect(hpet.deadline == moment)
        pass((1 << 32) - 100)
        #expect(look() == 1 << 20)
    }

    @Test("messages go where the comparator's register says, and no wire moves")
    func messages() {
        hpet.writeDouble(0x4004, configuration(0))
        hpet.writeDouble(0xFEE0_1000_0000_4051, 0x110)
        hpet.writeDouble(100, value(0))
        enable()
        pass(100)
        #expect(look() == 0)
        hpet.performWork()
        hpet.performWork()
        #expect(sink.messages.all == [.init(address: 0xFEE0_1000, data: 0x4051)])
    }

    @Test("replacing PIT and RTC: comparators 0 and 1 drive their lines, 2 its own")
    func replaces() {
        ([0, 1, 2] as [UInt64]).forEach {
            hpet.writeDouble(20 << 9 | 4, configuration($0))
            hpet.writeDouble(100, value($0))
        }
        enable(3)
        pass(100)
        #expect(look() == 1 << 32 | 1 << 33 | 1 << 34 | 1 << 20)
    }

    @Test("a comparator whose interrupt is off matches silently")
    func off() {
        hpet.writeDouble(20 << 9, configuration(0))
        hpet.writeDouble(100, value(0))
        enable()
        #expect(hpet.deadline == nil)
        pass(101)
        #expect(look() == 0)
        hpet.writeDouble(20 << 9 | 4, configuration(0))
        #expect(look() == 0)
    }

    @Test("a counter that stands has no deadline, and matches of before it stood do not count")
    func stands() {
        hpet.writeDouble(20 << 9 | 4, configuration(0))
        hpet.writeDouble(100, value(0))
        #expect(hpet.deadline == nil)
        pass(100)
        #expect(look() == 0)
        enable()
        #expect(look() == 0)
        #expect(hpet.deadline == clock.nanoseconds + 1000)
    }

    @Test("a period too short to follow is followed at a pause")
    func fast() {
        hpet.writeDouble(20 << 9 | 4 | 8 | 0x40, configuration(0))
        hpet.writeDouble(1, value(0))
        enable()
        #expect(hpet.deadline == 51_000)
    }

    @Test("words reach halves of registers", arguments: [0x108, 0x110] as [UInt64])
    func halves(offset: UInt64) {
        hpet.writeWord(0x1111_2222, offset)
        hpet.writeWord(0x3333_4444, offset + 4)
        #expect(hpet.readDouble(offset) == 0x3333_4444_1111_2222)
        #expect(hpet.readWord(offset + 4) == 0x3333_4444)
    }

    @Test(
        "other widths, unaligned accesses and what is reserved change nothing",
        arguments: [
            (0x10, .byte), (0x10, .half), (0x12, .word), (0x14, .double), (0x18, .double), (0x168, .double),
            (0x118, .double), (0x3F8, .double), (.max - 7, .double), (0x400, .double),
        ] as [(UInt64, AccessWidth)])
    func reserved(offset: UInt64, width: AccessWidth) {
        let before = hpet.state
        hpet.write(width.mask, at: offset, width: width)
        #expect(hpet.read(at: offset, width: width) == 0)
        #expect(hpet.state == before)
    }

    @Test("reset stops everything")
    func reset() {
        hpet.writeDouble(20 << 9 | 4, configuration(0))
        enable()
        hpet.reset()
        #expect(hpet.deadline == nil)
        #expect(hpet.readDouble(0xF0) == 0)
    }
}

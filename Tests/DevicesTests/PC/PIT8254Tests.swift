// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore
import Testing

@Suite("8254 timer")
struct PIT8254Tests {
    let clock = HandClock()
    let pit: PIT8254
    private let rate = TimeStampRate(frequency: PIT8254.frequency)
    private static let control: UInt64 = 3
    private static let speaker: UInt64 = 0x21

    init() {
        pit = PIT8254(clock: clock)
        goTo(1000)
    }

    /// Lets time be that of `tick`.
    private func goTo(_ tick: UInt64) { clock.set(rate.nanoseconds(at: tick) ?? .max) }

    /// Control word, then the count in two bytes, at tick 1000: the count is loaded with tick 1001.
    private func program(_ counter: UInt64, mode: UInt64, count: UInt64, decimal: UInt64 = 0) {
        pit.writeByte(counter << 6 | 0x30 | mode << 1 | decimal, Self.control)
        pit.writeByte(count & 0xFF, counter)
        pit.writeByte(count >> 8, counter)
    }

    private func read(_ counter: UInt64) -> UInt64 {
        pit.writeByte(counter << 6, Self.control)
        return pit.readByte(counter) | pit.readByte(counter) << 8
    }

    /// The output of counter 2 at `tick`, by port 0x61.
    private func output(at tick: UInt64) -> Bool {
        goTo(tick)
        return pit.readByte(Self.speaker) & 0x20 != 0
    }

    /// The wire of counter 0 at `tick`, looked at as a board does.
    private func wire(at tick: UInt64) -> UInt64 {
        goTo(tick)
        _ = pit.deadline
        return pit.interruptLevels
    }

    private func setGate(_ level: UInt64) { pit.writeByte(level, Self.speaker) }

    /// The ticks in `range` at which counter 2's output is low.
    private func lows(_ range: ClosedRange<UInt64>) -> [UInt64] { range.filter { !output(at: $0) } }

    @Test("mode 0: low until the count is over, then high for good")
    func mode0() {
        setGate(1)
        program(2, mode: 0, count: 5)
        #expect(lows(1000...1020) == Array(1000...1005))
    }

    @Test("mode 0: the gate holds the count, and the first byte of a new one stops it")
    func mode0Gate() {
        setGate(1)
        program(2, mode: 0, count: 100)
        goTo(1031)
        setGate(0)
        goTo(1500)
        #expect(read(2) == 70)
        setGate(1)
        goTo(1510)
        #expect(read(2) == 60)
        pit.writeByte(5, 2)
        #expect(!output(at: 1900))
        pit.writeByte(0, 2)
        #expect(output(at: 1906))
        #expect(!output(at: 1905))
    }

    @Test("mode 1: a rising gate makes the output low for the count, again and again")
    func mode1() {
        program(2, mode: 1, count: 4)
        #expect(output(at: 1010))
        setGate(1)
        #expect(lows(1010...1020) == Array(1011...1014))
        setGate(0)
        setGate(1)
        goTo(1022)
        setGate(0)
        setGate(1)
        #expect(lows(1022...1040) == Array(1022...1026), "retriggered")
    }

    @Test("mode 2: low for the last tick of each period")
    func mode2() {
        setGate(1)
        program(2, mode: 2, count: 4)
        #expect(lows(1000...1013) == [1004, 1008, 1012])
    }

    @Test("mode 2: the gate stops it high, and starts it anew")
    func mode2Gate() {
        setGate(1)
        program(2, mode: 2, count: 4)
        goTo(1004)
        setGate(0)
        #expect(lows(1004...1009) == [])
        setGate(1)
        #expect(lows(1009...1018) == [1013, 1017])
    }

    @Test("mode 2: a new count comes with the next period")
    func mode2Reload() {
        setGate(1)
        program(2, mode: 2, count: 10)
        goTo(1005)
        pit.writeByte(4, 2)
        pit.writeByte(0, 2)
        #expect(read(2) == 6)
        #expect(lows(1005...1020) == [1010, 1014, 1018])
    }

    @Test(
        "mode 3: a square wave, an odd count high for a tick longer",
        arguments: [(6, [1004, 1005, 1006, 1010, 1011, 1012]), (5, [1004, 1005, 1009, 1010])] as [(UInt64, [UInt64])])
    func mode3(count: UInt64, low: [UInt64]) {
        setGate(1)
        program(2, mode: 3, count: count)
        #expect(lows(1000...1012) == low)
    }

    @Test(
        "mode 3 counts by two",
        arguments: [(6, [6, 4, 2, 6, 4, 2, 6]), (5, [4, 2, 0, 4, 2, 4, 2])] as [(UInt64, [UInt64])])
    func mode3Counts(count: UInt64, values: [UInt64]) {
        setGate(1)
        program(2, mode: 3, count: count)
        let seen = (1001...1007).map { tick -> UInt64 in
            goTo(UInt64(tick))
            return read(2)
        }
        #expect(seen == values)
    }

    @Test("mode 3: a new count comes with the next half")
    func mode3Reload() {
        setGate(1)
        program(2, mode: 3, count: 10)
        goTo(1003)
        pit.writeByte(4, 2)
        pit.writeByte(0, 2)
        #expect(lows(1003...1014) == [1006, 1007, 1010, 1011, 1014])
    }

    @Test("mode 4: one low tick after the count, and no more of them")
    func mode4() {
        setGate(1)
        program(2, mode: 4, count: 4)
        #expect(lows(1000...1030) == [1005])
        #expect(output(at: 1005 + 0x1_0000))
    }

    @Test("mode 5: like 4, by a rising gate")
    func mode5() {
        program(2, mode: 5, count: 4)
        #expect(output(at: 1005))
        setGate(1)
        #expect(lows(1005...1030) == [1010])
    }

    @Test("modes 6 and 7 are 2 and 3", arguments: [(6, 2), (7, 3)] as [(UInt64, UInt8)])
    func aliases(mode: UInt64, real: UInt8) {
        program(1, mode: mode, count: 100)
        #expect(pit.state.counters[1].mode == real)
    }

    @Test("zero counts 65,536, or 10,000 in decimal", arguments: [(0, 65_536), (1, 10_000)] as [(UInt64, UInt64)])
    func zero(decimal: UInt64, count: UInt64) {
        setGate(1)
        program(2, mode: 0, count: 0, decimal: decimal)
        #expect(!output(at: 1000 + count))
        #expect(output(at: 1001 + count))
    }

    @Test("decimal counts are written and read in digits")
    func decimal() {
        program(1, mode: 2, count: 0x1234, decimal: 1)
        goTo(1001 + 235)
        #expect(read(1) == 0x999)
    }

    @Test("a count after its end goes on from the top")
    func wraps() {
        program(1, mode: 0, count: 10)
        goTo(1001 + 12)
        #expect(read(1) == 0xFFFE)
    }

    @Test(
        "one byte alone is written and read, as the control word says",
        arguments: [(1, 0x34, 0x2A), (2, 0x3400, 0x33)] as [(UInt64, UInt64, UInt64)])
    func singleByte(access: UInt64, initial: UInt64, value: UInt64) {
        pit.writeByte(0x40 | access << 4 | 4, Self.control)
        pit.writeByte(0x34, 1)
        goTo(1001 + 10)
        #expect(pit.readByte(1) == value)
        #expect(pit.readByte(1) == value)
        #expect(pit.state.counters[1].initial == UInt32(initial))
    }

    @Test("a latched count stays until it is read, and a second latch does not change it")
    func latch() {
        program(1, mode: 2, count: 1000)
        goTo(1101)
        pit.writeByte(0x40, Self.control)
        goTo(1201)
        pit.writeByte(0x40, Self.control)
        #expect(pit.readByte(1) | pit.readByte(1) << 8 == 900)
        #expect(pit.readByte(1) | pit.readByte(1) << 8 == 800)
    }

    @Test("the read-back command latches counts and states of several counters")
    func readBack() {
        program(0, mode: 3, count: 1000)
        program(1, mode: 2, count: 500)
        goTo(1101)
        pit.writeByte(0xC6, Self.control)
        goTo(1301)
        #expect(pit.readByte(0) == 0xB6)
        #expect(pit.readByte(0) | pit.readByte(0) << 8 == 800)
        #expect(pit.readByte(1) == 0xB4)
        #expect(pit.readByte(1) | pit.readByte(1) << 8 == 400)
    }

    @Test("the status says whether the count is loaded, and the output")
    func status() {
        pit.writeByte(0xB0, Self.control)
        pit.writeByte(0xE8, Self.control)
        #expect(pit.readByte(2) == 0x70)
        setGate(1)
        pit.writeByte(2, 2)
        pit.writeByte(0, 2)
        pit.writeByte(0xE8, Self.control)
        #expect(pit.readByte(2) == 0x70)
        goTo(1010)
        pit.writeByte(0xE8, Self.control)
        #expect(pit.readByte(2) == 0xB0)
    }

    @Test("port 0x61 keeps its bits, shows gate and output, and turns with the refresh")
    func port() {
        pit.writeByte(0xFF, Self.speaker)
        clock.set(0)
        #expect(pit.readByte(Self.speaker) & 0xDF == 0x0F)
        clock.set(15_085)
        #expect(pit.readByte(Self.speaker) & 0xDF == 0x1F)
        clock.set(30_170)
        #expect(pit.readByte(Self.speaker) & 0xDF == 0x0F)
        pit.writeByte(0, Self.speaker)
        #expect(pit.readByte(Self.speaker) & 0xDF == 0)
    }

    @Test("counter 0 interrupts by its wire, at the moment its deadline says")
    func interrupt() throws {
        program(0, mode: 0, count: 500)
        #expect(wire(at: 1000) == 0)
        let deadline = try #require(pit.deadline)
        #expect(rate.ticks(at: deadline) == 1501)
        #expect(rate.ticks(at: deadline - 1) == 1500)
        #expect(wire(at: 1500) == 0)
        #expect(wire(at: 1501) == 1)
        #expect(pit.deadline == nil)
    }

    @Test("a board that comes late sees the pulse of mode 2 fall and rise, once for many periods")
    func latePulse() throws {
        program(0, mode: 2, count: 1000)
        #expect(wire(at: 1001) == 1)
        goTo(1001 + 5500)
        var levels: [UInt64] = []
        (0..<6).forEach { _ in
            let deadline = pit.deadline
            levels.append(pit.interruptLevels)
            clock.set(min(deadline ?? .max, clock.nanoseconds + 1))
        }
        #expect(levels.prefix(4).contains(0))
        #expect(levels.last == 1)
        let next = try #require(pit.deadline)
        #expect(rate.ticks(at: next) == 1001 + 5999)
    }

    @Test("a look at the counter loses no edge, though a new count was to be loaded meanwhile")
    func looks() {
        program(0, mode: 2, count: 1000)
        #expect(wire(at: 1001) == 1)
        pit.writeByte(0xF4, 0)
        pit.writeByte(0x01, 0)
        goTo(2010)
        #expect(read(0) == 491)
        #expect(wire(at: 2010) == 0)
        #expect(wire(at: 2010) == 1)
    }

    @Test("each period of a square wave has one rising edge")
    func squareEdges() {
        program(0, mode: 3, count: 1000)
        var edges = 0
        var level = pit.interruptLevels
        (0..<20).forEach { _ in
            clock.set(pit.deadline ?? .max)
            _ = pit.deadline
            if pit.interruptLevels > level { edges += 1 }
            level = pit.interruptLevels
        }
        #expect(edges == 10)
    }

    @Test("a period too short to follow is followed at a pause")
    func fast() {
        program(0, mode: 2, count: 2)
        let now = clock.nanoseconds
        #expect(pit.deadline == now + 50_000)
    }

    @Test(
        "what is not there reads as zero and changes nothing",
        arguments: [(4, .byte), (0x20, .byte), (0x22, .byte), (0, .half), (3, .word), (.max, .byte)]
            as [(UInt64, AccessWidth)])
    func reserved(offset: UInt64, width: AccessWidth) {
        program(1, mode: 2, count: 1000)
        let before = pit.state
        pit.write(0xFF, at: offset, width: width)
        #expect(pit.read(at: offset, width: width) == 0)
        #expect(pit.state == before)
    }

    @Test("reset forgets the counts")
    func reset() {
        program(0, mode: 2, count: 1000)
        setGate(1)
        pit.reset()
        #expect(pit.deadline == nil)
        #expect(pit.state.counters[2].gate == false)
    }
}

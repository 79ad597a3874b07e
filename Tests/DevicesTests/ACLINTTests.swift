// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore
import Testing

@Suite("ACLINT software interrupts")
struct SoftwareInterruptTests {
    @Test("MSIP of a hart is bit 0 of its word and drives its output", arguments: 0..<16 as Range<UInt64>)
    func msip(hart: UInt64) {
        let mswi = MSWI(harts: 16)
        mswi.writeWord(0xFFFF_FFFF, hart * 4)
        #expect(mswi.readWord(hart * 4) == 1)
        #expect(mswi.interruptLevels == 1 << hart)
        mswi.writeWord(0xFFFF_FFFE, hart * 4)
        #expect(mswi.interruptLevels == 0)
    }

    @Test(
        "a hart that the machine has not, and accesses but aligned words, change nothing",
        arguments: [
            (8, .word), (0x3FFC, .word), (0x4000, .word), (0, .byte), (0, .half), (0, .double), (2, .word),
            (.max, .word),
        ] as [(UInt64, AccessWidth)])
    func ignoredSoftware(offset: UInt64, width: AccessWidth) {
        let mswi = MSWI(harts: 2)
        mswi.write(1, at: offset, width: width)
        #expect(mswi.interruptLevels == 0)
        #expect(mswi.read(at: offset, width: width) == 0)
    }

    @Test("reset takes all software interrupts back")
    func resetSoftware() {
        let mswi = MSWI(harts: 2)
        mswi.writeWord(1, 4)
        mswi.reset()
        #expect(mswi.interruptLevels == 0)
    }

    @Test("SSWI hands each written edge on once, and reads as zero")
    func sswi() {
        let edges = Recorder<Int>()
        let sswi = SSWI(harts: 4, setPending: edges.record)
        sswi.writeWord(1, 4)
        sswi.writeWord(0xFFFF_FFFE, 8)
        sswi.writeWord(3, 12)
        #expect(edges.all.isEmpty)
        #expect(sswi.readWord(4) == 0)
        sswi.performWork()
        sswi.performWork()
        #expect(edges.all == [1, 3])
    }

    @Test(
        "SSWI ignores a hart that the machine has not, and accesses but aligned words",
        arguments: [(16, .word), (0, .byte), (0, .double), (1, .word), (.max, .word)] as [(UInt64, AccessWidth)])
    func ignoredSupervisor(offset: UInt64, width: AccessWidth) {
        let sswi = SSWI(harts: 4) { _ in }
        sswi.write(1, at: offset, width: width)
        #expect(sswi.takeWork() == nil)
    }
}

@Suite("ACLINT timer")
struct MTIMERTests {
    private static let time: UInt64 = 0x7FF8
    let clock = HandClock()
    let offsets = Recorder<UInt64>()
    let timer: MTIMER

    init() { timer = MTIMER(harts: 4, clock: clock, offsetChanged: offsets.record) }

    @Test("MTIME counts ten ticks a microsecond of virtual time")
    func counts() {
        clock.set(1_099)
        #expect(timer.readDouble(Self.time) == 10)
        clock.set(1_100)
        #expect(timer.readDouble(Self.time) == 11)
    }

    @Test(
        "each half of MTIME and of a comparator can be read and written alone", arguments: [0x7FF8, 0, 24] as [UInt64])
    func halves(register: UInt64) {
        timer.writeWord(0x89AB_CDEF, register)
        timer.writeWord(0x0123_4567, register + 4)
        #expect(timer.readDouble(register) == 0x0123_4567_89AB_CDEF)
        #expect(timer.readWord(register) == 0x89AB_CDEF)
        #expect(timer.readWord(register + 4) == 0x0123_4567)
    }

    @Test("a comparator interrupts its own hart from the moment MTIME reaches it")
    func interrupts() {
        timer.writeDouble(5, 8)
        #expect(timer.deadline == 500)
        clock.set(499)
        #expect(timer.interruptLevels == 0)
        clock.set(500)
        #expect(timer.interruptLevels == 0b10)
        #expect(timer.deadline == nil)
        timer.writeDouble(6, 8)
        #expect(timer.interruptLevels == 0)
    }

    @Test("the deadline is the earliest comparator not yet reached")
    func earliest() {
        clock.set(1_000)
        timer.writeDouble(9, 0)
        timer.writeDouble(40, 8)
        timer.writeDouble(30, 16)
        #expect(timer.deadline == 3_000)
    }

    @Test("MTIME that was written goes on from there, and the harts hear by how much it differs")
    func writtenTime() {
        clock.set(10_000)
        timer.writeDouble(1_000, Self.time)
        timer.writeDouble(1_005, 0)
        clock.set(10_100)
        #expect(timer.readDouble(Self.time) == 1_001)
        #expect(timer.deadline == 10_500)
        timer.performWork()
        timer.performWork()
        #expect(offsets.all == [900])
    }

    @Test(
        "a comparator past the end of the clock has no deadline",
        arguments: [UInt64.max, .max / 100 + 1, 1 << 63] as [UInt64])
    func farComparators(compare: UInt64) {
        clock.set(100)
        timer.writeDouble(compare, 0)
        #expect(timer.deadline == nil)
        #expect(timer.interruptLevels == 0)
    }

    @Test("the last comparator that the clock reaches has its deadline")
    func lastDeadline() {
        timer.writeDouble(.max / 100, 0)
        #expect(timer.deadline == UInt64.max / 100 * 100)
    }

    @Test("at the end of the clock the comparators still compare")
    func endOfClock() {
        clock.set(.max)
        timer.writeDouble(.max / 100, 0)
        #expect(timer.interruptLevels == 1)
        #expect(timer.deadline == nil)
    }

    @Test("when MTIME wraps, what was reached is no longer, and the deadline says when")
    func wraps() {
        let timer = MTIMER(harts: 1, clock: clock)
        timer.writeDouble(.max - 4, Self.time)
        timer.writeDouble(.max - 10, 0)
        #expect(timer.interruptLevels == 1)
        #expect(timer.deadline == 500)
        clock.set(500)
        #expect(timer.readDouble(Self.time) == 0)
        #expect(timer.interruptLevels == 0)
    }

    @Test("a comparator of zero is always reached and has no deadline")
    func zero() {
        let timer = MTIMER(harts: 1, clock: clock)
        timer.writeDouble(.max - 4, Self.time)
        timer.writeDouble(0, 0)
        #expect(timer.interruptLevels == 1)
        #expect(timer.deadline == nil)
    }

    @Test("after power-on and after reset no timer interrupts, and MTIME is virtual time")
    func reset() {
        #expect(timer.interruptLevels == 0)
        timer.writeDouble(0, 0)
        timer.writeDouble(77, Self.time)
        timer.performWork()
        clock.set(1_000)
        timer.reset()
        timer.performWork()
        #expect(timer.interruptLevels == 0)
        #expect(timer.readDouble(Self.time) == 10)
        #expect(offsets.all == [77, 0])
    }

    @Test(
        "a hart that the machine has not, and accesses but aligned words and doubles, change nothing",
        arguments: [
            (32, .double), (0x7FF0, .double), (0x8000, .double), (4, .double), (2, .word), (0, .byte), (0, .half),
            (.max, .double), (.max - 7, .double),
        ] as [(UInt64, AccessWidth)])
    func ignored(offset: UInt64, width: AccessWidth) {
        clock.set(1_000)
        timer.write(0, at: offset, width: width)
        #expect(timer.read(at: offset, width: width) == 0)
        #expect(timer.interruptLevels == 0)
        #expect(timer.readDouble(Self.time) == 10)
    }
}

@Suite("CLINT window")
struct CLINTTests {
    let clock = HandClock()
    let clint: CLINT

    init() { clint = CLINT(harts: 16, clock: clock) }

    @Test("software interrupts are outputs 0 to 15, timers 16 to 31")
    func outputs() {
        clint.writeWord(1, 4 * 15)
        clint.writeDouble(1, 0x4000 + 8 * 2)
        #expect(clint.deadline == 100)
        clock.set(100)
        #expect(clint.interruptLevels == 1 << 15 | 1 << 18)
    }

    @Test("MTIME is at 0xBFF8, and what follows is reserved")
    func time() {
        clock.set(700)
        #expect(clint.readDouble(0xBFF8) == 7)
        clint.writeDouble(.max, 0xC000)
        #expect(clint.readDouble(0xC000) == 0)
        #expect(clint.readDouble(0xBFF8) == 7)
    }

    @Test("reset reaches both parts")
    func reset() {
        clint.writeWord(1, 0)
        clint.writeDouble(0, 0x4000)
        #expect(clint.interruptLevels == 1 << 16 | 1)
        clint.reset()
        #expect(clint.interruptLevels == 0)
    }
}

// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore
import Testing

@Suite("Local APIC: the timer")
struct LAPICTimerTests {
    let bench = LAPICBench.enabled()
    var apic: LAPIC { bench.apic }
    private var count: UInt64 { apic.readWord(0x390) }

    /// Divider 1, and this local vector.
    private func prepare(_ vector: UInt64) {
        apic.writeWord(0xB, 0x3E0)
        apic.writeWord(vector, 0x320)
    }

    private func pass(_ nanoseconds: UInt64) { bench.clock.set(bench.clock.nanoseconds + nanoseconds) }

    @Test("one-shot: counts down, interrupts once, stays at zero")
    func oneShot() {
        prepare(0x40)
        apic.writeWord(500, 0x380)
        #expect(count == 500)
        #expect(apic.deadline == 1500)
        pass(499)
        #expect(count == 1)
        #expect(!bench.isPending)
        pass(1)
        #expect(count == 0)
        #expect(bench.drain() == [0x40])
        #expect(apic.deadline == nil)
        pass(10_000)
        #expect(bench.drain() == [])
        #expect(apic.readWord(0x380) == 500)
    }

    @Test("periodic: begins again at zero, and periods that nobody saw interrupt once")
    func periodic() {
        prepare(0x2_0040)
        apic.writeWord(500, 0x380)
        pass(500)
        #expect(count == 500)
        #expect(bench.drain() == [0x40])
        pass(1750)
        #expect(bench.drain() == [0x40])
        #expect(count == 250)
        #expect(apic.deadline == 1000 + 500 * 5)
    }

    @Test(
        "the divider is a power of two by bits 3, 1 and 0",
        arguments: [(0, 2), (1, 4), (2, 8), (3, 16), (8, 32), (9, 64), (0xA, 128), (0xB, 1)] as [(UInt64, UInt64)])
    func divider(register: UInt64, by: UInt64) {
        apic.writeWord(0x40, 0x320)
        apic.writeWord(register, 0x3E0)
        apic.writeWord(100, 0x380)
        #expect(apic.deadline == 1000 + 100 * by)
        pass(50 * by)
        #expect(count == 50)
    }

    @Test("a new divider changes the rate of what is left of the count")
    func newDivider() {
        prepare(0x40)
        apic.writeWord(1000, 0x380)
        pass(400)
        apic.writeWord(0, 0x3E0)
        #expect(count == 600)
        #expect(apic.deadline == 1400 + 1200)
    }

    @Test("from one-shot to periodic and back the count goes on; one that has ended stays at zero")
    func changesMode() {
        prepare(0x40)
        apic.writeWord(1000, 0x380)
        pass(600)
        apic.writeWord(0x2_0040, 0x320)
        #expect(count == 400)
        pass(500)
        #expect(count == 900)
        apic.writeWord(0x40, 0x320)
        #expect(count == 900)
        pass(900)
        #expect(count == 0)
        apic.writeWord(0x2_0040, 0x320)
        #expect(count == 0)
        #expect(apic.deadline == nil)
    }

    @Test("zero stops it", arguments: [0x40, 0x2_0040] as [UInt64])
    func stops(vector: UInt64) {
        prepare(vector)
        apic.writeWord(1000, 0x380)
        apic.writeWord(0, 0x380)
        pass(5000)
        #expect(count == 0)
        #expect(bench.drain() == [])
    }

    @Test("masked it counts and does not interrupt, nor ask to be woken")
    func masked() {
        prepare(0x1_0040)
        apic.writeWord(1000, 0x380)
        #expect(apic.deadline == nil)
        pass(400)
        #expect(count == 600)
        pass(600)
        apic.writeWord(0x40, 0x320)
        #expect(bench.drain() == [])
    }

    @Test("while its interrupt waits a periodic timer does not ask to be woken again")
    func noStorm() {
        prepare(0x2_0040)
        apic.writeWord(1, 0x380)
        pass(1)
        #expect(bench.isPending)
        #expect(apic.deadline == nil)
        _ = apic.acknowledge()
        #expect(apic.deadline == 1002)
    }

    @Test("a deadline of the time-stamp counter interrupts once and reads as zero then")
    func timeStampDeadline() {
        prepare(0x4_0040)
        #expect(apic.writeRegister(5000, 0x6E0))
        #expect(apic.readRegister(0x6E0) == 5000)
        #expect(apic.deadline == 5000)
        bench.clock.set(4999)
        #expect(!bench.isPending)
        bench.clock.set(5000)
        #expect(bench.drain() == [0x40])
        #expect(apic.readRegister(0x6E0) == 0)
    }

    @Test("a deadline that has passed interrupts at once; zero disarms")
    func pastDeadline() {
        prepare(0x4_0040)
        #expect(apic.writeRegister(1000, 0x6E0))
        #expect(bench.drain() == [0x40])
        #expect(apic.writeRegister(2000, 0x6E0))
        #expect(apic.writeRegister(0, 0x6E0))
        pass(5000)
        #expect(bench.drain() == [])
    }

    @Test("the deadline follows what the processor adds to its counter, wrapping")
    func offset() {
        prepare(0x4_0040)
        apic.setTimeStampOffset(0 &- 600)
        #expect(apic.writeRegister(1000, 0x6E0))
        #expect(apic.deadline == 1600)
        apic.setTimeStampOffset(0)
        #expect(bench.drain() == [0x40])
    }

    @Test(
        "a counter of another rate",
        arguments: [(2_500_000_000, 2000), (800_000_000, 6250), (3, 1_666_666_666_667)] as [(UInt64, UInt64)])
    func rate(frequency: UInt64, deadline: UInt64) {
        let bench = LAPICBench(timeStampFrequency: frequency)
        bench.apic.writeWord(0x1FF, 0xF0)
        bench.apic.writeWord(0x4_0040, 0x320)
        #expect(bench.apic.writeRegister(5000, 0x6E0))
        #expect(bench.apic.deadline == deadline)
        bench.clock.set(deadline - 1)
        #expect(!bench.isPending)
        bench.clock.set(deadline)
        #expect(bench.isPending)
    }

    @Test("in deadline mode the count is not there, and in the others the deadline is not")
    func exclusive() {
        prepare(0x40)
        #expect(apic.writeRegister(5000, 0x6E0))
        #expect(apic.readRegister(0x6E0) == 0)
        apic.writeWord(700, 0x380)
        apic.writeWord(0x4_0040, 0x320)
        #expect(apic.readWord(0x380) == 0)
        apic.writeWord(700, 0x380)
        #expect(apic.readWord(0x380) == 0)
        #expect(count == 0)
        #expect(apic.writeRegister(5000, 0x6E0))
        apic.writeWord(0x40, 0x320)
        pass(10_000)
        #expect(bench.drain() == [])
    }

    @Test("a model without deadline mode has neither the mode nor the register")
    func noDeadline() {
        let apic = LAPICBench.enabled(features: LAPIC.Features(hasTimeStampDeadline: false)).apic
        apic.writeWord(0x7_0040, 0x320)
        #expect(apic.readWord(0x320) == 0x3_0040)
        #expect(apic.readRegister(0x6E0) == nil)
        #expect(!apic.writeRegister(1, 0x6E0))
    }

    @Test("past the clock's end there is no deadline")
    func endOfClock() {
        prepare(0x40)
        bench.clock.set(.max - 10)
        apic.writeWord(500, 0x380)
        #expect(apic.deadline == nil)
        prepare(0x4_0040)
        apic.setTimeStampOffset(0)
        #expect(apic.writeRegister(.max, 0x6E0))
        #expect(apic.deadline == .max)
        bench.clock.set(.max)
        #expect(apic.deadline == nil)
    }
}

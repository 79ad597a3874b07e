// SPDX-License-Identifier: Apache-2.0

import MachineCore
import RISCV64
import Testing
import VMMemory

@testable import Machines

@Suite(.serialized, .timeLimit(.minutes(10))) struct VirtMachineLifeTests {
    private static let counter: UInt64 = 0x8040_0000

    /// Counts in memory for ever.
    private static func countForever(_ guest: inout GuestAssembler) {
        guest.li(.t0, counter)
        guest.addi(.t1, .zero, 1)
        guest.label("again")
        guest.atomicAdd(.zero, .t1, at: .t0)
        guest.jump("again")
    }

    private func count(_ test: TestMachine) -> UInt64 {
        test.machine.memory.load(UInt64.self, at: GuestAddress(Self.counter)) ?? 0
    }

    @Test("while paused neither the harts nor virtual time go on, and afterwards both do", arguments: [1, 4])
    func pause(harts: Int) throws {
        let test = try TestMachine(harts: harts, Self.countForever)
        try test.machine.start()
        #expect(TestMachine.wait { count(test) > 1000 })
        test.machine.pause()
        #expect(test.machine.state == .paused)
        let stood = count(test)
        let time = test.machine.statistics.virtualNanoseconds
        #expect(!TestMachine.wait(seconds: 1) { count(test) != stood })
        #expect(test.machine.statistics.virtualNanoseconds == time)
        #expect(test.machine.vcpus.map(\.activity) == Array(repeating: .paused, count: harts))
        test.machine.resume()
        #expect(TestMachine.wait { count(test) > stood + 1000 })
        #expect(test.machine.statistics.virtualNanoseconds > time)
        test.machine.stop()
        #expect(test.waitForEnd() == .stopped)
    }

    @Test("a machine that starts paused has executed nothing, and steps by one instruction")
    func startsPaused() throws {
        let test = try TestMachine(configure: { $0.startsPaused = true }, Self.countForever)
        try test.machine.start()
        #expect(test.machine.state == .paused)
        #expect(test.machine.withHart(0) { $0.pc } == 0x8000_0000)
        #expect(test.machine.step(hart: 0) == .step)
        #expect(test.machine.withHart(0) { $0.pc } == 0x8000_0004)
        #expect(test.machine.withHart(0) { $0[x: 10] } == 0)
        test.machine.resume()
        #expect(TestMachine.wait { count(test) > 10 })
        #expect(test.machine.step(hart: 0) == nil)
        test.machine.stop()
        #expect(test.waitForEnd() == .stopped)
    }

    @Test("a breakpoint pauses all harts and says where")
    func breakpoint() throws {
        let test = try TestMachine(harts: 2, configure: { $0.startsPaused = true }, Self.countForever)
        try test.machine.start()
        test.machine.withHart(1) { $0.debug.breakpoints = [0x8000_0004] }
        test.machine.resume()
        #expect(TestMachine.wait { test.events.all.contains(.debugStop(hart: 1, .breakpoint)) })
        #expect(test.machine.state == .paused)
        #expect(test.machine.withHart(1) { $0.pc } == 0x8000_0004)
        test.machine.stop()
        #expect(test.waitForEnd() == .stopped)
    }

    @Test("a reset zeroes memory, loads the program anew and gives fresh seeds")
    func reset() throws {
        // Adds 1 to a word past the program, which only a reset takes back, then waits.
        let test = try TestMachine { guest in
            guest.li(.t0, Self.counter)
            guest.addi(.t1, .zero, 1)
            guest.atomicAdd(.zero, .t1, at: .t0)
            guest.label("wait")
            guest.wfi()
            guest.jump("wait")
        }
        try test.machine.start()
        var trees: [[UInt8]] = []
        for round in 0..<3 {
            #expect(TestMachine.wait { test.machine.statistics.resets == round && count(test) == 1 })
            let tree = test.machine.withHart(0) { $0[x: 11] }
            trees.append(test.machine.memory.bytes(at: GuestAddress(tree), count: 1024) ?? [])
            test.machine.memory.store(UInt64(77), at: GuestAddress(Self.counter + 8))
            test.machine.reset()
            #expect(test.machine.memory.load(UInt64.self, at: GuestAddress(Self.counter + 8)) == 0)
        }
        #expect(Set(trees).count == 3)
        test.machine.stop()
        #expect(test.waitForEnd() == .stopped)
    }

    @Test("a guest that asks for a reset gets it, or the machine ends where that is wanted")
    func guestReset() throws {
        let test = try TestMachine(configure: { $0.onReset = .exit }) { $0.finish(0x7777) }
        #expect(try test.run() == .reset)
        let other = try TestMachine { $0.finish(0x7777) }
        try other.machine.start()
        #expect(TestMachine.wait { other.machine.statistics.resets >= 3 })
        other.machine.stop()
        #expect(other.waitForEnd() == .stopped)
    }

    /// Prints `text` on the UART and stays.
    private static func say(_ text: String) -> (inout GuestAssembler) -> Void {
        { guest in
            guest.li(.t0, VirtMemoryMap.uart.base)
            for byte in text.utf8 {
                guest.addi(.t1, .zero, Int32(byte))
                guest.store(.t1, at: .t0, width: 0)
            }
            guest.label("stay")
            guest.wfi()
            guest.jump("stay")
        }
    }

    private static let crash = "Kernel panic - not syncing: why\n---[ end Kernel panic - not syncing: why ]---\n"

    @Test("what a guest asks for behind a reset dies with it")
    func resetForgets() throws {
        let test = try TestMachine { guest in
            guest.li(.t0, VirtMemoryMap.finisher.base)
            guest.li(.t1, 0x7777)
            guest.li(.t2, 0x3333 | 7 << 16)
            guest.store(.t1, at: .t0, width: 2)
            guest.store(.t2, at: .t0, width: 2)
            guest.label("stay")
            guest.jump("stay")
        }
        try test.machine.start()
        #expect(TestMachine.wait { test.machine.statistics.resets >= 5 || test.machine.state == .ended })
        test.machine.stop()
        #expect(test.waitForEnd() == .stopped)
    }

    @Test("the line of a crash ends, reboots or pauses the machine, as asked")
    func panics() throws {
        let exits = try TestMachine(Self.say(Self.crash))
        #expect(try exits.run() == .panicked("Kernel panic - not syncing: why"))
        #expect(exits.console.text == Self.crash)

        let reboots = try TestMachine(configure: { $0.onPanic = .reboot }, Self.say(Self.crash))
        try reboots.machine.start()
        #expect(TestMachine.wait { reboots.machine.statistics.resets >= 2 })
        reboots.machine.stop()
        #expect(reboots.waitForEnd() == .stopped)

        let pauses = try TestMachine(configure: { $0.onPanic = .pause }, Self.say(Self.crash))
        try pauses.machine.start()
        // Not the state: it is paused before the first instruction, too.
        #expect(TestMachine.wait { pauses.events.all.contains(.state(.paused)) })
        #expect(pauses.events.all.contains(.panicked("Kernel panic - not syncing: why")))
        pauses.machine.stop()
        #expect(pauses.waitForEnd() == .stopped)
    }
}

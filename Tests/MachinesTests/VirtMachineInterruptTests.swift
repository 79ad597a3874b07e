// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Testing
import VMMemory

@testable import Machines

@Suite(.serialized, .timeLimit(.minutes(10))) struct VirtMachineInterruptTests {
    private static let rounds: UInt64 = 400
    private static let turns: UInt64 = 0x8040_0000
    private static let arrived: UInt64 = 0x8040_0008

    /// Waits in `wfi` for the interrupt `bit` of mip or sip. The global enable stays off: `wfi` ends all the same.
    private static func awaitBit(_ guest: inout GuestAssembler, _ csr: UInt32, _ bit: Int32, _ label: String) {
        guest.addi(.t2, .zero, bit)
        guest.label(label)
        guest.readCSR(.t1, csr)
        guest.word(7 << 12 | 7 << 20 | 6 << 15 | 6 << 7 | 0x33)  // and t1, t1, t2
        guest.branchNotEqual(.t1, .zero, label + "-came")
        guest.wfi()
        guest.jump(label)
        guest.label(label + "-came")
    }

    @Test("four harts pass a token round by machine software interrupts, and none is lost")
    func machineRing() throws {
        let test = try TestMachine(harts: 4) { guest in
            guest.li(.s0, VirtMemoryMap.clint.base)
            guest.slli(.t0, .a0, 2)
            guest.add(.s1, .s0, .t0)
            guest.addi(.s2, .a0, 1)
            guest.word(3 << 20 | 18 << 15 | 7 << 12 | 18 << 7 | 0x13)  // andi s2, s2, 3
            guest.slli(.s2, .s2, 2)
            guest.add(.s2, .s0, .s2)
            guest.addi(.t0, .zero, 8)
            guest.writeCSR(0x304, .t0)
            Self.announce(&guest)
            guest.branchNotEqual(.a0, .zero, "turn")
            Self.awaitAll(&guest)
            guest.jump("pass")
            guest.label("turn")
            Self.awaitBit(&guest, 0x344, 8, "token")
            guest.store(.zero, at: .s1, width: 2)
            guest.label("pass")
            Self.countTurn(&guest)
            guest.addi(.t0, .zero, 1)
            guest.store(.t0, at: .s2, width: 2)
            guest.jump("turn")
        }
        #expect(try test.run(seconds: 60) == .poweredOff(code: 0))
    }

    @Test("four harts, started by the SBI, pass a token round by its interrupts, and none is lost")
    func supervisorRing() throws {
        let test = try TestMachine(harts: 4, underSBI: true) { guest in
            guest.branchNotEqual(.a0, .zero, "enter")
            for hart in 1...3 {
                guest.li(.a0, UInt64(hart))
                guest.li(.a1, 0x8000_0000)
                guest.li(.a2, 0)
                guest.callSBI(0x48_534D, 0)
                guest.branchNotEqual(.a0, .zero, "wrong")
            }
            guest.li(.a0, 0)
            guest.label("enter")
            guest.addi(.s3, .a0, 0)
            guest.addi(.s2, .a0, 1)
            guest.word(3 << 20 | 18 << 15 | 7 << 12 | 18 << 7 | 0x13)  // andi s2, s2, 3
            guest.addi(.t0, .zero, 2)
            guest.writeCSR(0x104, .t0)
            Self.announce(&guest)
            guest.branchNotEqual(.s3, .zero, "turn")
            Self.awaitAll(&guest)
            guest.jump("pass")
            guest.label("turn")
            Self.awaitBit(&guest, 0x144, 2, "token")
            guest.addi(.t0, .zero, 2)
            guest.clearCSR(0x144, .t0)
            guest.label("pass")
            Self.countTurn(&guest)
            guest.li(.a0, 1)
            guest.addi(.a1, .s2, 0)
            guest.callSBI(0x73_5049, 0)
            guest.branchNotEqual(.a0, .zero, "wrong")
            // Fences to everyone on the way, so that harts fence each other.
            guest.li(.a0, 0)
            guest.li(.a1, .max)
            guest.li(.a2, 0)
            guest.callSBI(0x5246_4E43, 1)
            guest.branchNotEqual(.a0, .zero, "wrong")
            guest.jump("turn")
            guest.label("wrong")
            guest.finish(0x3333 | 9 << 16)
        }
        #expect(try test.run(seconds: 60) == .poweredOff(code: 0))
    }

    private static func announce(_ guest: inout GuestAssembler) {
        guest.li(.t0, arrived)
        guest.addi(.t1, .zero, 1)
        guest.atomicAdd(.zero, .t1, at: .t0)
    }

    private static func awaitAll(_ guest: inout GuestAssembler) {
        guest.li(.t0, arrived)
        guest.addi(.t2, .zero, 4)
        guest.label("gather")
        guest.load(.t1, .t0)
        guest.branchNotEqual(.t1, .t2, "gather")
    }

    /// Counts a turn; the hart that makes the last one ends the machine.
    private static func countTurn(_ guest: inout GuestAssembler) {
        guest.li(.t0, turns)
        guest.addi(.t1, .zero, 1)
        guest.atomicAdd(.t2, .t1, at: .t0)
        guest.li(.t1, rounds)
        guest.branchNotEqual(.t1, .t2, "more")
        guest.finish(0x5555)
        guest.label("more")
    }

    /// How often hart 0 slept.
    private func halts(_ test: TestMachine) -> UInt64 {
        test.machine.statistics.harts[0].exits.first { $0.name == "halt" }?.count ?? 0
    }

    @Test("the machine timer fires at its time, not before, and wakes a sleeping hart")
    func machineTimer() throws {
        let test = try TestMachine { guest in
            guest.li(.s0, 0x200_BFF8)
            guest.li(.s1, 0x200_4000)
            guest.load(.t0, .s0)
            guest.li(.t1, 500_000)
            guest.add(.t0, .t0, .t1)
            guest.addi(.s2, .t0, 0)
            guest.store(.t0, at: .s1)
            guest.addi(.t0, .zero, 0x80)
            guest.writeCSR(0x304, .t0)
            Self.awaitBit(&guest, 0x344, 0x80, "timer")
            guest.load(.t0, .s0)
            guest.word(19 << 7 | 5 << 15 | 18 << 20 | 3 << 12 | 0x33)  // sltu s3, t0, s2
            guest.branchNotEqual(.s3, .zero, "early")
            guest.finish(0x5555)
            guest.label("early")
            guest.finish(0x3333 | 2 << 16)
        }
        #expect(try test.run() == .poweredOff(code: 0))
        // 50 ms of virtual time, slept through.
        #expect(test.machine.statistics.virtualNanoseconds >= 50_000_000)
        #expect((1...10).contains(halts(test)))
    }

    @Test("the SBI's timer fires at its time and wakes a sleeping hart", arguments: [0x5449_4D45, 0] as [UInt64])
    func supervisorTimer(number: UInt64) throws {
        let test = try TestMachine(underSBI: true) { guest in
            guest.readCSR(.a0, 0xC01)
            guest.li(.t1, 500_000)
            guest.add(.a0, .a0, .t1)
            guest.callSBI(number, 0)
            guest.addi(.t0, .zero, 0x20)
            guest.writeCSR(0x104, .t0)
            Self.awaitBit(&guest, 0x144, 0x20, "timer")
            guest.finish(0x5555)
        }
        #expect(try test.run() == .poweredOff(code: 0))
        #expect(test.machine.statistics.virtualNanoseconds >= 50_000_000)
        #expect((1...10).contains(halts(test)))
    }

    @Test("a store to mtime moves the harts' time, and wakes a hart whose stimecmp it passes")
    func timeMoves() throws {
        let test = try TestMachine(harts: 2) { guest in
            guest.li(.s0, Self.arrived)
            guest.branchNotEqual(.a0, .zero, "setter")
            // Sstc on; in days.
            guest.li(.t0, 1 << 63)
            guest.setCSR(0x30A, .t0)
            guest.li(.t0, 1 << 50)
            guest.writeCSR(0x14D, .t0)
            guest.addi(.t0, .zero, 0x20)
            guest.writeCSR(0x304, .t0)
            guest.addi(.t0, .zero, 1)
            guest.atomicAdd(.zero, .t0, at: .s0)
            Self.awaitBit(&guest, 0x344, 0x20, "timer")
            guest.readCSR(.t0, 0xC01)
            guest.word(50 << 20 | 5 << 15 | 5 << 12 | 5 << 7 | 0x13)  // srli t0, t0, 50
            guest.addi(.t1, .zero, 1)
            guest.branchNotEqual(.t0, .t1, "wrong")
            guest.finish(0x5555)
            guest.label("wrong")
            guest.finish(0x3333 | 3 << 16)
            guest.label("setter")
            guest.load(.t0, .s0)
            guest.branchEqual(.t0, .zero, "setter")
            guest.li(.s1, 0x200_BFF8)
            guest.li(.t0, 1 << 50 - 1000)
            guest.store(.t0, at: .s1)
            guest.label("rest")
            guest.wfi()
            guest.jump("rest")
        }
        #expect(try test.run() == .poweredOff(code: 0))
    }

    @Test("bytes for the console interrupt through the PLIC and are echoed, none lost")
    func serialInput() throws {
        let test = try TestMachine { guest in
            guest.li(.s0, VirtMemoryMap.uart.base)
            guest.li(.t0, VirtMemoryMap.plic.base + UInt64(VirtInterrupt.uart) * 4)
            guest.addi(.t1, .zero, 1)
            guest.store(.t1, at: .t0, width: 2)
            guest.li(.t0, VirtMemoryMap.plic.base + 0x2000)
            guest.li(.t1, 1 << UInt64(VirtInterrupt.uart))
            guest.store(.t1, at: .t0, width: 2)
            guest.li(.s1, VirtMemoryMap.plic.base + 0x20_0004)
            guest.addi(.t0, .s0, 1)
            guest.addi(.t1, .zero, 1)
            guest.store(.t1, at: .t0, width: 0)
            guest.li(.t0, 0x800)
            guest.writeCSR(0x304, .t0)
            guest.li(.t2, 0x800)
            guest.label("wait")
            guest.wfi()
            guest.load(.s2, .s1, width: 2)
            guest.branchEqual(.s2, .zero, "wait")
            guest.load(.t0, .s0, width: 4)
            guest.store(.t0, at: .s0, width: 0)
            guest.store(.s2, at: .s1, width: 2)
            guest.addi(.t1, .zero, 0x0A)
            guest.branchNotEqual(.t0, .t1, "wait")
            guest.finish(0x5555)
        }
        try test.machine.start()
        for byte in Array("hello, guest\n".utf8) {
            #expect(TestMachine.wait { test.console.deliver([byte]) == 1 })
        }
        #expect(test.waitForEnd() == .poweredOff(code: 0))
        #expect(test.console.text == "hello, guest\n")
    }
}

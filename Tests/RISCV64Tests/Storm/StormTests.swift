// SPDX-License-Identifier: Apache-2.0

import MachineCore
import RISCVOracle
import Testing
import VMMemory

@testable import RISCV64

/// Guests that do anything at all: random code, page tables, PMP and CSRs. Nothing but values may come of it.
@Suite("Storms")
struct StormTests {
    private static let count: UInt64 = isConformanceRun ? 2000 : 12

    @Test(
        "random bytes as code, tables and registers never do more than trap",
        arguments: [Privilege.machine, .supervisor, .user])
    func storm(privilege: Privilege) {
        for seed in 1...Self.count {
            Storm(seed: seed << 2 | privilege.rawValue).run(from: privilege)
        }
    }

    @Test("stepping through a storm ends each step within one instruction", arguments: 1...12 as ClosedRange<UInt64>)
    func steps(seed: UInt64) {
        let storm = Storm(seed: seed)
        storm.hart.debug.steps = true
        for _ in 0..<1000 {
            let before = storm.hart.retired
            let exit = storm.fixture.interpreter.run(storm.hart)
            #expect(storm.hart.retired &- before <= 1)
            #expect(exit != .halt && exit != .yield && exit != .requested)
        }
    }
}

/// One random guest.
struct Storm {
    let fixture = HartFixture(configuration: .init(id: 0, codeCacheBytes: 0))
    private let seed: UInt64
    var hart: Hart { fixture.hart }

    init(seed: UInt64) {
        self.seed = seed
        var generator = SeededGenerator(seed: seed)
        fillCode(&generator)
        fillTables(&generator)
        fillRegisters(&generator)
    }

    /// Random bytes, or rows of the tables with random operands; a page in four of compressed code.
    private func fillCode(_ generator: inout SeededGenerator) {
        let rows = InstructionSet.rows.map { (match: $0.match, free: ~$0.mask) }
        for page in 0..<UInt64(24) {
            let kind = generator.next() & 3
            let words = (0..<1024).map { _ -> UInt32 in
                let random = generator.next()
                let bits = UInt32(truncatingIfNeeded: random)
                let row = rows[Int((random >> 32) % UInt64(rows.count))]
                return kind > 1 ? row.match | bits & row.free : kind == 1 ? bits & 0xfffe_fffe : bits
            }
            words.withUnsafeBytes { bytes in
                _ = fixture.ram.memory.write(bytes, at: GuestAddress(HartFixture.base + page * 4096))
            }
        }
    }

    /// Entries that mostly point into RAM, at tables and at pages alike.
    private func fillTables(_ generator: inout SeededGenerator) {
        for entry in 0..<UInt64(4 * 512) {
            let page = generator.next() & 0x1ff
            var value = PageTables.number(HartFixture.base + page * 4096) | generator.next() & 0xff
            switch generator.next() & 15 {
            case 0: value = generator.next()
            case 1: value |= generator.next() & 3 << 61
            case 2...7: value = PageTables.number(HartFixture.tables + (page & 3) * 4096) | 1
            case 8...11: value |= PageTables.all
            default: break
            }
            fixture.ram[HartFixture.tables + entry * 8] = value
        }
    }

    private func fillRegisters(_ generator: inout SeededGenerator) {
        for register in 1..<32 {
            // Addresses in RAM, at the device, at the ends of things, or anything.
            let near = HartFixture.base + generator.next() % UInt64(HartFixture.size)
            let choices = [near, near & ~7, ScriptedDoor.deviceBase, 0, .max, generator.next(), near | 0xfff]
            hart[x: register] = choices[Int(generator.next() % UInt64(choices.count))]
            hart[f: register] = generator.next()
        }
        let numbers = [
            CSR.mstatus, CSR.medeleg, CSR.mideleg, CSR.mie, CSR.mip, CSR.mcounteren, CSR.menvcfg, CSR.scounteren,
            CSR.senvcfg, CSR.stimecmp, CSR.fcsr, CSR.mepc, CSR.sepc,
        ]
        for number in numbers { hart.setCSR(number, generator.next()) }
        hart.setCSR(CSR.mtvec, HartFixture.base + generator.next() & 0x1_7ffd)
        hart.setCSR(CSR.stvec, HartFixture.base + generator.next() & 0x1_7ffd)
        if generator.next() & 3 == 0 {
            for number in [CSR.pmpaddr0, CSR.pmpaddr0 + 1, CSR.pmpaddr0 + 2] {
                hart.setCSR(number, (HartFixture.base + generator.next() & 0x1f_fffc) >> 2)
            }
            hart.setCSR(CSR.pmpcfg0, generator.next() & 0x7f7f_7f7f | 0x1f << 24)
            hart.setCSR(CSR.pmpaddr0 + 3, .max)
        }
        let mode = generator.next() & 3
        hart.setCSR(CSR.satp, (mode == 0 ? 0 : mode + 7) << 60 | HartFixture.tables >> 12)
        hart.mailbox.setLine(Int(generator.next() & 15), level: true)
    }

    /// Runs it until it has retired or trapped enough: a door that counts cannot be had by a guest that only computes, so
    /// another thread asks it to stop.
    func run(from privilege: Privilege) {
        fixture.enter(privilege)
        var generator = SeededGenerator(seed: seed ^ 0x5707)
        for _ in 0..<12 {
            // A burst of single instructions from somewhere, then a free run that a debugger's breakpoints end.
            hart.debug.steps = true
            for _ in 0..<20 { _ = fixture.interpreter.run(hart) }
            hart.debug.steps = false
            fixture.door.nanoseconds &+= 1_000_000
            freeRun(&generator)
        }
    }

    private func freeRun(_ generator: inout SeededGenerator) {
        let mailbox = hart.mailbox
        let stopper = Stopper(mailbox, after: 300)
        for _ in 0..<50 {
            if fixture.interpreter.run(hart) == .requested { break }
            hart.pc = HartFixture.base + generator.next() & 0x1_7ffe
        }
        stopper.wait()
    }
}

// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Testing

@testable import RISCV64

@Suite("Control and status registers")
struct CSRTableTests {
    private let fixture = HartFixture()
    private var hart: Hart { fixture.hart }

    @Test(
        "all ones and all zeros read back as WARL rules have it",
        arguments: [
            (CSR.mstatus, 0x8000_000a_007e_79aa, 0xa_0000_0000), (CSR.sstatus, 0x8000_0002_000c_6122, 0x2_0000_0000),
            (CSR.misa, 0x8000_0000_0014_112f, 0x8000_0000_0014_112f), (CSR.medeleg, 0xb3ff, 0),
            (CSR.mideleg, 0x222, 0), (CSR.mie, 0xaaa, 0), (CSR.mip, 0x222, 0), (CSR.mtvec, 0xffff_ffff_ffff_fffc, 0),
            (CSR.stvec, 0xffff_ffff_ffff_fffc, 0), (CSR.mepc, 0xffff_ffff_ffff_fffe, 0),
            (CSR.sepc, 0xffff_ffff_ffff_fffe, 0), (CSR.mcounteren, 0xffff_ffff, 0), (CSR.scounteren, 0xffff_ffff, 0),
            (CSR.menvcfg, 0xe000_0000_0000_00f1, 0), (CSR.senvcfg, 0xf1, 0), (CSR.satp, 0, 0), (CSR.fcsr, 0xff, 0),
            (CSR.fflags, 0x1f, 0), (CSR.frm, 7, 0), (CSR.stimecmp, .max, 0), (CSR.mcause, .max, 0),
            (CSR.mtval, .max, 0), (CSR.mscratch, .max, 0), (CSR.sscratch, .max, 0), (CSR.mcountinhibit, 0, 0),
            (CSR.pmpcfg4, 0, 0), (CSR.pmpaddr16, 0, 0), (CSR.mhpmcounter3, 0, 0), (CSR.mhpmevent31, 0, 0),
            (CSR.tdata1, 0, 0), (CSR.mvendorid, 0, 0),
        ] as [(Int, UInt64, UInt64)])
    func warl(number: Int, ones: UInt64, zeros: UInt64) {
        hart.setCSR(CSR.mtvec, 0)
        hart.setCSR(number, .max)
        #expect(hart.csr(number) == ones)
        hart.setCSR(number, 0)
        #expect(hart.csr(number) == zeros)
    }

    @Test("MPP keeps its value where 2 is written", arguments: [0, 1, 3] as [UInt64])
    func previousPrivilege(value: UInt64) throws {
        hart.setCSR(CSR.mstatus, value << 11)
        hart.setCSR(CSR.mstatus, 2 << 11)
        #expect(try #require(hart.csr(CSR.mstatus)) >> 11 & 3 == value)
    }

    @Test("CBIE keeps its value where 2 is written", arguments: [CSR.menvcfg, CSR.senvcfg])
    func reservedCBIE(number: Int) {
        hart.setCSR(number, 3 << 4)
        hart.setCSR(number, 2 << 4 | 1 << 6)
        #expect(hart.csr(number) == 3 << 4 | 1 << 6)
    }

    @Test(
        "satp takes the modes that exist, and ignores a write of any other",
        arguments: [(0, true), (1, false), (7, false), (8, true), (9, true), (10, true), (11, false), (15, false)]
            as [(UInt64, Bool)])
    func satpModes(mode: UInt64, exists: Bool) {
        hart.setCSR(CSR.satp, 8 << 60 | 0x1234)
        hart.setCSR(CSR.satp, mode << 60 | 0x7_0000_5678)
        #expect(hart.csr(CSR.satp) == (exists ? mode << 60 | 0x7_0000_5678 : 8 << 60 | 0x1234))
    }

    @Test("a supervisor's views show what is delegated", arguments: [0, 0x2, 0x20, 0x200, 0x222] as [UInt64])
    func delegatedViews(delegated: UInt64) {
        hart.setCSR(CSR.mideleg, delegated)
        hart.setCSR(CSR.mie, 0xaaa)
        hart.setCSR(CSR.mip, 0x222)
        #expect(hart.csr(CSR.sie) == delegated)
        #expect(hart.csr(CSR.sip) == delegated)
        hart.setCSR(CSR.sie, 0)
        #expect(hart.csr(CSR.mie) == 0xaaa & ~delegated)
        // Only SSIP is a supervisor's to clear.
        hart.setCSR(CSR.sip, 0)
        #expect(hart.csr(CSR.mip) == 0x222 & ~(delegated & 2))
    }

    @Test("the line into SEIP shows in mip, and a read-modify-write does not make it software's")
    func externalLine() {
        hart.mailbox.setLine(9, level: true)
        #expect(hart.csr(CSR.mip) == 0x200)
        #expect(fixture.run([Asm.csr("csrrsi", X.a0, CSR.mip, 2)]) == .finished)
        #expect(hart[x: 10] == 0x200)
        hart.mailbox.setLine(9, level: false)
        #expect(hart.csr(CSR.mip) == 2)
    }

    @Test("an edge into SSIP is the hart's to clear")
    func softwareEdge() {
        hart.mailbox.setLine(1, level: true)
        #expect(hart.csr(CSR.mip) == 2)
        #expect(hart.mailbox.lines == 0)
        hart.setCSR(CSR.mip, 0)
        #expect(hart.csr(CSR.mip) == 0)
    }

    @Test(
        "the timer's deadline follows a time counter that was set: in the clock's nanoseconds, 100 to a tick",
        arguments: [
            // The offset in ticks, stimecmp, the deadline. The clock stands at 1000 ticks.
            (0, 1500, 150_000), (500, 1700, 120_000), (500, 1400, 100_000), (0 &- 1000, 200, 120_000),
            (0 &- 1001, 5, 100_000), (1 << 62, 1 << 62 &+ 1003, 100_300), (1, .max - 1, nil),
        ] as [(UInt64, UInt64, UInt64?)])
    func timeMoved(offset: UInt64, compare: UInt64, deadline: UInt64?) {
        hart.setCSR(CSR.menvcfg, 1 << 63)
        fixture.door.nanoseconds = 100_000
        hart.setCSR(CSR.stimecmp, compare)
        fixture.door.offset = offset
        hart.mailbox.post([.timeMoved, .stop])
        #expect(fixture.interpreter.run(hart) == .requested)
        #expect(fixture.timer.deadline == deadline)
        #expect(hart.time == 1000 &+ offset)
    }

    @Test("stimecmp drives STIP and the board's timer while menvcfg.STCE is set")
    func sstc() {
        fixture.door.nanoseconds = 1000
        hart.setCSR(CSR.mip, 0x20)
        hart.setCSR(CSR.stimecmp, 11)
        #expect(fixture.timer.deadline == nil)
        #expect(hart.csr(CSR.mip) == 0x20)
        hart.setCSR(CSR.menvcfg, MEnvCfg.stce)
        #expect(fixture.timer.deadline == 1100)
        #expect(hart.csr(CSR.mip) == 0)
        fixture.door.nanoseconds = 1100
        #expect(hart.csr(CSR.mip) == 0x20)
        hart.setCSR(CSR.mip, 0)
        #expect(hart.csr(CSR.mip) == 0x20)
        hart.setCSR(CSR.stimecmp, .max)
        #expect(fixture.timer.deadline == nil)
        #expect(hart.csr(CSR.mip) == 0)
        hart.setCSR(CSR.stimecmp, .max - 1)
        #expect(fixture.timer.deadline == nil, "a deadline past what nanoseconds can hold is none")
    }

    @Test(
        "what may not be accessed is illegal",
        arguments: [
            // Lower privileges; read-only numbers; what does not exist.
            (CSR.mstatus, .supervisor, false), (CSR.sstatus, .user, false), (CSR.mvendorid, .machine, true),
            (CSR.cycle, .machine, true), (0x747, .machine, false), (0x7b0, .machine, false), (0x3a1, .machine, false),
            (0x200, .machine, false), (0x600, .machine, false), (0xb01, .machine, false), (0xc20, .machine, false),
            // Gated: counters by mcounteren and scounteren, stimecmp by menvcfg.STCE, fcsr by mstatus.FS.
            (CSR.cycle, .supervisor, false), (CSR.time, .user, false), (CSR.stimecmp, .supervisor, false),
            (CSR.fcsr, .machine, false), (CSR.frm, .user, true),
        ] as [(Int, Privilege, Bool)])
    func illegalAccess(number: Int, privilege: Privilege, writes: Bool) {
        let instruction = Asm.csr(writes ? "csrrw" : "csrrs", X.a0, number, 0)
        let ending = fixture.run([instruction], privilege: privilege)
        #expect(ending == .trap(2, value: UInt64(instruction), at: 0))
    }

    @Test(
        "counters open step by step to lower privileges",
        arguments: [
            (0, 0, .machine, true), (0, 7, .supervisor, false), (7, 0, .supervisor, true), (7, 0, .user, false),
            (0, 7, .user, false), (7, 7, .user, true), (5, 7, .user, false), (7, 5, .user, false),
        ] as [(UInt64, UInt64, Privilege, Bool)])
    func counterAccess(machine: UInt64, supervisor: UInt64, privilege: Privilege, allowed: Bool) {
        hart.setCSR(CSR.mcounteren, machine)
        hart.setCSR(CSR.scounteren, supervisor)
        let ending = fixture.run([Asm.csr("csrrs", X.a0, CSR.time, 0)], privilege: privilege)
        #expect((ending == .finished) == allowed)
    }

    @Test(
        "stimecmp from S-mode wants STCE and mcounteren.TM",
        arguments: [(false, 2, false), (true, 0, false), (true, 2, true)] as [(Bool, UInt64, Bool)])
    func stimecmpAccess(enabled: Bool, counters: UInt64, allowed: Bool) {
        hart.setCSR(CSR.menvcfg, enabled ? MEnvCfg.stce : 0)
        hart.setCSR(CSR.mcounteren, counters)
        let ending = fixture.run([Asm.csr("csrrw", 0, CSR.stimecmp, X.a0)], privilege: .supervisor)
        #expect((ending == .finished) == allowed)
    }

    @Test("TVM makes satp and sfence.vma illegal in S-mode", arguments: [true, false])
    func tvm(isOn: Bool) {
        hart.setCSR(CSR.mstatus, isOn ? MStatus.tvm : 0)
        for instruction in [Asm.csr("csrrs", X.a0, CSR.satp, 0), Asm.r("sfence.vma", 0, 0), Asm.r("sinval.vma", 0, 0)] {
            #expect((fixture.run([instruction], privilege: .supervisor) == .finished) == !isOn)
        }
        #expect(fixture.run([Asm.fixed("sfence.w.inval")], privilege: .supervisor) == .finished)
    }

    @Test("csrrs and csrrc with x0 do not write")
    func noWrite() {
        #expect(fixture.run([Asm.csr("csrrs", X.a0, CSR.mhartid, 0)]) == .finished)
        #expect(fixture.run([Asm.csr("csrrci", X.a0, CSR.cycle, 0)]) == .finished)
    }

    @Test("minstret counts what retires, from the value that is written to it")
    func retired() {
        hart[x: 11] = 100
        let code = [
            Asm.csr("csrrw", 0, CSR.minstret, X.a1), Asm.csr("csrrs", X.a0, CSR.minstret, 0), Asm.nop,
            Asm.csr("csrrs", X.a2, CSR.minstret, 0),
        ]
        #expect(fixture.run(code) == .finished)
        #expect(hart[x: 10] == 100)
        #expect(hart[x: 12] == 102)
    }

    @Test("a debugger that reads a counter and writes it back changes nothing")
    func savedCounter() throws {
        fixture.run([Asm.nop, Asm.nop])
        let value = try #require(hart.csr(CSR.minstret))
        // Two no-ops and the handler's wfi; the ecall that ended them traps.
        #expect(value == 3)
        hart.setCSR(CSR.minstret, value)
        #expect(hart.csr(CSR.minstret) == value)
        fixture.run([Asm.csr("csrrs", X.a0, CSR.minstret, 0)])
        #expect(hart[x: 10] == value)
    }

    @Test("flags and values make the floating-point state dirty, comparisons alone do not")
    func floatState() throws {
        let initial: UInt64 = 1 << 13
        func state(after instruction: UInt32) throws -> UInt64 {
            hart.setCSR(CSR.mstatus, initial)
            #expect(fixture.run([instruction]) == .finished)
            return try #require(hart.csr(CSR.mstatus)) >> 13 & 3
        }
        hart[f: 0] = 0x7ff0_0000_0000_0001
        hart[f: 1] = 0x3ff0_0000_0000_0000
        #expect(try state(after: Asm.r("feq.d", X.a0, 1, 1)) == 1)
        #expect(try state(after: Asm.r("feq.d", X.a0, 0, 1)) == 3)
        #expect(try state(after: Asm.r("fmv.d.x", 2, 0)) == 3)
        #expect(try state(after: Asm.csr("csrrw", 0, CSR.fflags, 0)) == 3)
    }
}

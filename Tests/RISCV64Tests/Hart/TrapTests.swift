// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Testing

@testable import RISCV64

@Suite("Traps and interrupts")
struct TrapTests {
    private let fixture = HartFixture()
    private var hart: Hart { fixture.hart }
    private static let base = HartFixture.base
    /// S-mode's handler: direct, or the base of its vectors.
    private static let supervisorHandler = HartFixture.base + 0x6000

    private func status() -> UInt64 { hart.csr(CSR.mstatus) ?? 0 }

    @Test(
        "each exception has its cause and value",
        arguments: [
            (Asm.fixed("ebreak"), Privilege.machine, 3, base), (0xffff_ffff, .machine, 2, 0xffff_ffff),
            (Asm.fixed("mret"), .supervisor, 2, 0x3020_0073), (Asm.fixed("sret"), .user, 2, 0x1020_0073),
            (Asm.wfi, .user, 2, 0x1050_0073), (Asm.r("sfence.vma", 0, 0), .user, 2, 0x1200_0073),
            (Asm.fixed("sfence.w.inval"), .user, 2, 0x1800_0073),
            (Asm.r("amoadd.d", X.a0, X.a1, X.a2), .machine, 6, HartFixture.data + 1),
            (Asm.r("lr.w", X.a0, X.a1), .machine, 4, HartFixture.data + 1),
            (Asm.r("sc.w", X.a0, X.a1, X.a2), .machine, 6, HartFixture.data + 1),
            (Asm.r("fadd.d", 0, 0, 0), .machine, 2, 0x0200_0053), (Asm.i("fld", 0, X.a1, -1), .machine, 2, 0xfff5_b007),
        ] as [(UInt32, Privilege, UInt64, UInt64)])
    func exceptions(instruction: UInt32, privilege: Privilege, cause: UInt64, value: UInt64) {
        hart[x: 11] = HartFixture.data + 1
        #expect(fixture.run([instruction], privilege: privilege) == .trap(cause, value: value, at: 0))
    }

    @Test(
        "what traps does not retire",
        arguments: [Asm.fixed("ebreak"), 0xffff_ffff, Asm.i("ld", X.a0, 0, 0)] as [UInt32])
    func retirement(instruction: UInt32) {
        #expect(fixture.run([Asm.nop, instruction]) != .finished)
        // The no-op and the handler's wfi.
        #expect(hart.retired == 2)
    }

    @Test(
        "a trap saves where it came from",
        arguments: [(Privilege.machine, true), (.machine, false), (.supervisor, true), (.user, false)])
    func saves(privilege: Privilege, enabled: Bool) {
        hart.setCSR(CSR.mstatus, enabled ? MStatus.mie : 0)
        fixture.run([], privilege: privilege)
        #expect(status() >> MStatus.mppShift & 3 == privilege.rawValue)
        #expect((status() & MStatus.mpie != 0) == enabled)
        #expect(status() & MStatus.mie == 0)
        #expect(hart.privilege == .machine)
    }

    @Test(
        "medeleg sends S and U's exceptions to S-mode, never M's",
        arguments: [(Privilege.user, true), (.supervisor, true), (.machine, false)])
    func delegation(privilege: Privilege, delegated: Bool) {
        hart.setCSR(CSR.medeleg, 1 << 3)
        hart.setCSR(CSR.stvec, Self.supervisorHandler | 1)
        hart.setCSR(CSR.mstatus, MStatus.sie)
        fixture.ram.put([Asm.ecall], at: Self.supervisorHandler)
        fixture.run([Asm.fixed("ebreak")], privilege: privilege)
        #expect(hart.csr(CSR.scause) == (delegated ? 3 : 0))
        #expect(hart.csr(CSR.stval) == (delegated ? Self.base : 0))
        #expect(hart.csr(CSR.sepc) == (delegated ? Self.base : 0))
        // Vectors are for interrupts; the handler's own ecall tells where it ran.
        #expect(hart.csr(CSR.mcause) == (delegated ? 9 : 3))
        #expect(hart.csr(CSR.mepc) == (delegated ? Self.supervisorHandler : Self.base))
        #expect(!delegated || status() & (MStatus.sie | MStatus.spie) == MStatus.spie)
        #expect(!delegated || (status() & MStatus.spp != 0) == (privilege == .supervisor))
    }

    @Test(
        "of several interrupts the highest goes first",
        arguments: [(0xaaa, 11), (0x2aa, 3), (0x2a2, 7), (0x222, 9), (0x022, 1), (0x020, 5)] as [(UInt64, UInt64)])
    func priorities(pending: UInt64, first: UInt64) {
        hart.setCSR(CSR.mie, 0xaaa)
        hart.setCSR(CSR.mip, pending & 0x222)
        for line in [3, 7, 11] where pending >> UInt64(line) & 1 != 0 { hart.mailbox.setLine(line, level: true) }
        fixture.enter(.supervisor)
        #expect(hart.takeInterrupt())
        #expect(hart.csr(CSR.mcause) == UInt64(1) << 63 | first)
    }

    @Test(
        "an interrupt is taken below its level, or at it when enabled",
        arguments: [
            // Delegated; privilege; MIE and SIE; taken at all, and into S-mode.
            (false, .machine, 0, false, false), (false, .machine, MStatus.mie, true, false),
            (false, .supervisor, 0, true, false), (false, .user, 0, true, false),
            (true, .machine, MStatus.mie | MStatus.sie, false, false), (true, .supervisor, 0, false, false),
            (true, .supervisor, MStatus.sie, true, true), (true, .user, 0, true, true),
        ] as [(Bool, Privilege, UInt64, Bool, Bool)])
    func enables(delegated: Bool, privilege: Privilege, status: UInt64, taken: Bool, toSupervisor: Bool) {
        hart.setCSR(CSR.mideleg, delegated ? 0x222 : 0)
        hart.setCSR(CSR.mie, 0x200)
        hart.setCSR(CSR.mip, 0x200)
        hart.setCSR(CSR.mstatus, status)
        fixture.enter(privilege)
        #expect(hart.takeInterrupt() == taken)
        #expect(!taken || hart.privilege == (toSupervisor ? .supervisor : .machine))
    }

    @Test("vectored interrupts go to their own entry, exceptions to the first")
    func vectors() {
        hart.setCSR(CSR.mtvec, Self.supervisorHandler | 1)
        hart.setCSR(CSR.mie, 0x80)
        hart.mailbox.setLine(7, level: true)
        fixture.enter(.user)
        #expect(hart.takeInterrupt())
        #expect(hart.pc == Self.supervisorHandler + 28)
        hart.raise(.illegalInstruction, value: 0)
        #expect(hart.pc == Self.supervisorHandler)
    }

    @Test(
        "mret goes back to MPP, and MPRV ends below M",
        arguments: [(0, Privilege.user), (1, .supervisor), (3, .machine)] as [(UInt64, Privilege)])
    func machineReturn(previous: UInt64, expected: Privilege) {
        hart.setCSR(CSR.mstatus, previous << MStatus.mppShift | MStatus.mpie | MStatus.mprv)
        hart.setCSR(CSR.mepc, Self.base + 0x100)
        hart.returnFromMachine()
        #expect(hart.privilege == expected)
        #expect(hart.pc == Self.base + 0x100)
        let wanted = MStatus.mie | MStatus.mpie | (expected == .machine ? MStatus.mprv : 0)
        #expect(status() & (MStatus.mie | MStatus.mpie | MStatus.mpp | MStatus.mprv) == wanted)
    }

    @Test("sret goes back to SPP", arguments: [false, true])
    func supervisorReturn(toSupervisor: Bool) {
        hart.setCSR(CSR.mstatus, (toSupervisor ? MStatus.spp : 0) | MStatus.spie | MStatus.mprv)
        hart.setCSR(CSR.sepc, Self.base + 0x102)
        hart.returnFromSupervisor()
        #expect(hart.privilege == (toSupervisor ? .supervisor : .user))
        #expect(hart.pc == Self.base + 0x102)
        #expect(status() & (MStatus.sie | MStatus.spie | MStatus.spp | MStatus.mprv) == MStatus.sie | MStatus.spie)
    }

    @Test(
        "TSR and TW trap S-mode's sret and wfi",
        arguments: [("sret", MStatus.tsr), ("wfi", MStatus.tw), ("wrs.nto", MStatus.tw)])
    func traps(name: String, bit: UInt64) {
        hart.setCSR(CSR.mstatus, bit)
        let instruction = Asm.fixed(name)
        #expect(fixture.run([instruction], privilege: .supervisor) == .trap(2, value: UInt64(instruction), at: 0))
    }

    @Test("reserved rounding modes are illegal, written out or in frm", arguments: [5, 6, 7] as [UInt64])
    func rounding(mode: UInt64) {
        fixture.enableFloat()
        let written = Asm.r("fadd.s", 0, 0, 0) | UInt32(mode) << 12
        hart.setCSR(CSR.frm, mode)
        #expect(fixture.run([written]) == .trap(2, value: UInt64(written), at: 0))
        // What does not round does not ask.
        #expect(fixture.run([Asm.r("fsgnj.s", 0, 0, 0), Asm.r("feq.d", X.a0, 0, 0)]) == .finished)
    }

    @Test(
        "cache-block instructions want their bit in menvcfg below M, and in senvcfg too in U",
        arguments: [
            ("cbo.zero", MEnvCfg.cbze), ("cbo.clean", MEnvCfg.cbcfe), ("cbo.flush", MEnvCfg.cbcfe),
            ("cbo.inval", 3 << 4), ("cbo.inval", 1 << 4),
        ] as [(String, UInt64)])
    func cacheBlocks(name: String, bit: UInt64) {
        let instruction = Asm.r(name, 0, X.a1)
        let illegal = Ending.trap(2, value: UInt64(instruction), at: 0)
        hart[x: 11] = HartFixture.data
        func run(_ machine: UInt64, _ supervisor: UInt64, _ privilege: Privilege) -> Ending {
            hart.setCSR(CSR.menvcfg, machine)
            hart.setCSR(CSR.senvcfg, supervisor)
            return fixture.run([instruction], privilege: privilege)
        }
        #expect(run(0, 0, .machine) == .finished)
        #expect(run(0, bit, .supervisor) == illegal)
        #expect(run(bit, 0, .supervisor) == .finished)
        #expect(run(bit, 0, .user) == illegal)
        #expect(run(0, bit, .user) == illegal)
        #expect(run(bit, bit, .user) == .finished)
    }

    @Test("a call to a built-in SBI leaves the engine behind the ecall and does not retire")
    func hypercall() {
        let fixture = HartFixture(configuration: .init(id: 0, supervisorCallsExit: true))
        #expect(fixture.run([], privilege: .supervisor) == .exit(.hypercall))
        #expect(fixture.hart.pc == Self.base + 4)
        #expect(fixture.hart.retired == 0)
    }

    @Test("wfi leaves the engine behind itself")
    func waits() {
        fixture.ram.put([Asm.wfi], at: Self.base)
        #expect(fixture.interpreter.run(hart) == .halt)
        #expect(hart.pc == Self.base + 4)
    }

    @Test("wfi goes on at once where an interrupt pends that is enabled, though not globally")
    func noWait() {
        hart.setCSR(CSR.mie, 8)
        hart.mailbox.setLine(3, level: true)
        fixture.ram.put([Asm.wfi, Asm.jal(0, 0)], at: Self.base)
        hart.debug.breakpoints = [Self.base + 4]
        #expect(fixture.interpreter.run(hart) == .debug(.breakpoint))
    }

    @Test("a hart that only spins gives its core away")
    func yields() {
        fixture.ram.put([Asm.fixed("pause"), Asm.jal(0, -4)], at: Self.base)
        #expect(fixture.interpreter.run(hart) == .yield)
        #expect(hart.pc == Self.base + 4)
    }
}

// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Testing

@testable import RISCV64

@Suite("Physical memory protection")
struct PMPTests {
    private let fixture = HartFixture()
    private var hart: Hart { fixture.hart }
    private static let data = HartFixture.data

    /// Entries from 0 on; the one behind them lets everything through.
    private func protect(_ entries: [(config: UInt64, address: UInt64)]) {
        var configs: UInt64 = 0
        for (index, entry) in (entries + [(0x1f, .max)]).enumerated() {
            hart.setCSR(CSR.pmpaddr0 + index, entry.address)
            configs |= entry.config << UInt64(index * 8)
        }
        hart.setCSR(CSR.pmpcfg0, configs)
    }

    private func load(_ offset: UInt64, _ name: String = "ld", _ privilege: Privilege = .supervisor) -> Ending {
        hart[x: 11] = Self.data &+ offset
        return fixture.run([Asm.i(name, X.a0, X.a1, 0)], privilege: privilege)
    }

    private func store(_ offset: UInt64, _ name: String = "sd", _ privilege: Privilege = .supervisor) -> Ending {
        hart[x: 11] = Self.data &+ offset
        return fixture.run([Asm.s(name, X.a0, X.a1, 0)], privilege: privilege)
    }

    private static func fault(_ cause: UInt64, _ offset: UInt64) -> Ending {
        .trap(cause, value: data &+ offset, at: 0)
    }

    @Test(
        "each way to write a range covers it and no more",
        arguments: [
            // NA4, NAPOT of 8 and of 16 bytes, TOR; all at data + 16.
            ([(0x10, data + 16)], 4), ([(0x18, data + 16)], 8), ([(0x18, data + 16 | 1 << 2)], 16),
            ([(0x00, data + 16), (0x08, data + 28)], 12),
        ] as [([(UInt64, UInt64)], UInt64)])
    func ranges(entries: [(UInt64, UInt64)], size: UInt64) {
        protect(entries.map { (config: $0.0, address: $0.1 >> 2) })
        for offset in stride(from: UInt64(12), through: 48, by: 4) {
            let inside = offset >= 16 && offset < 16 + size
            #expect(load(offset, "lw") == (inside ? Self.fault(5, offset) : .finished))
            #expect(store(offset, "sw") == (inside ? Self.fault(7, offset) : .finished))
            #expect(load(offset, "lw", .machine) == .finished)
        }
    }

    @Test("a range that is empty, or off, matches nothing")
    func emptyRange() {
        protect([(0, (Self.data + 64) >> 2), (0x08, (Self.data + 16) >> 2), (0x00, Self.data >> 2)])
        #expect(load(16) == .finished)
    }

    @Test(
        "an access that an entry matches in part fails, in M-mode too",
        arguments: [(.supervisor, 0x1f), (.machine, 0x1f), (.machine, 0x9f)] as [(Privilege, UInt64)])
    func partialMatch(privilege: Privilege, config: UInt64) {
        // NA4 with all permissions on the second word.
        protect([(config & 0x87 | 0x10, (Self.data + 20) >> 2)])
        #expect(load(16, "ld", privilege) == Self.fault(5, 16))
        #expect(store(16, "sd", privilege) == Self.fault(7, 16))
        #expect(load(16, "lw", privilege) == .finished)
        #expect(load(20, "lw", privilege) == .finished)
        #expect(load(24, "ld", privilege) == .finished)
    }

    @Test("a store over a page's end is checked whole on both sides before anything is written")
    func storeAcross() {
        // The last word of the page is closed; the store begins before it.
        protect([(0x10, (Self.data + 0xffc) >> 2)])
        hart[x: 10] = .max
        #expect(store(0xffb) == Self.fault(7, 0xffb))
        #expect(fixture.ram[Self.data + 0xff8] == 0)
        // The second word of the next page is closed.
        protect([(0x10, (Self.data + 0x1000) >> 2)])
        #expect(store(0xffb) == .trap(7, value: Self.data + 0x1000, at: 0))
        #expect(load(0xffb) == .trap(5, value: Self.data + 0x1000, at: 0))
        #expect(fixture.ram[Self.data + 0xff8] == 0)
    }

    @Test("a locked entry binds M-mode and cannot be written, nor the address below a locked TOR")
    func lock() {
        protect([(0, Self.data >> 2), (0x89, (Self.data + 64) >> 2)])
        #expect(store(0, "sd", .machine) == Self.fault(7, 0))
        #expect(load(0, "ld", .machine) == .finished)
        let configs = hart.csr(CSR.pmpcfg0)
        hart.setCSR(CSR.pmpaddr0, 0)
        hart.setCSR(CSR.pmpaddr0 + 1, 0)
        hart.setCSR(CSR.pmpcfg0, 0x1f_001f)
        #expect(hart.csr(CSR.pmpaddr0) == Self.data >> 2)
        #expect(hart.csr(CSR.pmpaddr0 + 1) == (Self.data + 64) >> 2)
        #expect(hart.csr(CSR.pmpcfg0) == (configs ?? 0) & 0xffff00 | 0x1f)
    }

    @Test("write without read is reserved and leaves an entry as it was")
    func reserved() {
        hart.setCSR(CSR.pmpcfg2, 0x1900)
        hart.setCSR(CSR.pmpcfg2, 0x1a1f)
        #expect(hart.csr(CSR.pmpcfg2) == 0x191f)
    }

    @Test("without any entry on, only M-mode has access")
    func off() {
        hart.setCSR(CSR.pmpcfg0, 0)
        #expect(load(0, "ld", .machine) == .finished)
        #expect(load(0, "ld", .supervisor) == .trap(1, value: HartFixture.base, at: 0))
    }

    @Test("MPRV gives M-mode's data accesses the previous privilege's protection")
    func borrowedPrivilege() {
        protect([(0x18, Self.data >> 2)])
        hart.setCSR(CSR.mstatus, MStatus.mprv | 1 << MStatus.mppShift)
        #expect(load(0, "ld", .machine) == Self.fault(5, 0))
        hart.setCSR(CSR.mstatus, MStatus.mprv | 3 << MStatus.mppShift)
        #expect(load(0, "ld", .machine) == .finished)
    }

    @Test("code in a page that PMP divides runs where it may")
    func dividedCode() {
        // The code's page from its 17th byte on is closed to execution.
        protect([(0, (HartFixture.base + 16) >> 2), (0x0b, (HartFixture.base + 0x1000) >> 2)])
        let code = [UInt32](repeating: Asm.i("addi", X.a0, X.a0, 1), count: 8)
        hart[x: 10] = 0
        #expect(fixture.run(code, privilege: .supervisor) == .trap(1, value: HartFixture.base + 16, at: 16))
        #expect(hart[x: 10] == 4)
        // A loop within it, and an end.
        let loop = [Asm.i("addi", X.a0, X.a0, -1), Asm.b("bne", X.a0, 0, -4)]
        #expect(fixture.run(loop, privilege: .supervisor) == .finished)
        #expect(hart[x: 10] == 0)
    }

    @Test("page tables are read and updated with S-mode's permissions", arguments: [(0x19, 7), (0x18, 5)])
    func tables(config: UInt64, cause: UInt64) {
        var tables = PageTables(fixture, levels: 3)
        tables.map(HartFixture.base, to: HartFixture.base, PageTables.all, level: 1)
        let entry = tables.map(Self.data &+ 1 << 32, to: Self.data, PageTables.all & ~PageTables.dirty)
        protect([(config, entry >> 2)])
        hart.setCSR(CSR.satp, tables.satp)
        hart[x: 11] = Self.data &+ 1 << 32
        let instruction = cause == 7 ? Asm.s("sd", X.a0, X.a1, 0) : Asm.i("ld", X.a0, X.a1, 0)
        let ending = fixture.run([instruction], privilege: .supervisor)
        #expect(ending == .trap(cause, value: Self.data &+ 1 << 32, at: 0))
    }

    @Test("an address beyond 56 bits is an access fault, even in M-mode")
    func tooHigh() {
        hart[x: 11] = 1 << 56
        #expect(fixture.run([Asm.i("ld", X.a0, X.a1, 0)]) == .trap(5, value: 1 << 56, at: 0))
    }

    @Test("a cache block that is closed in part is not touched", arguments: ["cbo.zero", "cbo.flush"])
    func block(name: String) {
        hart.setCSR(CSR.menvcfg, MEnvCfg.cbze | MEnvCfg.cbcfe)
        protect([(0x10, (Self.data + 60) >> 2)])
        fixture.ram[Self.data] = 7
        hart[x: 11] = Self.data + 8
        #expect(fixture.run([Asm.r(name, 0, X.a1)], privilege: .supervisor) == Self.fault(7, 8))
        #expect(fixture.ram[Self.data] == 7)
    }
}

// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Testing

@testable import RISCV64

@Suite("Code that changes, moves and is forgotten")
struct CodeTests {
    private static let base = HartFixture.base

    /// Calls a function, overwrites its first instruction, and calls it again after `fence`.
    private func rewrite(at function: Int32, _ fence: UInt32) -> HartFixture {
        let fixture = HartFixture()
        let hart = fixture.hart
        fixture.ram.put([Asm.i("addi", X.a0, X.a0, 1), Asm.i("jalr", 0, X.ra, 0)], at: Self.base + UInt64(function))
        hart[x: 10] = 0
        hart[x: 11] = Self.base + UInt64(function)
        hart[x: 12] = UInt64(Asm.i("addi", X.a0, X.a0, 16))
        fixture.run([
            Asm.jal(X.ra, function), Asm.s("sw", X.a2, X.a1, 0), fence, Asm.jal(X.ra, function - 12),
        ])
        return fixture
    }

    @Test("fence.i makes stores to code seen, in the same page and in others", arguments: [0x100, 0x1000, 0x2ffe])
    func fenced(function: Int32) {
        #expect(rewrite(at: function, Asm.fixed("fence.i")).hart[x: 10] == 17)
    }

    @Test("half of an instruction may change: it is decoded from what the memory had after fence.i")
    func halves() {
        let fixture = HartFixture()
        let word = Self.base + 0x106
        // The instruction's upper half lies in the next 8 bytes.
        fixture.ram.put([Asm.i("addi", X.a0, 0, 1), Asm.i("jalr", 0, X.ra, 0)], at: word)
        fixture.hart[x: 11] = word + 2
        fixture.hart[x: 12] = UInt64(Asm.i("addi", X.a0, 0, 2) >> 16)
        let code = [
            Asm.jal(X.ra, 0x106), Asm.s("sh", X.a2, X.a1, 0), Asm.fixed("fence.i"), Asm.jal(X.ra, 0x106 - 12),
        ]
        #expect(fixture.run(code) == .finished)
        #expect(fixture.hart[x: 10] == 2)
    }

    @Test("one page of code runs at two addresses, with the right PCs")
    func twoMappings() {
        let fixture = HartFixture()
        var tables = PageTables(fixture, levels: 3)
        tables.map(1 << 30, to: Self.base, PageTables.all)
        tables.map(1 << 32, to: Self.base, PageTables.all)
        fixture.hart.setCSR(CSR.satp, tables.satp)
        let code = [Asm.jal(X.t0, 8), Asm.nop, Asm.r("add", X.a0, X.t0, 0)]
        for entry in [UInt64(1) << 30, 1 << 32] {
            #expect(fixture.run(code, entry: entry, privilege: .supervisor) == .finished)
            #expect(fixture.hart[x: 10] == entry + 4)
        }
    }

    @Test("a cache that holds fewer pages than the guest runs through forgets and decodes again")
    func eviction() {
        let fixture = HartFixture(configuration: .init(id: 0, codeCacheBytes: 0))
        // 40 pages, each jumps into the next; the last jumps back until a counter is used up.
        let pages = 40
        let start = Self.base + 0x10_0000
        for page in 0..<pages {
            let last = page == pages - 1
            let step = last ? Int32(-4096 * (pages - 1)) : 4096
            fixture.ram.put(
                [
                    Asm.i("addi", X.a0, X.a0, 1), last ? Asm.i("addi", X.a1, X.a1, -1) : Asm.nop,
                    last ? Asm.b("beq", X.a1, 0, 8) : Asm.nop, Asm.jal(0, step - 12), Asm.wfi,
                ],
                at: start + UInt64(page) * 4096)
        }
        fixture.hart[x: 11] = 10
        fixture.hart.pc = start
        #expect(fixture.interpreter.run(fixture.hart) == .halt)
        #expect(fixture.hart[x: 10] == UInt64(10 * pages))
        #expect(fixture.hart.counters.codePages >= UInt64(10 * pages - 16))
    }

    @Test(
        "a stop is heard in every kind of loop",
        arguments: [
            [Asm.jal(0, 0)], [Asm.nop, Asm.jal(0, -4)], [0xa001_a001], [Asm.b("beq", 0, 0, 0)],
            [Asm.i("jalr", 0, X.a1, 0)], [Asm.jal(0, 0x2000)], [0xffff_ffff], [Asm.fixed("ebreak")],
            [Asm.r("amoadd.d", 0, X.a2, 0), Asm.jal(0, -4)], [Asm.fixed("fence.i"), Asm.jal(0, -4)],
        ] as [[UInt32]])
    func stops(code: [UInt32]) {
        let fixture = HartFixture()
        fixture.hart.setCSR(CSR.mtvec, Self.base)
        fixture.ram.put(code, at: Self.base)
        fixture.ram.put([Asm.jal(0, -0x2000)], at: Self.base + 0x2000)
        fixture.hart[x: 11] = Self.base
        fixture.hart[x: 12] = HartFixture.data
        let stopper = Stopper(fixture.hart.mailbox, after: 2000)
        #expect(fixture.interpreter.run(fixture.hart) == .requested)
        stopper.wait()
    }

    @Test("narrow floating-point loads and moves box their values")
    func boxes() {
        let fixture = HartFixture()
        fixture.enableFloat()
        fixture.ram[HartFixture.data] = 0x1122_3344_8566_7788
        fixture.hart[x: 11] = HartFixture.data
        fixture.hart[x: 12] = 0x1122_3344_8566_f788
        let code = [
            Asm.i("flw", 1, X.a1, 0), Asm.i("flh", 2, X.a1, 0), Asm.i("fld", 3, X.a1, 0), Asm.r("fmv.w.x", 4, X.a2),
            Asm.r("fmv.h.x", 5, X.a2), Asm.r("fmv.x.w", X.t0, 3), Asm.r("fmv.x.h", X.t1, 5),
            // An operand that is not boxed counts as the canonical NaN.
            Asm.r("fsgnj.s", 6, 3, 3),
        ]
        #expect(fixture.run(code) == .finished)
        #expect(fixture.hart[f: 1] == 0xffff_ffff_8566_7788)
        #expect(fixture.hart[f: 2] == 0xffff_ffff_ffff_7788)
        #expect(fixture.hart[f: 3] == 0x1122_3344_8566_7788)
        #expect(fixture.hart[f: 4] == 0xffff_ffff_8566_f788)
        #expect(fixture.hart[f: 5] == 0xffff_ffff_ffff_f788)
        #expect(fixture.hart[x: 5] == 0xffff_ffff_8566_7788)
        #expect(fixture.hart[x: 6] == 0xffff_ffff_ffff_f788)
        #expect(fixture.hart[f: 6] == 0xffff_ffff_7fc0_0000)
    }
}

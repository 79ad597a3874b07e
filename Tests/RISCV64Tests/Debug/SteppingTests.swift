// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Testing

@testable import RISCV64

@Suite("Stepping and breakpoints")
struct SteppingTests {
    private static let base = HartFixture.base
    private let fixture = HartFixture()
    private var hart: Hart { fixture.hart }

    private func step() -> VMExit {
        hart.debug.steps = true
        return fixture.interpreter.run(hart)
    }

    private func resume() -> VMExit {
        hart.debug.steps = false
        return fixture.interpreter.run(hart)
    }

    /// Runs the target once, so that its page is decoded and among the fetch entries: a step must not run on there.
    private func warmUp(_ words: [UInt32], at address: UInt64) {
        fixture.ram.put(words, at: address)
        hart.pc = address
        _ = resume()
    }

    @Test(
        "a step over a jump stops at its target, wherever both lie",
        arguments: [
            // In the first instruction of a page, within that page; to itself; from elsewhere; to another page.
            (0, 0x100), (0, 0), (8, 0x100), (0, 0x2000), (8, 0x2000), (0x100, 0), (0xffc, 0), (0x1000, 0x40),
        ] as [(UInt64, UInt64)])
    func jump(from: UInt64, to: UInt64) {
        warmUp([Asm.wfi], at: Self.base + 0x500)
        warmUp([Asm.wfi], at: Self.base + 0x1500)
        warmUp([Asm.wfi], at: Self.base + 0x2500)
        fixture.ram.put([Asm.jal(X.ra, Int32(to) - Int32(from))], at: Self.base + from)
        hart.pc = Self.base + from
        let retired = hart.retired
        #expect(step() == .debug(.step))
        #expect(hart.pc == Self.base + to)
        #expect(hart[x: 1] == Self.base + from + 4)
        #expect(hart.retired == retired + 1)
    }

    @Test(
        "a step over each kind of taken jump executes it alone",
        arguments: [
            Asm.b("beq", 0, 0, 8), Asm.b("bgeu", 0, 0, 8), Asm.jal(0, 8), Asm.i("jalr", 0, X.a0, 8),
            // c.j +8, c.jr a1, c.jalr a1
            0xa021, 0x8582, 0x9582,
        ] as [UInt32])
    func kinds(instruction: UInt32) {
        warmUp([Asm.wfi], at: Self.base + 8)
        fixture.ram.put([instruction], at: Self.base)
        hart[x: 10] = Self.base
        hart[x: 11] = Self.base + 8
        hart.pc = Self.base
        let retired = hart.retired
        #expect(step() == .debug(.step))
        #expect(hart.pc == Self.base + 8)
        #expect(hart.retired == retired + 1)
    }

    @Test(
        "a step moves by the instruction's length, over a page's end too",
        arguments: [
            (0, [Asm.nop], 4), (0, [0x0001_0001], 2), (0xffe, [Asm.nop], 4), (0xffc, [Asm.nop], 4),
            (0xffe, [0x0001], 2),
        ] as [(UInt64, [UInt32], UInt64)])
    func lengths(offset: UInt64, code: [UInt32], length: UInt64) {
        fixture.ram.put(code, at: Self.base + offset)
        hart.pc = Self.base + offset
        #expect(step() == .debug(.step))
        #expect(hart.pc == Self.base + offset + length)
    }

    @Test("a step into a trap stops at the handler and retires nothing")
    func trap() {
        fixture.ram.put([Asm.fixed("ebreak")], at: Self.base)
        #expect(step() == .debug(.step))
        #expect(hart.pc == HartFixture.handler)
        #expect(hart.retired == 0)
    }

    @Test("a step over a wait ends behind it", arguments: ["wfi", "pause"])
    func waits(name: String) {
        fixture.ram.put([Asm.fixed(name)], at: Self.base)
        #expect(step() == .debug(.step))
        #expect(hart.pc == Self.base + 4)
    }

    @Test("a step takes no interrupt, the next run does")
    func noInterrupt() {
        fixture.ram.put([Asm.nop, Asm.nop], at: Self.base)
        hart.setCSR(CSR.mie, InterruptBit.msip)
        hart.setCSR(CSR.mstatus, MStatus.mie)
        hart.mailbox.setLine(3, level: true)
        hart.debug.breakpoints = [HartFixture.handler]
        #expect(step() == .debug(.step))
        #expect(hart.pc == Self.base + 4)
        #expect(resume() == .debug(.breakpoint))
        #expect(hart.csr(CSR.mcause) == UInt64(1) << 63 | 3)
        #expect(hart.csr(CSR.mepc) == Self.base + 4)
    }

    @Test("a step does what the mailbox asks for")
    func requests() {
        fixture.ram.put([Asm.i("ld", X.a0, X.a1, 0)], at: Self.base)
        hart[x: 11] = HartFixture.data
        let generation = hart.tlb.dataGeneration
        hart.debug.steps = true
        hart.mailbox.post([.flushTranslations])
        let before = hart.tlb.dataGeneration
        #expect(before > generation)
        #expect(fixture.interpreter.run(hart) == .debug(.step))
        #expect(hart.tlb.dataGeneration > before)
        hart.mailbox.post(.stop)
        #expect(fixture.interpreter.run(hart) == .requested)
    }

    @Test(
        "a breakpoint stops before its instruction, and is passed on request",
        arguments: [(0, Asm.nop), (2, 0x0001), (0xffc, Asm.nop), (0xffe, Asm.nop), (0x1000, Asm.nop)]
            as [(UInt64, UInt32)])
    func breakpoint(offset: UInt64, code: UInt32) {
        // Compressed no-ops up to it.
        fixture.ram.put([UInt32](repeating: 0x0001_0001, count: 0x500), at: Self.base)
        fixture.ram.memory.write(
            withUnsafeBytes(of: code) { Array($0.prefix(code & 3 == 3 ? 4 : 2)) }, at: .init(Self.base + offset))
        fixture.ram.put([Asm.wfi], at: Self.base + 0x1400)
        hart.debug.breakpoints = [Self.base + offset]
        #expect(resume() == .debug(.breakpoint))
        #expect(hart.pc == Self.base + offset)
        #expect(hart.retired == offset / 2)
        #expect(resume() == .debug(.breakpoint))
        hart.debug.passesBreakpointAtStart = true
        #expect(resume() == .halt)
    }

    @Test("a breakpoint's twin in another page runs as if there were none")
    func aliased() {
        fixture.ram.put([Asm.i("addi", X.a0, X.a0, 1), Asm.jal(0, 0x1000)], at: Self.base)
        fixture.ram.put([Asm.i("addi", X.a0, X.a0, 1), Asm.wfi], at: Self.base + 0x1004)
        hart.debug.breakpoints = [Self.base + 0x2004, Self.base + 0x2000]
        #expect(resume() == .halt)
        #expect(hart[x: 10] == 2)
    }

    @Test("a jump to itself at a page's start, beside another page's breakpoint, still hears a stop")
    func selfJump() {
        fixture.ram.put([Asm.jal(0, 0)], at: Self.base)
        hart.debug.breakpoints = [Self.base + 0x1000]
        hart.mailbox.post(.stop)
        #expect(resume() == .requested)
    }

    @Test("a breakpoint works in a page that PMP divides")
    func divided() {
        hart.setCSR(CSR.pmpaddr0, (Self.base + 0x100) >> 2)
        hart.setCSR(CSR.pmpaddr0 + 1, .max)
        hart.setCSR(CSR.pmpcfg0, 0x1f1f)
        fixture.ram.put([Asm.nop, Asm.nop, Asm.wfi], at: Self.base)
        hart.debug.breakpoints = [Self.base + 4]
        #expect(resume() == .debug(.breakpoint))
        #expect(hart.pc == Self.base + 4)
        hart.debug.passesBreakpointAtStart = true
        #expect(resume() == .halt)
    }
}

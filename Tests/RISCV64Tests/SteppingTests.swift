// SPDX-License-Identifier: Apache-2.0

import MachineCore
import RISCV64
import Testing
import VMMemory

@Suite("Single steps")
struct SteppingTests {
    /// A jump at the start of a page: where a step over it must end, and how many instructions that takes.
    struct Jump: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let word: UInt32
        let target: UInt64
    }

    static let jumps = [
        Jump(testDescription: "beq x0, x0, +8", word: 0x0000_0463, target: 0x8000_0008),
        Jump(testDescription: "bgeu x0, x0, +8", word: 0x0000_7463, target: 0x8000_0008),
        Jump(testDescription: "j +8", word: 0x0080_006F, target: 0x8000_0008),
        Jump(testDescription: "j +4096, into another page", word: 0x0000_106F, target: 0x8000_1000),
        Jump(testDescription: "jr 0(a0)", word: 0x0005_0067, target: 0x8000_0008),
        Jump(testDescription: "c.j +8", word: 0xA021, target: 0x8000_0008),
    ]

    @Test("a step over a taken jump at a page's start executes it alone", arguments: jumps)
    func stepOverJump(_ jump: Jump) {
        let ram = UnsafeMutableRawPointer.allocate(byteCount: 8192, alignment: 4096)
        defer { ram.deallocate() }
        ram.initializeMemory(as: UInt8.self, repeating: 0, count: 8192)
        let base = GuestAddress(0x8000_0000)
        let memory = GuestMemory(regions: [MemoryRegion(base: base, size: 8192, host: ram)])
        memory.store(jump.word, at: base)
        let hart = Hart(
            Hart.Configuration(id: 0, codeCacheBytes: 1 << 20), memory: memory, door: SilentDoor(), timer: NoTimer())
        hart.reset(pc: base.value, a0: base.value + 8)

        hart.debug.steps = true
        let exit = Interpreter().run(hart)

        #expect(exit == .debug(.step))
        #expect(hart.pc == jump.target)
        #expect(hart.retired == 1)
    }
}

/// A machine without devices, time or interrupts.
private final class SilentDoor: InputDoor {
    func busRead(at address: GuestAddress, width: AccessWidth) -> UInt64? { nil }
    func busWrite(_ value: UInt64, at address: GuestAddress, width: AccessWidth) -> Bool { false }
    func time() -> UInt64 { 0 }
    func random() -> UInt64 { 0 }
    func interrupts(_ mailbox: Mailbox) -> UInt64 { 0 }
}

private final class NoTimer: HartTimer {
    func arm(hart: Int, deadline: UInt64?) {}
}

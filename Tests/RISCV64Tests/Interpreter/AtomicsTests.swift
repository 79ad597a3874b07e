// SPDX-License-Identifier: Apache-2.0

import Foundation
import MachineCore
import Testing

@testable import RISCV64

@Suite("Atomics")
struct AtomicsTests {
    private let fixture = HartFixture()
    private var hart: Hart { fixture.hart }

    @Test(
        "each operation gives the old value and stores its result, in both widths",
        arguments: [
            ("amoswap", 0x8000_0001, 5, 5), ("amoadd", 0xffff_ffff, 2, 1), ("amoxor", 0xff, 0xf, 0xf0),
            ("amoand", 0xff, 0xf, 0xf), ("amoor", 0xf0, 0xf, 0xff), ("amomin", 0x8000_0000, 1, 0x8000_0000),
            ("amomax", 0x8000_0000, 1, 1), ("amominu", 0x8000_0000, 1, 1), ("amomaxu", 0x8000_0000, 1, 0x8000_0000),
        ] as [(String, UInt64, UInt64, UInt64)])
    func operations(name: String, old: UInt64, operand: UInt64, result: UInt64) {
        hart[x: 11] = HartFixture.data
        hart[x: 12] = operand
        fixture.ram[HartFixture.data] = 7 << 32 | old
        #expect(fixture.run([Asm.r(name + ".w", X.a0, X.a1, X.a2)]) == .finished)
        #expect(hart[x: 10] == word(old))
        #expect(fixture.ram[HartFixture.data] == 7 << 32 | result)
        // The same in the high half of a double word.
        hart[x: 12] = operand << 32
        fixture.ram[HartFixture.data] = old << 32
        #expect(fixture.run([Asm.r(name + ".d", X.a0, X.a1, X.a2)]) == .finished)
        #expect(hart[x: 10] == old << 32)
        #expect(fixture.ram[HartFixture.data] == result << 32)
    }

    @Test(
        "sc stores only after lr of the same bytes, once, while the memory is as it was",
        arguments: [
            (["lr.d", "sc.d"], 0), (["sc.d"], 1), (["lr.d", "sc.d", "sc.d"], 1), (["lr.w", "sc.d"], 1),
            (["lr.d", "sc.w"], 1), (["lr.w", "sc.w"], 0), (["lr.d", "amoadd.d", "sc.d"], 1),
        ] as [([String], UInt64)])
    func conditional(names: [String], result: UInt64) {
        hart[x: 11] = HartFixture.data
        hart[x: 12] = 9
        fixture.ram[HartFixture.data] = 1
        let code = names.map { Asm.r($0, X.a0, X.a1, $0.hasPrefix("lr") ? 0 : X.a2) }
        #expect(fixture.run(code) == .finished)
        #expect(hart[x: 10] == result)
    }

    /// Each of four harts on a thread of its own adds `rounds` to a counter by AMO, and to another by LR and SC.
    @Test("four harts lose no update", .timeLimit(.minutes(10)))
    func contended() {
        let rounds: UInt64 = 5000
        let ram = TestRAM(size: HartFixture.size)
        let retry = Asm.b("bne", X.a0, 0, -12)
        let code = [
            Asm.r("amoadd.d", 0, X.a1, X.t0), Asm.r("lr.w", X.a0, X.a2), Asm.i("addi", X.a0, X.a0, 1),
            Asm.r("sc.w", X.a0, X.a2, X.a0), retry, Asm.i("addi", X.a3, X.a3, -1), Asm.b("bne", X.a3, 0, -24), Asm.wfi,
        ]
        ram.put(code, at: HartFixture.base)
        let threads = (0..<4).map { id -> DispatchSemaphore in
            let done = DispatchSemaphore(value: 0)
            Thread.detachNewThread {
                let hart = Hart(.init(id: id), memory: ram.memory, door: ScriptedDoor(), timer: RecordingTimer())
                hart.reset(pc: HartFixture.base)
                hart[x: 5] = 3
                hart[x: 11] = HartFixture.data
                hart[x: 12] = HartFixture.data + 8
                hart[x: 13] = rounds
                while Interpreter().run(hart) != .halt {}
                done.signal()
            }
            return done
        }
        for done in threads { done.wait() }
        #expect(ram[HartFixture.data] == 12 * rounds)
        #expect(ram[HartFixture.data + 8] == 4 * rounds)
    }
}

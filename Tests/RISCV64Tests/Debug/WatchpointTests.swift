// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Testing

@testable import RISCV64

@Suite("Watchpoints")
struct WatchpointTests {
    private static let data = HartFixture.data
    private let fixture = HartFixture()

    private func run(_ instruction: UInt32, watch address: UInt64, _ count: UInt64, _ kind: WatchKind) -> VMExit {
        let hart = fixture.hart
        fixture.enableFloat()
        fixture.ram.put([instruction, instruction, Asm.wfi], at: HartFixture.base)
        hart[x: 11] = Self.data + 16
        hart.debug.watchpoints = [.init(address: address, count: count, kind: kind)]
        hart.pc = HartFixture.base
        return fixture.interpreter.run(hart)
    }

    @Test(
        "an access that touches the range stops behind the instruction",
        arguments: [
            (Asm.i("ld", X.a0, X.a1, 0), 16, 1, .read), (Asm.i("ld", X.a0, X.a1, 0), 23, 8, .read),
            (Asm.i("lb", X.a0, X.a1, 7), 16, 8, .access), (Asm.i("ld", X.a0, X.a1, -3), 16, 1, .read),
            (Asm.s("sd", X.a0, X.a1, 0), 16, 1, .write), (Asm.s("sb", X.a0, X.a1, -1), 0, 16, .access),
            (Asm.i("flw", X.a0, X.a1, 0), 19, 1, .read), (Asm.s("fsh", X.a0, X.a1, 0), 17, 1, .write),
            (Asm.r("amoadd.d", X.a0, X.a1, X.a2), 16, 8, .write), (Asm.r("amoadd.w", X.a0, X.a1, X.a2), 16, 4, .read),
            (Asm.r("lr.w", X.a0, X.a1), 16, 4, .read), (Asm.r("cbo.zero", 0, X.a1), 63, 1, .write),
        ] as [(UInt32, UInt64, UInt64, WatchKind)])
    func hits(instruction: UInt32, offset: UInt64, count: UInt64, kind: WatchKind) {
        let exit = run(instruction, watch: Self.data + offset, count, kind)
        #expect(exit == .debug(.watchpoint(Self.data + offset, kind)))
        #expect(fixture.hart.pc == HartFixture.base + 4)
        #expect(fixture.hart.retired == 1)
    }

    @Test(
        "an access beside the range, or of the other kind, does not",
        arguments: [
            (Asm.i("ld", X.a0, X.a1, 0), 24, 8, .read), (Asm.i("ld", X.a0, X.a1, 0), 8, 8, .access),
            (Asm.i("ld", X.a0, X.a1, 0), 16, 8, .write), (Asm.s("sd", X.a0, X.a1, 0), 16, 8, .read),
            (Asm.r("sc.w", X.a0, X.a1, X.a2), 16, 4, .access), (Asm.r("cbo.zero", 0, X.a1), 64, 8, .access),
        ] as [(UInt32, UInt64, UInt64, WatchKind)])
    func misses(instruction: UInt32, offset: UInt64, count: UInt64, kind: WatchKind) {
        #expect(run(instruction, watch: Self.data + offset, count, kind) == .halt)
    }

    @Test("a stop does not linger: the next block of zeros beside the range runs through")
    func noStaleHit() {
        #expect(run(Asm.r("cbo.zero", 0, X.a1), watch: Self.data, 8, .write) != .halt)
        #expect(run(Asm.r("cbo.zero", 0, X.a1), watch: Self.data + 0x100, 8, .write) == .halt)
    }

    @Test(
        "ranges at the end of the address space wrap",
        arguments: [
            (UInt64.max, 1, UInt64.max, 1, true), (UInt64.max - 7, 8, UInt64.max, 1, true),
            (UInt64.max - 7, 8, 0, 8, false), (UInt64.max, 2, 0, 1, true), (0, 8, UInt64.max - 3, 8, true),
            (0, 8, UInt64.max - 7, 8, false), (8, 8, 16, 1, false), (8, 8, 7, 2, true),
        ] as [(UInt64, UInt64, UInt64, UInt64, Bool)])
    func wraps(address: UInt64, count: UInt64, other: UInt64, otherCount: UInt64, covers: Bool) {
        let point = HartDebug.Watchpoint(address: address, count: count, kind: .access)
        #expect(point.covers(other, count: otherCount) == covers)
    }
}

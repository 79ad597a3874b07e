// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import RISCV64

/// Corners that the comparison with QEMU leaves out, or meets too seldom.
@Suite("Integer instructions")
struct IntegerTests {
    @Test(
        "corner cases have the manual's results",
        arguments: [
            ("ctzw", 1 << 63, 0, 32), ("ctzw", 0, 0, 32), ("clzw", 1 << 63, 0, 32), ("clz", 0, 0, 64),
            ("ctz", 0, 0, 64),
            ("cpopw", .max, 0, 32), ("czero.eqz", 7, 0, 0), ("czero.eqz", 7, 1, 7), ("czero.nez", 7, 0, 7),
            ("czero.nez", 7, 1 << 63, 0), ("div", 1 << 63, .max, 1 << 63), ("rem", 1 << 63, .max, 0),
            ("div", 5, 0, .max), ("rem", 5, 0, 5), ("divu", 5, 0, .max), ("remu", 5, 0, 5),
            ("divw", 0x8000_0000, 0xffff_ffff, 0xffff_ffff_8000_0000), ("remw", 0x8000_0000, 0xffff_ffff, 0),
            ("divuw", 5, 1 << 32, .max), ("remuw", 0x8000_0000, 0, 0xffff_ffff_8000_0000),
            ("mulh", 1 << 63, 1 << 63, 1 << 62), ("mulhsu", .max, .max, .max), ("mulhu", .max, .max, .max - 1),
            ("rol", 1, 64, 1), ("ror", 1, 1, 1 << 63), ("rorw", 1, 1, 0xffff_ffff_8000_0000),
            ("sllw", 1, 63, 0xffff_ffff_8000_0000),
            ("sraw", 0x8000_0000, 31, .max), ("clmulr", 1 << 63, 2, 2), ("clmulh", 1 << 63, 2, 1), ("bext", 4, 66, 1),
        ] as [(String, UInt64, UInt64, UInt64)])
    func corners(name: String, left: UInt64, right: UInt64, result: UInt64) {
        let fixture = HartFixture()
        fixture.hart[x: 11] = left
        fixture.hart[x: 12] = right
        let rows = InstructionSet.rows.filter { "\($0.name)" == name }
        let takesTwo = rows.allSatisfy { $0.format == .r }
        #expect(fixture.run([Asm.r(name, X.a0, X.a1, takesTwo ? X.a2 : 0)]) == .finished)
        #expect(fixture.hart[x: 10] == result)
    }

    @Test("x0 stays zero, whatever writes to it", arguments: ["addi", "lw", "slli", "andi", "sext.b"])
    func zero(name: String) {
        let fixture = HartFixture()
        fixture.hart[x: 11] = HartFixture.base
        #expect(fixture.run([Asm.i(name, 0, X.a1, 0), Asm.r("add", X.a0, 0, 0)]) == .finished)
        #expect(fixture.hart[x: 0] == 0)
        #expect(fixture.hart[x: 10] == 0)
    }
}

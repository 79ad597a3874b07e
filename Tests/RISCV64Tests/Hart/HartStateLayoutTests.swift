// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Testing

@testable import RISCV64

@Suite("Layout of a hart's state")
struct HartStateLayoutTests {
    private static func offset(_ field: PartialKeyPath<HartState>) -> Int? { MemoryLayout<HartState>.offset(of: field) }

    @Test(
        "fields lie where generated code expects them",
        arguments: [
            ("x", offset(\.x), 0), ("pc", offset(\.pc), 264), ("f", offset(\.f), 272), ("fcsr", offset(\.fcsr), 528),
            ("privilege", offset(\.privilege), 536), ("mstatus", offset(\.mstatus), 544),
            ("satp", offset(\.satp), 680), ("stimecmp", offset(\.stimecmp), 704),
            ("pmpcfg", offset(\.pmpcfg), 712), ("pmpaddr", offset(\.pmpaddr), 728),
            ("retired", offset(\.retired), 872), ("reservedAddress", offset(\.reservedAddress), 880),
            ("dataTLB", offset(\.dataTLB), 936), ("dataGeneration", offset(\.dataGeneration), 944),
            ("fetchTLB", offset(\.fetchTLB), 952), ("fetchGeneration", offset(\.fetchGeneration), 960),
        ] as [(String, Int?, Int)])
    func offsets(name: String, offset: Int?, expected: Int) {
        #expect(offset == expected)
    }

    @Test("the mailbox has a cache line of its own behind the state")
    func mailbox() {
        #expect(MemoryLayout<HartState>.size == 968)
        #expect(HartPointer.mailboxOffset == 1024)
        #expect(HartPointer.mailboxOffset % 64 == 0)
        #expect(Mailbox.size == 64)
    }

    @Test("a micro-op is 8 bytes: two bytes of code for each")
    func microOp() {
        #expect(MemoryLayout<MicroOp>.size == 8)
        #expect(MemoryLayout<MicroOp>.stride == 8)
    }
}

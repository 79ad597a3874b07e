// SPDX-License-Identifier: Apache-2.0

import RISCV64
import Testing

@testable import ApusKit

@Suite("Trace lines")
struct TraceLineTests {
    @Test(
        "a transition is one line that says which rings, why, where and with what value",
        arguments: [
            (
                TraceLine(hart: 0, from: .user, to: .supervisor, pc: 0x1000, cause: 13, value: 0xDEAD),
                "hart 0 U>S exception 13 load page fault pc 0x0000000000001000 value 0x000000000000dead\n"
            ),
            (
                TraceLine(hart: 3, from: .supervisor, to: .supervisor, pc: 0x80, cause: 1 << 63 | 5, value: 0),
                "hart 3 S>S interrupt 5 supervisor timer pc 0x0000000000000080 value 0x0000000000000000\n"
            ),
            (
                TraceLine(hart: 1, from: .machine, to: .supervisor, pc: 0x80, cause: nil, value: 0),
                "hart 1 M>S return pc 0x0000000000000080 value 0x0000000000000000\n"
            ),
            (
                TraceLine(hart: 1, from: .machine, to: .machine, pc: 0, cause: 63, value: .max),
                "hart 1 M>M exception 63 reserved pc 0x0000000000000000 value 0xffffffffffffffff\n"
            ),
        ])
    func text(_ line: TraceLine, _ expected: String) {
        #expect(line.text == expected)
    }
}

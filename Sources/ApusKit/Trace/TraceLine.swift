// SPDX-License-Identifier: Apache-2.0

import RISCV64

/// One transition between rings as text.
struct TraceLine {
    let hart: Int
    let from: Privilege
    let to: Privilege
    let pc: UInt64
    /// The mcause of a trap; nil for a return.
    let cause: UInt64?
    let value: UInt64

    /// One line, ended: `hart 0 S>M exception 2 illegal instruction pc 0x… value 0x…`.
    var text: String {
        let what =
            if let cause {
                cause >> 63 != 0
                    ? "interrupt \(cause & ~(1 << 63)) \(TraceLine.interrupt(cause & ~(1 << 63)))"
                    : "exception \(cause) \(TraceLine.exception(cause))"
            } else {
                "return"
            }
        return "hart \(hart) \(TraceLine.letter(from))>\(TraceLine.letter(to)) \(what) pc 0x\(TextTable.hex(pc)) "
            + "value 0x\(TextTable.hex(value))\n"
    }

    private static func letter(_ privilege: Privilege) -> String {
        switch privilege {
        case .user: "U"
        case .supervisor: "S"
        case .machine: "M"
        }
    }

    /// RISC-V Priv 1.13 §3.1.15, table of mcause values with the interrupt bit clear.
    private static func exception(_ code: UInt64) -> String {
        switch code {
        case 0: "instruction address misaligned"
        case 1: "instruction access fault"
        case 2: "illegal instruction"
        case 3: "breakpoint"
        case 4: "load address misaligned"
        case 5: "load access fault"
        case 6: "store address misaligned"
        case 7: "store access fault"
        case 8: "call from U-mode"
        case 9: "call from S-mode"
        case 11: "call from M-mode"
        case 12: "instruction page fault"
        case 13: "load page fault"
        case 15: "store page fault"
        default: "reserved"
        }
    }

    /// The same table with the interrupt bit set.
    private static func interrupt(_ code: UInt64) -> String {
        switch code {
        case 1: "supervisor software"
        case 3: "machine software"
        case 5: "supervisor timer"
        case 7: "machine timer"
        case 9: "supervisor external"
        case 11: "machine external"
        default: "reserved"
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

@testable import RISCV64

/// The few instructions that tests write by hand, made from the same rows that decode them. What the rows say is itself
/// checked against the assembler (`AssemblerComparisonTests`).
enum Asm {
    private static let rows = Dictionary(uniqueKeysWithValues: InstructionSet.rows.map { ("\($0.name)", $0) })

    private static func row(_ name: String) -> UInt32 {
        guard let row = rows[name] else { preconditionFailure("\(name) is no instruction of the tables") }
        return row.match
    }

    static func r(_ name: String, _ rd: UInt32, _ rs1: UInt32, _ rs2: UInt32 = 0) -> UInt32 {
        row(name) | rd << 7 | rs1 << 15 | rs2 << 20
    }

    static func i(_ name: String, _ rd: UInt32, _ rs1: UInt32, _ immediate: Int32) -> UInt32 {
        row(name) | rd << 7 | rs1 << 15 | UInt32(bitPattern: immediate) << 20
    }

    static func s(_ name: String, _ rs2: UInt32, _ rs1: UInt32, _ immediate: Int32) -> UInt32 {
        let value = UInt32(bitPattern: immediate)
        return row(name) | rs1 << 15 | rs2 << 20 | (value & 31) << 7 | (value >> 5 & 127) << 25
    }

    static func b(_ name: String, _ rs1: UInt32, _ rs2: UInt32, _ distance: Int32) -> UInt32 {
        let value = UInt32(bitPattern: distance)
        let low = (value >> 1 & 15) << 8 | (value >> 11 & 1) << 7
        return row(name) | rs1 << 15 | rs2 << 20 | low | (value >> 5 & 63) << 25 | (value >> 12 & 1) << 31
    }

    static func jal(_ rd: UInt32, _ distance: Int32) -> UInt32 {
        let value = UInt32(bitPattern: distance)
        let fields = (value >> 12 & 255) << 12 | (value >> 11 & 1) << 20 | (value >> 1 & 1023) << 21
        return row("jal") | rd << 7 | fields | (value >> 20 & 1) << 31
    }

    static func csr(_ name: String, _ rd: UInt32, _ number: Int, _ source: UInt32) -> UInt32 {
        row(name) | rd << 7 | source << 15 | UInt32(number) << 20
    }

    /// What has no operands.
    static func fixed(_ name: String) -> UInt32 { row(name) }

    static var nop: UInt32 { i("addi", 0, 0, 0) }
    static var ecall: UInt32 { fixed("ecall") }
    static var wfi: UInt32 { fixed("wfi") }
}

/// Register numbers by the calling convention.
enum X {
    static let zero: UInt32 = 0
    static let ra: UInt32 = 1
    static let t0: UInt32 = 5
    static let t1: UInt32 = 6
    static let t2: UInt32 = 7
    static let a0: UInt32 = 10
    static let a1: UInt32 = 11
    static let a2: UInt32 = 12
    static let a3: UInt32 = 13
}

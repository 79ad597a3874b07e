// SPDX-License-Identifier: Apache-2.0

import VMMemory

@testable import RISCV64

/// Page tables in a fixture's RAM.
struct PageTables {
    /// Bits of an entry (RISC-V Priv 1.13 §12.4.1).
    static let valid: UInt64 = 1
    static let read: UInt64 = 2
    static let write: UInt64 = 4
    static let execute: UInt64 = 8
    static let user: UInt64 = 16
    static let accessed: UInt64 = 64
    static let dirty: UInt64 = 128
    static let all = valid | read | write | execute | accessed | dirty

    let ram: TestRAM
    let levels: Int
    private(set) var next: UInt64

    /// Empty tables of `levels` levels, 3 to 5, at `root`.
    init(_ fixture: HartFixture, levels: Int, root: UInt64 = HartFixture.tables) {
        ram = fixture.ram
        self.levels = levels
        self.root = root
        next = root + 4096
    }

    let root: UInt64
    var satp: UInt64 { UInt64(levels + 5) << 60 | root >> 12 }

    /// Maps the page of `virtual` at `level` (0: 4 KiB) to `physical`; the entry's address.
    @discardableResult
    mutating func map(_ virtual: UInt64, to physical: UInt64, _ flags: UInt64, level: Int = 0) -> UInt64 {
        var table = root
        for depth in stride(from: levels - 1, to: level, by: -1) {
            let entry = table + (virtual >> UInt64(12 + 9 * depth) & 511) * 8
            if ram[entry] & 1 == 0 {
                ram[entry] = Self.number(next) | Self.valid
                next += 4096
            }
            table = (ram[entry] >> 10) << 12
        }
        let entry = table + (virtual >> UInt64(12 + 9 * level) & 511) * 8
        ram[entry] = Self.number(physical) | flags
        return entry
    }

    /// A page number in its place in an entry.
    static func number(_ physical: UInt64) -> UInt64 { (physical >> 12) << 10 }
}

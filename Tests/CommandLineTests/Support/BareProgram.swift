// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Programs of a few RV64 instructions as ELF files, for the bare machine.
enum BareProgram {
    static let base: UInt64 = 0x8000_0000

    /// An ELF64 executable of one segment with `code` at the start of RAM (System V gABI, chapters 4 and 5).
    static func elf(_ code: [UInt32]) -> Data {
        var bytes = Data([0x7F, 0x45, 0x4C, 0x46, 2, 1, 1, 0] + [UInt8](repeating: 0, count: 8))
        func put(_ value: UInt64, _ size: Int) {
            for byte in 0..<size { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * byte))) }
        }
        // e_type EXEC, e_machine RISC-V, e_version, e_entry, e_phoff, e_shoff, e_flags, e_ehsize, …
        for (value, size) in [
            (2, 2), (243, 2), (1, 4), (base, 8), (64, 8), (0, 8), (0, 4), (64, 2), (56, 2), (1, 2), (0, 2), (0, 2),
            (0, 2),
        ] as [(UInt64, Int)] { put(value, size) }
        let size = UInt64(code.count * 4)
        // p_type LOAD, p_flags RWX, p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align
        for (value, width) in [
            (1, 4), (7, 4), (120, 8), (base, 8), (base, 8), (size, 8), (size, 8), (4, 8),
        ] as [(UInt64, Int)] { put(value, width) }
        for instruction in code { put(UInt64(instruction), 4) }
        return bytes
    }

    // RISC-V Unpriv 20240411 §2.4, §2.6; registers: t0 is 5, t1 is 6, t2 is 7.
    static func lui(_ register: UInt32, _ upper: UInt32) -> UInt32 { upper << 12 | register << 7 | 0x37 }
    static func addi(_ register: UInt32, _ source: UInt32, _ value: Int32) -> UInt32 {
        UInt32(bitPattern: value) << 20 | source << 15 | register << 7 | 0x13
    }
    static func sw(_ source: UInt32, at base: UInt32) -> UInt32 { source << 20 | base << 15 | 2 << 12 | 0x23 }
    static func sb(_ source: UInt32, at base: UInt32) -> UInt32 { source << 20 | base << 15 | 0x23 }
    static func lbu(_ register: UInt32, _ base: UInt32, _ offset: Int32) -> UInt32 {
        UInt32(bitPattern: offset) << 20 | base << 15 | 4 << 12 | register << 7 | 0x03
    }
    static func andi(_ register: UInt32, _ source: UInt32, _ value: Int32) -> UInt32 {
        UInt32(bitPattern: value) << 20 | source << 15 | 7 << 12 | register << 7 | 0x13
    }
    /// `beq register, x0`, by a multiple of 2 within ±4094.
    static func beqz(_ register: UInt32, _ offset: Int32) -> UInt32 {
        let o = UInt32(bitPattern: offset)
        return (o >> 12 & 1) << 31 | (o >> 5 & 63) << 25 | register << 15 | (o >> 1 & 15) << 8 | (o >> 11 & 1) << 7
            | 0x63
    }
    static func bne(_ left: UInt32, _ right: UInt32, _ offset: Int32) -> UInt32 {
        beqz(left, offset) | right << 20 | 1 << 12
    }
    /// `j .`, for ever.
    static let loop: UInt32 = 0x6F
    /// `wfi`.
    static let wait: UInt32 = 0x1050_0073

    /// Ends the machine with `code` by the test finisher at 0x100000: 0x5555 passes, `code << 16 | 0x3333` fails.
    static func finish(_ code: UInt32) -> [UInt32] {
        let value: UInt32 = code == 0 ? 0x5555 : code << 16 | 0x3333
        return [
            lui(5, 0x100), lui(6, (value &+ 0x800) >> 12), addi(6, 6, Int32(bitPattern: value << 20) >> 20),
            sw(6, at: 5), loop,
        ]
    }

    /// Writes `text` to the 16550 at 0x10000000, whose transmitter is always ready here, and ends with `code`.
    static func say(_ text: String, thenFinish code: UInt32 = 0) -> [UInt32] {
        [lui(5, 0x10000)] + text.utf8.flatMap { [addi(6, 0, Int32($0)), sb(6, at: 5)] } + finish(code)
    }

    /// Sends back what comes in on the 16550 until it is `end`.
    static func echo(until end: Character) -> [UInt32] {
        let last = Int32(end.asciiValue ?? 0)
        return [
            lui(5, 0x10000), addi(28, 0, last),
            // 16550 line status, bit 0: a byte waits.
            lbu(6, 5, 5), andi(6, 6, 1), beqz(6, -8), lbu(7, 5, 0), sb(7, at: 5), bne(7, 28, -20),
        ] + finish(0)
    }
}

// SPDX-License-Identifier: Apache-2.0

/// Enough of an assembler to write guests of a few instructions by hand (RISC-V Unpriv 20240411 §2.2).
struct GuestAssembler {
    /// Registers by their numbers.
    enum Register: UInt32 {
        case zero = 0, ra = 1, t0 = 5, t1 = 6, t2 = 7, s0 = 8, s1 = 9
        case a0 = 10, a1 = 11, a2 = 12, a6 = 16, a7 = 17, s2 = 18, s3 = 19
    }

    private(set) var words: [UInt32] = []
    private var labels: [String: Int] = [:]
    private var fixups: [(index: Int, label: String, isBranch: Bool)] = []

    /// A program that `build` writes.
    init(_ build: (inout GuestAssembler) -> Void) {
        build(&self)
        for (index, label, isBranch) in fixups {
            guard let target = labels[label] else { preconditionFailure("no label '\(label)'") }
            let offset = UInt32(bitPattern: Int32((target - index) * 4))
            words[index] |= isBranch ? Self.branchOffset(offset) : Self.jumpOffset(offset)
        }
    }

    /// The program's bytes.
    var bytes: [UInt8] { words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } } }

    mutating func label(_ name: String) { labels[name] = words.count }
    mutating func word(_ value: UInt32) { words.append(value) }

    // MARK: Instructions

    mutating func addi(_ rd: Register, _ rs: Register, _ value: Int32) {
        word(UInt32(bitPattern: value) << 20 | rs.rawValue << 15 | rd.rawValue << 7 | 0x13)
    }

    mutating func slli(_ rd: Register, _ rs: Register, _ count: UInt32) {
        word(count << 20 | rs.rawValue << 15 | 1 << 12 | rd.rawValue << 7 | 0x13)
    }

    mutating func add(_ rd: Register, _ left: Register, _ right: Register) {
        word(right.rawValue << 20 | left.rawValue << 15 | rd.rawValue << 7 | 0x33)
    }

    /// Loads any 64-bit constant: 11 bits at a time.
    mutating func li(_ rd: Register, _ value: UInt64) {
        addi(rd, .zero, Int32(value >> 55))
        for step in 0..<5 {
            slli(rd, rd, 11)
            addi(rd, rd, Int32(value >> UInt64(44 - step * 11) & 0x7FF))
        }
    }

    mutating func load(_ rd: Register, _ rs: Register, width: UInt32 = 3) {
        word(rs.rawValue << 15 | width << 12 | rd.rawValue << 7 | 0x03)
    }

    /// Stores at the register's address; `width` is log2 of the bytes.
    mutating func store(_ value: Register, at rs: Register, width: UInt32 = 3) {
        word(value.rawValue << 20 | rs.rawValue << 15 | width << 12 | 0x23)
    }

    mutating func branchEqual(_ left: Register, _ right: Register, _ label: String) {
        fixups.append((words.count, label, true))
        word(right.rawValue << 20 | left.rawValue << 15 | 0x63)
    }

    mutating func branchNotEqual(_ left: Register, _ right: Register, _ label: String) {
        fixups.append((words.count, label, true))
        word(right.rawValue << 20 | left.rawValue << 15 | 1 << 12 | 0x63)
    }

    mutating func jump(_ label: String) {
        fixups.append((words.count, label, false))
        word(0x6F)
    }

    mutating func ecall() { word(0x73) }
    mutating func wfi() { word(0x1050_0073) }
    mutating func fence() { word(0x0FF0_000F) }

    mutating func readCSR(_ rd: Register, _ csr: UInt32) { word(csr << 20 | 2 << 12 | rd.rawValue << 7 | 0x73) }
    mutating func writeCSR(_ csr: UInt32, _ rs: Register) { word(csr << 20 | rs.rawValue << 15 | 1 << 12 | 0x73) }
    mutating func setCSR(_ csr: UInt32, _ rs: Register) { word(csr << 20 | rs.rawValue << 15 | 2 << 12 | 0x73) }
    mutating func clearCSR(_ csr: UInt32, _ rs: Register) { word(csr << 20 | rs.rawValue << 15 | 3 << 12 | 0x73) }

    /// `amoadd.d rd, value, (address)`, acquire and release.
    mutating func atomicAdd(_ rd: Register, _ value: Register, at address: Register) {
        word(3 << 25 | value.rawValue << 20 | address.rawValue << 15 | 3 << 12 | rd.rawValue << 7 | 0x2F)
    }

    // MARK: Idioms

    /// Calls the SBI; arguments are in a0, a1, a2.
    mutating func callSBI(_ number: UInt64, _ function: UInt64) {
        li(.a7, number)
        li(.a6, function)
        ecall()
    }

    /// Writes `value` to the test finisher and stays.
    mutating func finish(_ value: UInt64) {
        li(.t0, 0x10_0000)
        li(.t1, value)
        store(.t1, at: .t0, width: 2)
        let here = "finished\(words.count)"
        label(here)
        jump(here)
    }

    private static func branchOffset(_ offset: UInt32) -> UInt32 {
        (offset >> 12 & 1) << 31 | (offset >> 5 & 0x3F) << 25 | (offset >> 1 & 0xF) << 8 | (offset >> 11 & 1) << 7
    }

    private static func jumpOffset(_ offset: UInt32) -> UInt32 {
        (offset >> 20 & 1) << 31 | (offset >> 1 & 0x3FF) << 21 | (offset >> 11 & 1) << 20 | (offset >> 12 & 0xFF) << 12
    }
}

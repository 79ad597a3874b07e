// SPDX-License-Identifier: Apache-2.0

/// Bit tests, scans, counts and CRC32 (Intel SDM Vol 2A, 2B, 2C). On processors without TZCNT and LZCNT these decode as
/// BSF and BSR.
enum BitTests {
    static let rows: [InstructionRow] = [
        InstructionRow("bt", .two(0xa3), .init(.Ev, .Gv), .integer(.bt), .bitTest, access: .read),
        InstructionRow("bt", .two(0xba, 4), .init(.Ev, .Ib), .integer(.bt), .bitTest, access: .read),
        InstructionRow(
            "bts", .two(0xab), .init(.Ev, .Gv), .integer(.bts), .bitTest, access: .update, attributes: [.lock]),
        InstructionRow(
            "bts", .two(0xba, 5), .init(.Ev, .Ib), .integer(.bts), .bitTest, access: .update, attributes: [.lock]),
        InstructionRow(
            "btr", .two(0xb3), .init(.Ev, .Gv), .integer(.btr), .bitTest, access: .update, attributes: [.lock]),
        InstructionRow(
            "btr", .two(0xba, 6), .init(.Ev, .Ib), .integer(.btr), .bitTest, access: .update, attributes: [.lock]),
        InstructionRow(
            "btc", .two(0xbb), .init(.Ev, .Gv), .integer(.btc), .bitTest, access: .update, attributes: [.lock]),
        InstructionRow(
            "btc", .two(0xba, 7), .init(.Ev, .Ib), .integer(.btc), .bitTest, access: .update, attributes: [.lock]),
        InstructionRow("bsf", .two(0xbc), .init(.Gv, .Ev), .integer(.bsf), .scan, access: .update),
        InstructionRow("bsr", .two(0xbd), .init(.Gv, .Ev), .integer(.bsr), .scan, access: .update),
        InstructionRow("tzcnt", .two(0xbc, prefix: .f3), .init(.Gv, .Ev), .integer(.tzcnt), .count, feature: .bmi1),
        InstructionRow("lzcnt", .two(0xbd, prefix: .f3), .init(.Gv, .Ev), .integer(.lzcnt), .count, feature: .abm),
        InstructionRow(
            "popcnt", .two(0xb8, prefix: .f3), .init(.Gv, .Ev), .integer(.popcnt), .arithmetic, feature: .popcnt),
        InstructionRow("crc32", .map38(0xf0, .f2), .init(.Gy, .Eb), .integer(.crc32), access: .update, feature: .sse42),
        InstructionRow("crc32", .map38(0xf1, .f2), .init(.Gd, .Ev), .integer(.crc32), access: .update, feature: .sse42),
    ]
}

extension FlagEffects {
    static var bitTest: FlagEffects { FlagEffects(written: all & ~zf, undefined: all & ~(cf | zf)) }
    static var scan: FlagEffects { FlagEffects(written: all, undefined: all & ~zf) }
    static var count: FlagEffects { FlagEffects(written: all, undefined: all & ~(cf | zf)) }
}

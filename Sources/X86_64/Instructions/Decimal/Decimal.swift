// SPDX-License-Identifier: Apache-2.0

/// Decimal adjustments and BOUND, which 64-bit mode does not have (Intel SDM Vol 2A).
enum Decimal {
    static let rows: [InstructionRow] = [
        InstructionRow("aaa", .one(0x37), .init(), .integer(.aaa), .adjusted, access: .read, attributes: [.not64]),
        InstructionRow("aas", .one(0x3f), .init(), .integer(.aas), .adjusted, access: .read, attributes: [.not64]),
        InstructionRow("daa", .one(0x27), .init(), .integer(.daa), .decimal, access: .read, attributes: [.not64]),
        InstructionRow("das", .one(0x2f), .init(), .integer(.das), .decimal, access: .read, attributes: [.not64]),
        InstructionRow("aam", .one(0xd4), .init(.Ib), .integer(.aam), .scaled, access: .read, attributes: [.not64]),
        InstructionRow("aad", .one(0xd5), .init(.Ib), .integer(.aad), .scaled, access: .read, attributes: [.not64]),
        InstructionRow("bound", .one(0x62), .init(.Gv, .Ma), .integer(.bound), access: .read, attributes: [.not64]),
    ]
}

extension FlagEffects {
    static var adjusted: FlagEffects { FlagEffects(read: af, written: all, undefined: all & ~(af | cf)) }
    static var decimal: FlagEffects { FlagEffects(read: af | cf, written: all, undefined: of) }
    static var scaled: FlagEffects { FlagEffects(written: all, undefined: af | cf | of) }
}

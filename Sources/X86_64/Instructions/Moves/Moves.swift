// SPDX-License-Identifier: Apache-2.0

/// Moves, exchanges and extensions (Intel SDM Vol 2A, 2B).
enum Moves {
    static let rows: [InstructionRow] = [
        InstructionRow("mov", .one(0x88), .init(.Eb, .Gb), .integer(.mov)),
        InstructionRow("mov", .one(0x89), .init(.Ev, .Gv), .integer(.mov)),
        InstructionRow("mov", .one(0x8a), .init(.Gb, .Eb), .integer(.mov)),
        InstructionRow("mov", .one(0x8b), .init(.Gv, .Ev), .integer(.mov)),
        InstructionRow("mov", .one(0xc6, 0), .init(.Eb, .Ib), .integer(.mov)),
        InstructionRow("mov", .one(0xc7, 0), .init(.Ev, .Iz), .integer(.mov)),
        InstructionRow("mov", .plus(0xb0), .init(.Zb, .Ib), .integer(.mov)),
        InstructionRow("mov", .plus(0xb8), .init(.Zv, .Iv), .integer(.movImmediate)),
        InstructionRow("mov", .one(0xa0), .init(.AL, .Ob), .integer(.movFromOffset)),
        InstructionRow("mov", .one(0xa1), .init(.rAX, .Ov), .integer(.movFromOffset)),
        InstructionRow("mov", .one(0xa2), .init(.Ob, .AL), .integer(.movToOffset)),
        InstructionRow("mov", .one(0xa3), .init(.Ov, .rAX), .integer(.movToOffset)),
        InstructionRow("lea", .one(0x8d), .init(.Gv, .M), .integer(.lea), access: .write),

        InstructionRow("xchg", .one(0x86), .init(.Eb, .Gb), .integer(.xchg), access: .exchange, attributes: [.lock]),
        InstructionRow("xchg", .one(0x87), .init(.Ev, .Gv), .integer(.xchg), access: .exchange, attributes: [.lock]),
        InstructionRow("xchg", .plus(0x90), .init(.Zv, .rAX), .integer(.xchg), access: .exchange),
        InstructionRow(
            "xadd", .two(0xc0), .init(.Eb, .Gb), .integer(.xadd), .arithmetic, access: .exchange, attributes: [.lock]),
        InstructionRow(
            "xadd", .two(0xc1), .init(.Ev, .Gv), .integer(.xadd), .arithmetic, access: .exchange, attributes: [.lock]),
        InstructionRow(
            "cmpxchg", .two(0xb0), .init(.Eb, .Gb), .integer(.cmpxchg), .arithmetic, access: .update,
            attributes: [.lock]),
        InstructionRow(
            "cmpxchg", .two(0xb1), .init(.Ev, .Gv), .integer(.cmpxchg), .arithmetic, access: .update,
            attributes: [.lock]),
        InstructionRow(
            "cmpxchg8b", .two(0xc7, 1, w: .w0), .init(.Mq), .integer(.cmpxchgPair), .writes(FlagEffects.zf),
            access: .update, feature: .cx8, attributes: [.lock]),
        InstructionRow(
            "cmpxchg16b", .two(0xc7, 1, w: .w1), .init(.Mdq), .integer(.cmpxchgPair), .writes(FlagEffects.zf),
            access: .update, feature: .cx16, attributes: [.lock, .only64]),

        InstructionRow("movzx", .two(0xb6), .init(.Gv, .Eb), .integer(.movzxByte)),
        InstructionRow("movzx", .two(0xb7), .init(.Gv, .Ew), .integer(.movzxWord)),
        InstructionRow("movsx", .two(0xbe), .init(.Gv, .Eb), .integer(.movsxByte)),
        InstructionRow("movsx", .two(0xbf), .init(.Gv, .Ew), .integer(.movsxWord)),
        InstructionRow("movsxd", .one(0x63), .init(.Gv, .Ed), .integer(.movsxDouble), attributes: [.only64]),
        InstructionRow(
            "bswap", Encoding(.twoByte, 0xc8, hasRegister: true), .init(.Zv), .integer(.bswap), access: .update),
        InstructionRow("movbe", .map38(0xf0, .noRepeat), .init(.Gv, .Mv), .integer(.movbe), feature: .movbe),
        InstructionRow("movbe", .map38(0xf1, .noRepeat), .init(.Mv, .Gv), .integer(.movbe), feature: .movbe),
        InstructionRow("movnti", .two(0xc3, prefix: .np), .init(.My, .Gy), .integer(.mov), feature: .sse2),
        InstructionRow("xlatb", .one(0xd7), .init(), .integer(.xlat)),
    ]
}

// SPDX-License-Identifier: Apache-2.0

/// Moves and bytes by condition (Intel SDM Vol 2A "CMOVcc", Vol 2B "SETcc").
enum Conditionals {
    static let rows: [InstructionRow] = [
        InstructionRow("seto", .two(0x90), .init(.Eb), .integer(.setcc), .reads(FlagEffects.of)),
        InstructionRow("setno", .two(0x91), .init(.Eb), .integer(.setcc), .reads(FlagEffects.of)),
        InstructionRow("setb", .two(0x92), .init(.Eb), .integer(.setcc), .reads(FlagEffects.cf)),
        InstructionRow("setae", .two(0x93), .init(.Eb), .integer(.setcc), .reads(FlagEffects.cf)),
        InstructionRow("sete", .two(0x94), .init(.Eb), .integer(.setcc), .reads(FlagEffects.zf)),
        InstructionRow("setne", .two(0x95), .init(.Eb), .integer(.setcc), .reads(FlagEffects.zf)),
        InstructionRow("setbe", .two(0x96), .init(.Eb), .integer(.setcc), .reads(FlagEffects.cf | FlagEffects.zf)),
        InstructionRow("seta", .two(0x97), .init(.Eb), .integer(.setcc), .reads(FlagEffects.cf | FlagEffects.zf)),
        InstructionRow("sets", .two(0x98), .init(.Eb), .integer(.setcc), .reads(FlagEffects.sf)),
        InstructionRow("setns", .two(0x99), .init(.Eb), .integer(.setcc), .reads(FlagEffects.sf)),
        InstructionRow("setp", .two(0x9a), .init(.Eb), .integer(.setcc), .reads(FlagEffects.pf)),
        InstructionRow("setnp", .two(0x9b), .init(.Eb), .integer(.setcc), .reads(FlagEffects.pf)),
        InstructionRow("setl", .two(0x9c), .init(.Eb), .integer(.setcc), .reads(FlagEffects.sf | FlagEffects.of)),
        InstructionRow("setge", .two(0x9d), .init(.Eb), .integer(.setcc), .reads(FlagEffects.sf | FlagEffects.of)),
        InstructionRow(
            "setle", .two(0x9e), .init(.Eb), .integer(.setcc), .reads(FlagEffects.sf | FlagEffects.of | FlagEffects.zf)),
        InstructionRow(
            "setg", .two(0x9f), .init(.Eb), .integer(.setcc), .reads(FlagEffects.sf | FlagEffects.of | FlagEffects.zf)),
        InstructionRow(
            "cmovo", .two(0x40), .init(.Gv, .Ev), .integer(.cmovcc), .reads(FlagEffects.of), access: .update,
            feature: .cmov),
        InstructionRow(
            "cmovno", .two(0x41), .init(.Gv, .Ev), .integer(.cmovcc), .reads(FlagEffects.of), access: .update,
            feature: .cmov),
        InstructionRow(
            "cmovb", .two(0x42), .init(.Gv, .Ev), .integer(.cmovcc), .reads(FlagEffects.cf), access: .update,
            feature: .cmov),
        InstructionRow(
            "cmovae", .two(0x43), .init(.Gv, .Ev), .integer(.cmovcc), .reads(FlagEffects.cf), access: .update,
            feature: .cmov),
        InstructionRow(
            "cmove", .two(0x44), .init(.Gv, .Ev), .integer(.cmovcc), .reads(FlagEffects.zf), access: .update,
            feature: .cmov),
        InstructionRow(
            "cmovne", .two(0x45), .init(.Gv, .Ev), .integer(.cmovcc), .reads(FlagEffects.zf), access: .update,
            feature: .cmov),
        InstructionRow(
            "cmovbe", .two(0x46), .init(.Gv, .Ev), .integer(.cmovcc), .reads(FlagEffects.cf | FlagEffects.zf),
            access: .update, feature: .cmov),
        InstructionRow(
            "cmova", .two(0x47), .init(.Gv, .Ev), .integer(.cmovcc), .reads(FlagEffects.cf | FlagEffects.zf),
            access: .update, feature: .cmov),
        InstructionRow(
            "cmovs", .two(0x48), .init(.Gv, .Ev), .integer(.cmovcc), .reads(FlagEffects.sf), access: .update,
            feature: .cmov),
        InstructionRow(
            "cmovns", .two(0x49), .init(.Gv, .Ev), .integer(.cmovcc), .reads(FlagEffects.sf), access: .update,
            feature: .cmov),
        InstructionRow(
            "cmovp", .two(0x4a), .init(.Gv, .Ev), .integer(.cmovcc), .reads(FlagEffects.pf), access: .update,
            feature: .cmov),
        InstructionRow(
            "cmovnp", .two(0x4b), .init(.Gv, .Ev), .integer(.cmovcc), .reads(FlagEffects.pf), access: .update,
            feature: .cmov),
        InstructionRow(
            "cmovl", .two(0x4c), .init(.Gv, .Ev), .integer(.cmovcc), .reads(FlagEffects.sf | FlagEffects.of),
            access: .update, feature: .cmov),
        InstructionRow(
            "cmovge", .two(0x4d), .init(.Gv, .Ev), .integer(.cmovcc), .reads(FlagEffects.sf | FlagEffects.of),
            access: .update, feature: .cmov),
        InstructionRow(
            "cmovle", .two(0x4e), .init(.Gv, .Ev), .integer(.cmovcc),
            .reads(FlagEffects.sf | FlagEffects.of | FlagEffects.zf), access: .update, feature: .cmov),
        InstructionRow(
            "cmovg", .two(0x4f), .init(.Gv, .Ev), .integer(.cmovcc),
            .reads(FlagEffects.sf | FlagEffects.of | FlagEffects.zf), access: .update, feature: .cmov),
    ]
}

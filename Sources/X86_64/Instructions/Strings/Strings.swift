// SPDX-License-Identifier: Apache-2.0

/// String instructions (Intel SDM Vol 2A, 2B). `ins` and `outs` are in Ports.
enum Strings {
    static let rows: [InstructionRow] = [
        InstructionRow(
            "movsb", .one(0xa4), .init(.Yb, .Xb), .integer(.movs), .reads(FlagEffects.df), access: .write,
            attributes: [.repeats]),
        InstructionRow(
            "movsw|movsd|movsq", .one(0xa5), .init(.Yv, .Xv), .integer(.movs), .reads(FlagEffects.df), access: .write,
            attributes: [.repeats]),
        InstructionRow(
            "cmpsb", .one(0xa6), .init(.Xb, .Yb), .integer(.cmps), .comparison, access: .read, attributes: [.repeats]),
        InstructionRow(
            "cmpsw|cmpsd|cmpsq", .one(0xa7), .init(.Xv, .Yv), .integer(.cmps), .comparison, access: .read,
            attributes: [.repeats]),
        InstructionRow(
            "stosb", .one(0xaa), .init(.Yb), .integer(.stos), .reads(FlagEffects.df), access: .write,
            attributes: [.repeats]),
        InstructionRow(
            "stosw|stosd|stosq", .one(0xab), .init(.Yv), .integer(.stos), .reads(FlagEffects.df), access: .write,
            attributes: [.repeats]),
        InstructionRow(
            "lodsb", .one(0xac), .init(.Xb), .integer(.lods), .reads(FlagEffects.df), access: .read,
            attributes: [.repeats]),
        InstructionRow(
            "lodsw|lodsd|lodsq", .one(0xad), .init(.Xv), .integer(.lods), .reads(FlagEffects.df), access: .read,
            attributes: [.repeats]),
        InstructionRow(
            "scasb", .one(0xae), .init(.Yb), .integer(.scas), .comparison, access: .read, attributes: [.repeats]),
        InstructionRow(
            "scasw|scasd|scasq", .one(0xaf), .init(.Yv), .integer(.scas), .comparison, access: .read,
            attributes: [.repeats]),
    ]
}

extension FlagEffects {
    static var comparison: FlagEffects { FlagEffects(read: df, written: all) }
}

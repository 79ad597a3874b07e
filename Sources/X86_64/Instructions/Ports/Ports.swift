// SPDX-License-Identifier: Apache-2.0

/// Port input and output (Intel SDM Vol 2A, 2B).
enum Ports {
    static let rows: [InstructionRow] = [
        InstructionRow("in", .one(0xe4), .init(.AL, .Ib), .system(.in)),
        InstructionRow("in", .one(0xe5), .init(.eAX, .Ib), .system(.in)),
        InstructionRow("in", .one(0xec), .init(.AL, .DX), .system(.in)),
        InstructionRow("in", .one(0xed), .init(.eAX, .DX), .system(.in)),
        InstructionRow("out", .one(0xe6), .init(.Ib, .AL), .system(.out), access: .read),
        InstructionRow("out", .one(0xe7), .init(.Ib, .eAX), .system(.out), access: .read),
        InstructionRow("out", .one(0xee), .init(.DX, .AL), .system(.out), access: .read),
        InstructionRow("out", .one(0xef), .init(.DX, .eAX), .system(.out), access: .read),
        InstructionRow(
            "insb", .one(0x6c), .init(.Yb, .DX), .system(.ins), .reads(FlagEffects.df), attributes: [.repeats]),
        InstructionRow(
            "insw|insd|insd", .one(0x6d), .init(.Yz, .DX), .system(.ins), .reads(FlagEffects.df), attributes: [.repeats]
        ),
        InstructionRow(
            "outsb", .one(0x6e), .init(.DX, .Xb), .system(.outs), .reads(FlagEffects.df), access: .read,
            attributes: [.repeats]),
        InstructionRow(
            "outsw|outsd|outsd", .one(0x6f), .init(.DX, .Xz), .system(.outs), .reads(FlagEffects.df), access: .read,
            attributes: [.repeats]),
    ]
}

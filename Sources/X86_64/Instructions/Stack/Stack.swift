// SPDX-License-Identifier: Apache-2.0

/// The stack (Intel SDM Vol 2A, 2B). Segment registers are in SegmentInstructions.
enum Stack {
    static let rows: [InstructionRow] = [
        InstructionRow("push", .plus(0x50), .init(.Zv), .integer(.push), access: .read, attributes: [.default64]),
        InstructionRow("push", .one(0xff, 6), .init(.Ev), .integer(.push), access: .read, attributes: [.default64]),
        InstructionRow(
            "push", .one(0x68), .init(.Iz), .integer(.pushImmediate), access: .read, attributes: [.default64]),
        InstructionRow(
            "push", .one(0x6a), .init(.Ibs), .integer(.pushImmediate), access: .read, attributes: [.default64]),
        InstructionRow("pop", .plus(0x58), .init(.Zv), .integer(.pop), attributes: [.default64]),
        InstructionRow("pop", .one(0x8f, 0), .init(.Ev), .integer(.pop), attributes: [.default64]),
        InstructionRow("pusha|pushad|", .one(0x60), .init(), .integer(.pusha), access: .read, attributes: [.not64]),
        InstructionRow("popa|popad|", .one(0x61), .init(), .integer(.popa), access: .read, attributes: [.not64]),
        InstructionRow(
            "pushf|pushfd|pushfq", .one(0x9c), .init(), .integer(.pushf), .reads(FlagEffects.all | FlagEffects.df),
            access: .read, attributes: [.default64]),
        InstructionRow(
            "popf|popfd|popfq", .one(0x9d), .init(), .integer(.popf), .writes(FlagEffects.all | FlagEffects.df),
            access: .read, attributes: [.default64]),
        InstructionRow("enter", .one(0xc8), .init(.Iw, .Ib), .integer(.enter), access: .read, attributes: [.default64]),
        InstructionRow("leave", .one(0xc9), .init(), .integer(.leave), access: .read, attributes: [.default64]),
    ]
}

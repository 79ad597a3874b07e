// SPDX-License-Identifier: Apache-2.0

/// Descriptor tables and what asks descriptors (Intel SDM Vol 2A, 2B).
enum DescriptorTables {
    static let rows: [InstructionRow] = [
        InstructionRow("sgdt", .two(0x01, 0), .init(.Ms), .system(.sgdt)),
        InstructionRow("sidt", .two(0x01, 1), .init(.Ms), .system(.sidt)),
        InstructionRow("lgdt", .two(0x01, 2), .init(.Ms), .system(.lgdt), access: .read),
        InstructionRow("lidt", .two(0x01, 3), .init(.Ms), .system(.lidt), access: .read),
        InstructionRow("sldt", .two(0x00, 0), .init(.Mw_Rv), .system(.sldt), attributes: [.protected]),
        InstructionRow("str", .two(0x00, 1), .init(.Mw_Rv), .system(.str), attributes: [.protected]),
        InstructionRow("lldt", .two(0x00, 2), .init(.Ew), .system(.lldt), access: .read, attributes: [.protected]),
        InstructionRow("ltr", .two(0x00, 3), .init(.Ew), .system(.ltr), access: .read, attributes: [.protected]),
        InstructionRow(
            "verr", .two(0x00, 4), .init(.Ew), .system(.verr), .writes(FlagEffects.zf), access: .read,
            attributes: [.protected]),
        InstructionRow(
            "verw", .two(0x00, 5), .init(.Ew), .system(.verw), .writes(FlagEffects.zf), access: .read,
            attributes: [.protected]),
        InstructionRow(
            "lar", .two(0x02), .init(.Gv, .Ew), .system(.lar), .writes(FlagEffects.zf), attributes: [.protected]),
        InstructionRow(
            "lsl", .two(0x03), .init(.Gv, .Ew), .system(.lsl), .writes(FlagEffects.zf), attributes: [.protected]),
        InstructionRow(
            "arpl", .one(0x63), .init(.Ew, .Gw), .system(.arpl), .writes(FlagEffects.zf), access: .update,
            attributes: [.not64, .protected]),
    ]
}

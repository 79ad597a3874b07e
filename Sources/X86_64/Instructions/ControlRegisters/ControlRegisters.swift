// SPDX-License-Identifier: Apache-2.0

/// Control and debug registers, interrupt flag, caches, halting (Intel SDM Vol 2A, 2B; AMD APM Vol 3 "VMMCALL").
enum ControlRegisters {
    static let rows: [InstructionRow] = [
        InstructionRow("mov", .two(0x20), .init(.Ry, .Cy), .system(.movFromControl), attributes: [.force64]),
        InstructionRow("mov", .two(0x22), .init(.Cy, .Ry), .system(.movToControl), attributes: [.force64]),
        InstructionRow("mov", .two(0x21), .init(.Ry, .Dy), .system(.movFromDebug), attributes: [.force64]),
        InstructionRow("mov", .two(0x23), .init(.Dy, .Ry), .system(.movToDebug), attributes: [.force64]),
        InstructionRow("smsw", .two(0x01, 4), .init(.Mw_Rv), .system(.smsw)),
        InstructionRow("lmsw", .two(0x01, 6), .init(.Ew), .system(.lmsw), access: .read),
        InstructionRow("clts", .two(0x06), .init(), .system(.clts), access: .read),
        InstructionRow("cli", .one(0xfa), .init(), .system(.cli), access: .read),
        InstructionRow("sti", .one(0xfb), .init(), .system(.sti), access: .read),
        InstructionRow("clac", .exact(0x01, 1, 2), .init(), .system(.clac), access: .read, feature: .smap),
        InstructionRow("stac", .exact(0x01, 1, 3), .init(), .system(.stac), access: .read, feature: .smap),
        InstructionRow("invlpg", .two(0x01, 7), .init(.M), .system(.invlpg), access: .address),
        InstructionRow(
            "invpcid", .map38(0x82, .p66), .init(.Gy, .Mdq), .system(.invpcid), access: .read, feature: .invpcid),
        InstructionRow("invd", .two(0x08), .init(), .system(.invd), access: .read),
        InstructionRow("wbinvd", .two(0x09), .init(), .system(.wbinvd), access: .read),
        InstructionRow("hlt", .one(0xf4), .init(), .system(.hlt), access: .read),
        InstructionRow("monitor", .exact(0x01, 1, 0), .init(), .system(.monitor), access: .read, feature: .monitor),
        InstructionRow("mwait", .exact(0x01, 1, 1), .init(), .system(.mwait), access: .read, feature: .monitor),
        InstructionRow(
            "serialize", .exact(0x01, 5, 0, prefix: .np), .init(), .system(.serialize), access: .read,
            feature: .serialize),
        InstructionRow("vmcall", .exact(0x01, 0, 1, prefix: .np), .init(), .system(.vmcall), access: .read),
        InstructionRow("vmmcall", .exact(0x01, 3, 1, prefix: .np), .init(), .system(.vmcall), access: .read),
    ]
}

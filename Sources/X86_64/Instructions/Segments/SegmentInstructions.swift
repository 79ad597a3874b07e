// SPDX-License-Identifier: Apache-2.0

/// Segment registers and their bases (Intel SDM Vol 2A, 2B).
enum SegmentInstructions {
    static let rows: [InstructionRow] = [
        InstructionRow("mov", .one(0x8c), .init(.Mw_Rv, .Sw), .system(.movFromSegment)),
        InstructionRow("mov", .one(0x8e), .init(.Sw, .Ew), .system(.movToSegment)),
        InstructionRow("push", .one(0x06), .init(.ES), .system(.pushSegment), access: .read, attributes: [.not64]),
        InstructionRow("pop", .one(0x07), .init(.ES), .system(.popSegment), attributes: [.not64]),
        InstructionRow("push", .one(0x0e), .init(.CS), .system(.pushSegment), access: .read, attributes: [.not64]),
        InstructionRow("push", .one(0x16), .init(.SS), .system(.pushSegment), access: .read, attributes: [.not64]),
        InstructionRow("pop", .one(0x17), .init(.SS), .system(.popSegment), attributes: [.not64]),
        InstructionRow("push", .one(0x1e), .init(.DS), .system(.pushSegment), access: .read, attributes: [.not64]),
        InstructionRow("pop", .one(0x1f), .init(.DS), .system(.popSegment), attributes: [.not64]),
        InstructionRow("push", .two(0xa0), .init(.FS), .system(.pushSegment), access: .read, attributes: [.default64]),
        InstructionRow("pop", .two(0xa1), .init(.FS), .system(.popSegment), attributes: [.default64]),
        InstructionRow("push", .two(0xa8), .init(.GS), .system(.pushSegment), access: .read, attributes: [.default64]),
        InstructionRow("pop", .two(0xa9), .init(.GS), .system(.popSegment), attributes: [.default64]),
        InstructionRow("les", .one(0xc4), .init(.Gv, .Mp), .system(.loadFarPointer), attributes: [.not64]),
        InstructionRow("lds", .one(0xc5), .init(.Gv, .Mp), .system(.loadFarPointer), attributes: [.not64]),
        InstructionRow("lss", .two(0xb2), .init(.Gv, .Mp), .system(.loadFarPointer)),
        InstructionRow("lfs", .two(0xb4), .init(.Gv, .Mp), .system(.loadFarPointer)),
        InstructionRow("lgs", .two(0xb5), .init(.Gv, .Mp), .system(.loadFarPointer)),
        InstructionRow(
            "rdfsbase", Encoding(.twoByte, 0xae, prefix: .f3, digit: 0, registerForm: true), .init(.Ry),
            .system(.rdfsbase), feature: .fsgsbase, attributes: [.only64]),
        InstructionRow(
            "rdgsbase", Encoding(.twoByte, 0xae, prefix: .f3, digit: 1, registerForm: true), .init(.Ry),
            .system(.rdgsbase), feature: .fsgsbase, attributes: [.only64]),
        InstructionRow(
            "wrfsbase", Encoding(.twoByte, 0xae, prefix: .f3, digit: 2, registerForm: true), .init(.Ry),
            .system(.wrfsbase), access: .read, feature: .fsgsbase, attributes: [.only64]),
        InstructionRow(
            "wrgsbase", Encoding(.twoByte, 0xae, prefix: .f3, digit: 3, registerForm: true), .init(.Ry),
            .system(.wrgsbase), access: .read, feature: .fsgsbase, attributes: [.only64]),
        InstructionRow("swapgs", .exact(0x01, 7, 0), .init(), .system(.swapgs), access: .read, attributes: [.only64]),
    ]
}

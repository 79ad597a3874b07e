// SPDX-License-Identifier: Apache-2.0

/// Hints, fences and cache lines (Intel SDM Vol 2A, 2B; AMD APM Vol 3 "PREFETCH"). ENDBR and RDSSP are hints where
/// control-flow enforcement is not offered, as the whole of 0F 18 to 0F 1F is.
enum Hints {
    static let rows: [InstructionRow] = [
        InstructionRow("nop", .one(0x90), .init(), .integer(.nop), access: .read),
        InstructionRow("pause", Encoding(.one, 0x90, prefix: .f3), .init(), .integer(.pause), access: .read),
        InstructionRow("prefetch", .two(0x0d), .init(.Mb), .integer(.nop), access: .address),
        InstructionRow("prefetchnta", .two(0x18, 0), .init(.Ev), .integer(.nop), access: .address),
        InstructionRow("prefetcht0", .two(0x18, 1), .init(.Ev), .integer(.nop), access: .address),
        InstructionRow("prefetcht1", .two(0x18, 2), .init(.Ev), .integer(.nop), access: .address),
        InstructionRow("prefetcht2", .two(0x18, 3), .init(.Ev), .integer(.nop), access: .address),
        InstructionRow("nop", .two(0x18, 4), .init(.Ev), .integer(.nop), access: .address),
        InstructionRow("nop", .two(0x18, 5), .init(.Ev), .integer(.nop), access: .address),
        InstructionRow("nop", .two(0x18, 6), .init(.Ev), .integer(.nop), access: .address),
        InstructionRow("nop", .two(0x18, 7), .init(.Ev), .integer(.nop), access: .address),
        InstructionRow("nop", .two(0x19), .init(.Ev), .integer(.nop), access: .address),
        InstructionRow("nop", .two(0x1a), .init(.Ev), .integer(.nop), access: .address),
        InstructionRow("nop", .two(0x1b), .init(.Ev), .integer(.nop), access: .address),
        InstructionRow("nop", .two(0x1c), .init(.Ev), .integer(.nop), access: .address),
        InstructionRow("nop", .two(0x1d), .init(.Ev), .integer(.nop), access: .address),
        InstructionRow("nop", .two(0x1e), .init(.Ev), .integer(.nop), access: .address),
        InstructionRow("nop", .two(0x1f), .init(.Ev), .integer(.nop), access: .address),
        InstructionRow(
            "lfence", Encoding(.twoByte, 0xae, prefix: .np, digit: 5, registerForm: true), .init(), .integer(.fence),
            access: .read, feature: .sse2),
        InstructionRow(
            "mfence", Encoding(.twoByte, 0xae, prefix: .np, digit: 6, registerForm: true), .init(), .integer(.fence),
            access: .read, feature: .sse2),
        InstructionRow(
            "sfence", Encoding(.twoByte, 0xae, prefix: .np, digit: 7, registerForm: true), .init(), .integer(.fence),
            access: .read, feature: .sse),
        InstructionRow(
            "clflush", .two(0xae, 7, prefix: .np), .init(.Mb), .integer(.cacheLine), access: .read, feature: .clfsh),
        InstructionRow(
            "clflushopt", .two(0xae, 7, prefix: .p66), .init(.Mb), .integer(.cacheLine), access: .read,
            feature: .clflushopt),
        InstructionRow(
            "clwb", .two(0xae, 6, prefix: .p66), .init(.Mb), .integer(.cacheLine), access: .read, feature: .clwb),
    ]
}

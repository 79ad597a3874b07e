// SPDX-License-Identifier: Apache-2.0

/// Model-specific and extended registers, time, identification (Intel SDM Vol 2A, 2B).
enum ModelSpecific {
    static let rows: [InstructionRow] = [
        InstructionRow("rdmsr", .two(0x32), .init(), .system(.rdmsr), access: .read, feature: .msr),
        InstructionRow("wrmsr", .two(0x30), .init(), .system(.wrmsr), access: .read, feature: .msr),
        InstructionRow("rdtsc", .two(0x31), .init(), .system(.rdtsc), access: .read, feature: .tsc),
        InstructionRow("rdpmc", .two(0x33), .init(), .system(.rdpmc), access: .read),
        InstructionRow("rdtscp", .exact(0x01, 7, 1), .init(), .system(.rdtscp), access: .read, feature: .rdtscp),
        InstructionRow("cpuid", .two(0xa2), .init(), .system(.cpuid), access: .read),
        InstructionRow(
            "rdpid", Encoding(.twoByte, 0xc7, prefix: .f3, digit: 7, registerForm: true), .init(.Ry), .system(.rdpid),
            feature: .rdpid),
        InstructionRow(
            "xgetbv", .exact(0x01, 2, 0, prefix: .np), .init(), .system(.xgetbv), access: .read, feature: .xsave),
        InstructionRow(
            "xsetbv", .exact(0x01, 2, 1, prefix: .np), .init(), .system(.xsetbv), access: .read, feature: .xsave),
        InstructionRow(
            "rdpkru", .exact(0x01, 5, 6, prefix: .np), .init(), .system(.rdpkru), access: .read, feature: .pku),
        InstructionRow(
            "wrpkru", .exact(0x01, 5, 7, prefix: .np), .init(), .system(.wrpkru), access: .read, feature: .pku),
    ]
}

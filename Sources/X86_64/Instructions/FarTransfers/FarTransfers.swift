// SPDX-License-Identifier: Apache-2.0

/// Far jumps, calls and returns, interrupts, system calls (Intel SDM Vol 2A, 2B).
enum FarTransfers {
    static let rows: [InstructionRow] = [
        InstructionRow(
            "jmp", .one(0xea), .init(.Ap), .system(.farJump), access: .read, attributes: [.not64, .branches, .ends]),
        InstructionRow(
            "call", .one(0x9a), .init(.Ap), .system(.farCall), access: .read, attributes: [.not64, .branches, .ends]),
        InstructionRow(
            "jmp", .one(0xff, 5), .init(.Mp), .system(.farJumpIndirect), access: .read, attributes: [.branches, .ends]),
        InstructionRow(
            "call", .one(0xff, 3), .init(.Mp), .system(.farCallIndirect), access: .read, attributes: [.branches, .ends]),
        InstructionRow(
            "retf", .one(0xcb), .init(), .system(.farReturn), access: .read, attributes: [.branches, .ends]),
        InstructionRow(
            "retf", .one(0xca), .init(.Iw), .system(.farReturn), access: .read, attributes: [.branches, .ends]),
        InstructionRow(
            "iret|iretd|iretq", .one(0xcf), .init(), .system(.interruptReturn),
            .writes(FlagEffects.all | FlagEffects.df), access: .read, attributes: [.branches, .ends]),
        InstructionRow(
            "int3", .one(0xcc), .init(), .system(.interrupt3), access: .read, attributes: [.branches, .ends]),
        InstructionRow(
            "int", .one(0xcd), .init(.Ib), .system(.interrupt), access: .read, attributes: [.branches, .ends]),
        InstructionRow(
            "into", .one(0xce), .init(), .system(.into), .reads(FlagEffects.of), access: .read,
            attributes: [.not64, .branches]),
        InstructionRow(
            "int1", .one(0xf1), .init(), .system(.interrupt1), access: .read, attributes: [.branches, .ends]),
        InstructionRow(
            "syscall", .two(0x05), .init(), .system(.syscall), access: .read, feature: .syscall,
            attributes: [.branches, .ends]),
        InstructionRow(
            "sysret", .two(0x07), .init(), .system(.sysret), access: .read, feature: .syscall,
            attributes: [.branches, .ends]),
        InstructionRow(
            "sysenter", .two(0x34), .init(), .system(.sysenter), access: .read, feature: .sep,
            attributes: [.branches, .ends]),
        InstructionRow(
            "sysexit", .two(0x35), .init(), .system(.sysexit), access: .read, feature: .sep,
            attributes: [.branches, .ends]),
        InstructionRow("rsm", .two(0xaa), .init(), .system(.rsm), access: .read, attributes: [.branches, .ends]),
    ]
}

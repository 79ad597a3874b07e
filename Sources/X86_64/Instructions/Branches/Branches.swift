// SPDX-License-Identifier: Apache-2.0

/// Near jumps, calls and returns (Intel SDM Vol 2A, 2B). Far ones are in FarTransfers.
enum Branches {
    static let rows: [InstructionRow] = [
        InstructionRow(
            "jo", .one(0x70), .init(.Jb), .integer(.jcc), .reads(FlagEffects.of), access: .read,
            attributes: [.force64, .branches]),
        InstructionRow(
            "jno", .one(0x71), .init(.Jb), .integer(.jcc), .reads(FlagEffects.of), access: .read,
            attributes: [.force64, .branches]),
        InstructionRow(
            "jb", .one(0x72), .init(.Jb), .integer(.jcc), .reads(FlagEffects.cf), access: .read,
            attributes: [.force64, .branches]),
        InstructionRow(
            "jae", .one(0x73), .init(.Jb), .integer(.jcc), .reads(FlagEffects.cf), access: .read,
            attributes: [.force64, .branches]),
        InstructionRow(
            "je", .one(0x74), .init(.Jb), .integer(.jcc), .reads(FlagEffects.zf), access: .read,
            attributes: [.force64, .branches]),
        InstructionRow(
            "jne", .one(0x75), .init(.Jb), .integer(.jcc), .reads(FlagEffects.zf), access: .read,
            attributes: [.force64, .branches]),
        InstructionRow(
            "jbe", .one(0x76), .init(.Jb), .integer(.jcc), .reads(FlagEffects.cf | FlagEffects.zf), access: .read,
            attributes: [.force64, .branches]),
        InstructionRow(
            "ja", .one(0x77), .init(.Jb), .integer(.jcc), .reads(FlagEffects.cf | FlagEffects.zf), access: .read,
            attributes: [.force64, .branches]),
        InstructionRow(
            "js", .one(0x78), .init(.Jb), .integer(.jcc), .reads(FlagEffects.sf), access: .read,
            attributes: [.force64, .branches]),
        InstructionRow(
            "jns", .one(0x79), .init(.Jb), .integer(.jcc), .reads(FlagEffects.sf), access: .read,
            attributes: [.force64, .branches]),
        InstructionRow(
            "jp", .one(0x7a), .init(.Jb), .integer(.jcc), .reads(FlagEffects.pf), access: .read,
            attributes: [.force64, .branches]),
        InstructionRow(
            "jnp", .one(0x7b), .init(.Jb), .integer(.jcc), .reads(FlagEffects.pf), access: .read,
            attributes: [.force64, .branches]),
        InstructionRow(
            "jl", .one(0x7c), .init(.Jb), .integer(.jcc), .reads(FlagEffects.sf | FlagEffects.of), access: .read,
            attributes: [.force64, .branches]),
        InstructionRow(
            "jge", .one(0x7d), .init(.Jb), .integer(.jcc), .reads(FlagEffects.sf | FlagEffects.of), access: .read,
            attributes: [.force64, .branches]),
        InstructionRow(
            "jle", .one(0x7e), .init(.Jb), .integer(.jcc), .reads(FlagEffects.sf | FlagEffects.of | FlagEffects.zf),
            access: .read, attributes: [.force64, .branches]),
        InstructionRow(
            "jg", .one(0x7f), .init(.Jb), .integer(.jcc), .reads(FlagEffects.sf | FlagEffects.of | FlagEffects.zf),
            access: .read, attributes: [.force64, .branches]),
        InstructionRow(
            "jo", .two(0x80), .init(.Jz), .integer(.jcc), .reads(FlagEffects.of), access: .read,
            attributes: [.force64, .branches]),
        InstructionRow(
            "jno", .two(0x81), .init(.Jz), .integer(.jcc), .reads(FlagEffects.of), access: .read,
            attributes: [.force64, .branches]),
        InstructionRow(
            "jb", .two(0x82), .init(.Jz), .integer(.jcc), .reads(FlagEffects.cf), access: .read,
            attributes: [.force64, .branches]),
        InstructionRow(
            "jae", .two(0x83), .init(.Jz), .integer(.jcc), .reads(FlagEffects.cf), access: .read,
            attributes: [.force64, .branches]),
        InstructionRow(
            "je", .two(0x84), .init(.Jz), .integer(.jcc), .reads(FlagEffects.zf), access: .read,
            attributes: [.force64, .branches]),
        InstructionRow(
            "jne", .two(0x85), .init(.Jz), .integer(.jcc), .reads(FlagEffects.zf), access: .read,
            attributes: [.force64, .branches]),
        InstructionRow(
            "jbe", .two(0x86), .init(.Jz), .integer(.jcc), .reads(FlagEffects.cf | FlagEffects.zf), access: .read,
            attributes: [.force64, .branches]),
        InstructionRow(
            "ja", .two(0x87), .init(.Jz), .integer(.jcc), .reads(FlagEffects.cf | FlagEffects.zf), access: .read,
            attributes: [.force64, .branches]),
        InstructionRow(
            "js", .two(0x88), .init(.Jz), .integer(.jcc), .reads(FlagEffects.sf), access: .read,
            attributes: [.force64, .branches]),
        InstructionRow(
            "jns", .two(0x89), .init(.Jz), .integer(.jcc), .reads(FlagEffects.sf), access: .read,
            attributes: [.force64, .branches]),
        InstructionRow(
            "jp", .two(0x8a), .init(.Jz), .integer(.jcc), .reads(FlagEffects.pf), access: .read,
            attributes: [.force64, .branches]),
        InstructionRow(
            "jnp", .two(0x8b), .init(.Jz), .integer(.jcc), .reads(FlagEffects.pf), access: .read,
            attributes: [.force64, .branches]),
        InstructionRow(
            "jl", .two(0x8c), .init(.Jz), .integer(.jcc), .reads(FlagEffects.sf | FlagEffects.of), access: .read,
            attributes: [.force64, .branches]),
        InstructionRow(
            "jge", .two(0x8d), .init(.Jz), .integer(.jcc), .reads(FlagEffects.sf | FlagEffects.of), access: .read,
            attributes: [.force64, .branches]),
        InstructionRow(
            "jle", .two(0x8e), .init(.Jz), .integer(.jcc), .reads(FlagEffects.sf | FlagEffects.of | FlagEffects.zf),
            access: .read, attributes: [.force64, .branches]),
        InstructionRow(
            "jg", .two(0x8f), .init(.Jz), .integer(.jcc), .reads(FlagEffects.sf | FlagEffects.of | FlagEffects.zf),
            access: .read, attributes: [.force64, .branches]),

        InstructionRow(
            "jmp", .one(0xeb), .init(.Jb), .integer(.jmp), access: .read, attributes: [.force64, .branches, .ends]),
        InstructionRow(
            "jmp", .one(0xe9), .init(.Jz), .integer(.jmp), access: .read, attributes: [.force64, .branches, .ends]),
        InstructionRow(
            "jmp", .one(0xff, 4), .init(.Ev), .integer(.jmpIndirect), access: .read,
            attributes: [.force64, .branches, .ends]),
        InstructionRow(
            "call", .one(0xe8), .init(.Jz), .integer(.call), access: .read, attributes: [.force64, .branches, .ends]),
        InstructionRow(
            "call", .one(0xff, 2), .init(.Ev), .integer(.callIndirect), access: .read,
            attributes: [.force64, .branches, .ends]),
        InstructionRow(
            "ret", .one(0xc3), .init(), .integer(.ret), access: .read, attributes: [.force64, .branches, .ends]),
        InstructionRow(
            "ret", .one(0xc2), .init(.Iw), .integer(.ret), access: .read, attributes: [.force64, .branches, .ends]),
        InstructionRow(
            "loopne", .one(0xe0), .init(.Jb), .integer(.loopne), .reads(FlagEffects.zf), access: .read,
            attributes: [.force64, .branches]),
        InstructionRow(
            "loope", .one(0xe1), .init(.Jb), .integer(.loope), .reads(FlagEffects.zf), access: .read,
            attributes: [.force64, .branches]),
        InstructionRow(
            "loop", .one(0xe2), .init(.Jb), .integer(.loop), access: .read, attributes: [.force64, .branches]),
        InstructionRow(
            "jrcxz", .one(0xe3), .init(.Jb), .integer(.jrcxz), access: .read, attributes: [.force64, .branches]),
        InstructionRow(
            "ud2", .two(0x0b), .init(), .integer(.undefined), access: .read, attributes: [.branches, .ends]),
        InstructionRow(
            "ud1", .two(0xb9), .init(.Gv, .Ev), .integer(.undefined), access: .read, attributes: [.branches, .ends]),
        InstructionRow(
            "ud0", .two(0xff), .init(.Gv, .Ev), .integer(.undefined), access: .read, attributes: [.branches, .ends]),
    ]
}

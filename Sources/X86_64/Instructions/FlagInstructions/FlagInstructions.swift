// SPDX-License-Identifier: Apache-2.0

/// Instructions that move and set flags (Intel SDM Vol 2A, 2B; SALC: Vol 3 §23.15, undocumented and everywhere). CLI and
/// STI are in ControlRegisters.
enum FlagInstructions {
    static let rows: [InstructionRow] = [
        InstructionRow(
            "lahf", .one(0x9f), .init(), .integer(.lahf), .reads(FlagEffects.all & ~FlagEffects.of), access: .read),
        InstructionRow(
            "sahf", .one(0x9e), .init(), .integer(.sahf), .writes(FlagEffects.all & ~FlagEffects.of), access: .read),
        InstructionRow("clc", .one(0xf8), .init(), .integer(.clc), .writes(FlagEffects.cf), access: .read),
        InstructionRow("stc", .one(0xf9), .init(), .integer(.stc), .writes(FlagEffects.cf), access: .read),
        InstructionRow(
            "cmc", .one(0xf5), .init(), .integer(.cmc), FlagEffects(read: FlagEffects.cf, written: FlagEffects.cf),
            access: .read),
        InstructionRow("cld", .one(0xfc), .init(), .integer(.cld), .writes(FlagEffects.df), access: .read),
        InstructionRow("std", .one(0xfd), .init(), .integer(.std), .writes(FlagEffects.df), access: .read),
        InstructionRow(
            "salc", .one(0xd6), .init(), .integer(.salc), .reads(FlagEffects.cf), access: .read, attributes: [.not64]),
    ]
}

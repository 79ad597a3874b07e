// SPDX-License-Identifier: Apache-2.0

/// Sign extensions of the accumulator (Intel SDM Vol 2A "CBW/CWDE/CDQE", "CWD/CDQ/CQO").
enum Conversions {
    static let rows: [InstructionRow] = [
        InstructionRow("cbw|cwde|cdqe", .one(0x98), .init(), .integer(.cbw), access: .read),
        InstructionRow("cwd|cdq|cqo", .one(0x99), .init(), .integer(.cwd), access: .read),
    ]
}

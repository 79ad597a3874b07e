// SPDX-License-Identifier: Apache-2.0

/// RDRAND and RDSEED (Intel SDM Vol 2B).
enum RandomNumbers {
    static let rows: [InstructionRow] = [
        InstructionRow(
            "rdrand", Encoding(.twoByte, 0xc7, prefix: .noRepeat, digit: 6, registerForm: true), .init(.Rv),
            .integer(.rdrand), .arithmetic, feature: .rdrand),
        InstructionRow(
            "rdseed", Encoding(.twoByte, 0xc7, prefix: .noRepeat, digit: 7, registerForm: true), .init(.Rv),
            .integer(.rdseed), .arithmetic, feature: .rdseed),
    ]
}

// SPDX-License-Identifier: Apache-2.0

/// BMI1 and BMI2 (Intel SDM Vol 2A, 2B).
enum BitManipulation {
    static let rows: [InstructionRow] = [
        InstructionRow(
            "andn", .vex(.map38, 0xf2, .np, .l128), .init(.Gy, .By, .Ey), .integer(.andn), .bitField, feature: .bmi1,
            attributes: [.protected]),
        InstructionRow(
            "bextr", .vex(.map38, 0xf7, .np, .l128), .init(.Gy, .Ey, .By), .integer(.bextr), .extraction,
            feature: .bmi1, attributes: [.protected]),
        InstructionRow(
            "blsr", .vex(.map38, 0xf3, .np, .l128, digit: 1), .init(.By, .Ey), .integer(.blsr), .bitField,
            feature: .bmi1, attributes: [.protected]),
        InstructionRow(
            "blsmsk", .vex(.map38, 0xf3, .np, .l128, digit: 2), .init(.By, .Ey), .integer(.blsmsk), .bitField,
            feature: .bmi1, attributes: [.protected]),
        InstructionRow(
            "blsi", .vex(.map38, 0xf3, .np, .l128, digit: 3), .init(.By, .Ey), .integer(.blsi), .bitField,
            feature: .bmi1, attributes: [.protected]),
        InstructionRow(
            "bzhi", .vex(.map38, 0xf5, .np, .l128), .init(.Gy, .Ey, .By), .integer(.bzhi), .bitField, feature: .bmi2,
            attributes: [.protected]),
        InstructionRow(
            "pdep", .vex(.map38, 0xf5, .f2, .l128), .init(.Gy, .By, .Ey), .integer(.pdep), feature: .bmi2,
            attributes: [.protected]),
        InstructionRow(
            "pext", .vex(.map38, 0xf5, .f3, .l128), .init(.Gy, .By, .Ey), .integer(.pext), feature: .bmi2,
            attributes: [.protected]),
        InstructionRow(
            "sarx", .vex(.map38, 0xf7, .f3, .l128), .init(.Gy, .Ey, .By), .integer(.sarx), feature: .bmi2,
            attributes: [.protected]),
        InstructionRow(
            "shlx", .vex(.map38, 0xf7, .p66, .l128), .init(.Gy, .Ey, .By), .integer(.shlx), feature: .bmi2,
            attributes: [.protected]
        ),
        InstructionRow(
            "shrx", .vex(.map38, 0xf7, .f2, .l128), .init(.Gy, .Ey, .By), .integer(.shrx), feature: .bmi2,
            attributes: [.protected]),
        InstructionRow(
            "rorx", .vex(.map3A, 0xf0, .f2, .l128), .init(.Gy, .Ey, .Ib), .integer(.rorx), feature: .bmi2,
            attributes: [.protected]),
    ]
}

extension FlagEffects {
    static var bitField: FlagEffects { FlagEffects(written: all, undefined: af | pf) }
    static var extraction: FlagEffects { FlagEffects(written: all, undefined: af | pf | sf) }
}

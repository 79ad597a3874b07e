// SPDX-License-Identifier: Apache-2.0

/// Multiplication and division (Intel SDM Vol 2A "DIV", "IDIV", "IMUL", Vol 2B "MUL", "MULX").
enum Multiplication {
    static let rows: [InstructionRow] = [
        InstructionRow("mul", .one(0xf6, 4), .init(.Eb), .integer(.mul), .product, access: .read),
        InstructionRow("mul", .one(0xf7, 4), .init(.Ev), .integer(.mul), .product, access: .read),
        InstructionRow("imul", .one(0xf6, 5), .init(.Eb), .integer(.imul), .product, access: .read),
        InstructionRow("imul", .one(0xf7, 5), .init(.Ev), .integer(.imul), .product, access: .read),
        InstructionRow("div", .one(0xf6, 6), .init(.Eb), .integer(.div), .quotient, access: .read),
        InstructionRow("div", .one(0xf7, 6), .init(.Ev), .integer(.div), .quotient, access: .read),
        InstructionRow("idiv", .one(0xf6, 7), .init(.Eb), .integer(.idiv), .quotient, access: .read),
        InstructionRow("idiv", .one(0xf7, 7), .init(.Ev), .integer(.idiv), .quotient, access: .read),
        InstructionRow("imul", .two(0xaf), .init(.Gv, .Ev), .integer(.imulTwo), .product, access: .update),
        InstructionRow("imul", .one(0x69), .init(.Gv, .Ev, .Iz), .integer(.imulThree), .product),
        InstructionRow("imul", .one(0x6b), .init(.Gv, .Ev, .Ibs), .integer(.imulThree), .product),
        InstructionRow(
            "mulx", .vex(.map38, 0xf6, .f2, .l128), .init(.Gy, .By, .Ey), .integer(.mulx), access: .write,
            feature: .bmi2, attributes: [.protected]),
    ]
}

extension FlagEffects {
    /// CF and OF say whether the upper half is needed.
    static var product: FlagEffects { FlagEffects(written: all, undefined: all & ~(cf | of)) }
    static var quotient: FlagEffects { FlagEffects(written: all, undefined: all) }
}

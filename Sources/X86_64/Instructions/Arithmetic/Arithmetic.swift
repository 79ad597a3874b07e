// SPDX-License-Identifier: Apache-2.0

/// Addition, subtraction, logic and comparison (Intel SDM Vol 2A, 2B; opcode maps Vol 2D appendix A).
enum Arithmetic {
    static let rows: [InstructionRow] = [
        InstructionRow(
            "add", .one(0x00), .init(.Eb, .Gb), .integer(.add), .arithmetic, access: .update, attributes: [.lock]),
        InstructionRow(
            "add", .one(0x01), .init(.Ev, .Gv), .integer(.add), .arithmetic, access: .update, attributes: [.lock]),
        InstructionRow("add", .one(0x02), .init(.Gb, .Eb), .integer(.add), .arithmetic, access: .update),
        InstructionRow("add", .one(0x03), .init(.Gv, .Ev), .integer(.add), .arithmetic, access: .update),
        InstructionRow("add", .one(0x04), .init(.AL, .Ib), .integer(.add), .arithmetic, access: .update),
        InstructionRow("add", .one(0x05), .init(.rAX, .Iz), .integer(.add), .arithmetic, access: .update),
        InstructionRow(
            "add", .one(0x80, 0), .init(.Eb, .Ib), .integer(.add), .arithmetic, access: .update, attributes: [.lock]),
        InstructionRow(
            "add", .one(0x81, 0), .init(.Ev, .Iz), .integer(.add), .arithmetic, access: .update, attributes: [.lock]),
        InstructionRow(
            "add", .one(0x82, 0), .init(.Eb, .Ib), .integer(.add), .arithmetic, access: .update,
            attributes: [.lock, .not64]),
        InstructionRow(
            "add", .one(0x83, 0), .init(.Ev, .Ibs), .integer(.add), .arithmetic, access: .update, attributes: [.lock]),

        InstructionRow("or", .one(0x08), .init(.Eb, .Gb), .integer(.or), .logic, access: .update, attributes: [.lock]),
        InstructionRow("or", .one(0x09), .init(.Ev, .Gv), .integer(.or), .logic, access: .update, attributes: [.lock]),
        InstructionRow("or", .one(0x0a), .init(.Gb, .Eb), .integer(.or), .logic, access: .update),
        InstructionRow("or", .one(0x0b), .init(.Gv, .Ev), .integer(.or), .logic, access: .update),
        InstructionRow("or", .one(0x0c), .init(.AL, .Ib), .integer(.or), .logic, access: .update),
        InstructionRow("or", .one(0x0d), .init(.rAX, .Iz), .integer(.or), .logic, access: .update),
        InstructionRow(
            "or", .one(0x80, 1), .init(.Eb, .Ib), .integer(.or), .logic, access: .update, attributes: [.lock]),
        InstructionRow(
            "or", .one(0x81, 1), .init(.Ev, .Iz), .integer(.or), .logic, access: .update, attributes: [.lock]),
        InstructionRow(
            "or", .one(0x82, 1), .init(.Eb, .Ib), .integer(.or), .logic, access: .update, attributes: [.lock, .not64]),
        InstructionRow(
            "or", .one(0x83, 1), .init(.Ev, .Ibs), .integer(.or), .logic, access: .update, attributes: [.lock]),

        InstructionRow(
            "adc", .one(0x10), .init(.Eb, .Gb), .integer(.adc), .withCarry, access: .update, attributes: [.lock]),
        InstructionRow(
            "adc", .one(0x11), .init(.Ev, .Gv), .integer(.adc), .withCarry, access: .update, attributes: [.lock]),
        InstructionRow("adc", .one(0x12), .init(.Gb, .Eb), .integer(.adc), .withCarry, access: .update),
        InstructionRow("adc", .one(0x13), .init(.Gv, .Ev), .integer(.adc), .withCarry, access: .update),
        InstructionRow("adc", .one(0x14), .init(.AL, .Ib), .integer(.adc), .withCarry, access: .update),
        InstructionRow("adc", .one(0x15), .init(.rAX, .Iz), .integer(.adc), .withCarry, access: .update),
        InstructionRow(
            "adc", .one(0x80, 2), .init(.Eb, .Ib), .integer(.adc), .withCarry, access: .update, attributes: [.lock]),
        InstructionRow(
            "adc", .one(0x81, 2), .init(.Ev, .Iz), .integer(.adc), .withCarry, access: .update, attributes: [.lock]),
        InstructionRow(
            "adc", .one(0x82, 2), .init(.Eb, .Ib), .integer(.adc), .withCarry, access: .update,
            attributes: [.lock, .not64]),
        InstructionRow(
            "adc", .one(0x83, 2), .init(.Ev, .Ibs), .integer(.adc), .withCarry, access: .update, attributes: [.lock]),

        InstructionRow(
            "sbb", .one(0x18), .init(.Eb, .Gb), .integer(.sbb), .withCarry, access: .update, attributes: [.lock]),
        InstructionRow(
            "sbb", .one(0x19), .init(.Ev, .Gv), .integer(.sbb), .withCarry, access: .update, attributes: [.lock]),
        InstructionRow("sbb", .one(0x1a), .init(.Gb, .Eb), .integer(.sbb), .withCarry, access: .update),
        InstructionRow("sbb", .one(0x1b), .init(.Gv, .Ev), .integer(.sbb), .withCarry, access: .update),
        InstructionRow("sbb", .one(0x1c), .init(.AL, .Ib), .integer(.sbb), .withCarry, access: .update),
        InstructionRow("sbb", .one(0x1d), .init(.rAX, .Iz), .integer(.sbb), .withCarry, access: .update),
        InstructionRow(
            "sbb", .one(0x80, 3), .init(.Eb, .Ib), .integer(.sbb), .withCarry, access: .update, attributes: [.lock]),
        InstructionRow(
            "sbb", .one(0x81, 3), .init(.Ev, .Iz), .integer(.sbb), .withCarry, access: .update, attributes: [.lock]),
        InstructionRow(
            "sbb", .one(0x82, 3), .init(.Eb, .Ib), .integer(.sbb), .withCarry, access: .update,
            attributes: [.lock, .not64]),
        InstructionRow(
            "sbb", .one(0x83, 3), .init(.Ev, .Ibs), .integer(.sbb), .withCarry, access: .update, attributes: [.lock]),

        InstructionRow(
            "and", .one(0x20), .init(.Eb, .Gb), .integer(.and), .logic, access: .update, attributes: [.lock]),
        InstructionRow(
            "and", .one(0x21), .init(.Ev, .Gv), .integer(.and), .logic, access: .update, attributes: [.lock]),
        InstructionRow("and", .one(0x22), .init(.Gb, .Eb), .integer(.and), .logic, access: .update),
        InstructionRow("and", .one(0x23), .init(.Gv, .Ev), .integer(.and), .logic, access: .update),
        InstructionRow("and", .one(0x24), .init(.AL, .Ib), .integer(.and), .logic, access: .update),
        InstructionRow("and", .one(0x25), .init(.rAX, .Iz), .integer(.and), .logic, access: .update),
        InstructionRow(
            "and", .one(0x80, 4), .init(.Eb, .Ib), .integer(.and), .logic, access: .update, attributes: [.lock]),
        InstructionRow(
            "and", .one(0x81, 4), .init(.Ev, .Iz), .integer(.and), .logic, access: .update, attributes: [.lock]),
        InstructionRow(
            "and", .one(0x82, 4), .init(.Eb, .Ib), .integer(.and), .logic, access: .update, attributes: [.lock, .not64]),
        InstructionRow(
            "and", .one(0x83, 4), .init(.Ev, .Ibs), .integer(.and), .logic, access: .update, attributes: [.lock]),

        InstructionRow(
            "sub", .one(0x28), .init(.Eb, .Gb), .integer(.sub), .arithmetic, access: .update, attributes: [.lock]),
        InstructionRow(
            "sub", .one(0x29), .init(.Ev, .Gv), .integer(.sub), .arithmetic, access: .update, attributes: [.lock]),
        InstructionRow("sub", .one(0x2a), .init(.Gb, .Eb), .integer(.sub), .arithmetic, access: .update),
        InstructionRow("sub", .one(0x2b), .init(.Gv, .Ev), .integer(.sub), .arithmetic, access: .update),
        InstructionRow("sub", .one(0x2c), .init(.AL, .Ib), .integer(.sub), .arithmetic, access: .update),
        InstructionRow("sub", .one(0x2d), .init(.rAX, .Iz), .integer(.sub), .arithmetic, access: .update),
        InstructionRow(
            "sub", .one(0x80, 5), .init(.Eb, .Ib), .integer(.sub), .arithmetic, access: .update, attributes: [.lock]),
        InstructionRow(
            "sub", .one(0x81, 5), .init(.Ev, .Iz), .integer(.sub), .arithmetic, access: .update, attributes: [.lock]),
        InstructionRow(
            "sub", .one(0x82, 5), .init(.Eb, .Ib), .integer(.sub), .arithmetic, access: .update,
            attributes: [.lock, .not64]),
        InstructionRow(
            "sub", .one(0x83, 5), .init(.Ev, .Ibs), .integer(.sub), .arithmetic, access: .update, attributes: [.lock]),

        InstructionRow(
            "xor", .one(0x30), .init(.Eb, .Gb), .integer(.xor), .logic, access: .update, attributes: [.lock]),
        InstructionRow(
            "xor", .one(0x31), .init(.Ev, .Gv), .integer(.xor), .logic, access: .update, attributes: [.lock]),
        InstructionRow("xor", .one(0x32), .init(.Gb, .Eb), .integer(.xor), .logic, access: .update),
        InstructionRow("xor", .one(0x33), .init(.Gv, .Ev), .integer(.xor), .logic, access: .update),
        InstructionRow("xor", .one(0x34), .init(.AL, .Ib), .integer(.xor), .logic, access: .update),
        InstructionRow("xor", .one(0x35), .init(.rAX, .Iz), .integer(.xor), .logic, access: .update),
        InstructionRow(
            "xor", .one(0x80, 6), .init(.Eb, .Ib), .integer(.xor), .logic, access: .update, attributes: [.lock]),
        InstructionRow(
            "xor", .one(0x81, 6), .init(.Ev, .Iz), .integer(.xor), .logic, access: .update, attributes: [.lock]),
        InstructionRow(
            "xor", .one(0x82, 6), .init(.Eb, .Ib), .integer(.xor), .logic, access: .update, attributes: [.lock, .not64]),
        InstructionRow(
            "xor", .one(0x83, 6), .init(.Ev, .Ibs), .integer(.xor), .logic, access: .update, attributes: [.lock]),

        InstructionRow("cmp", .one(0x38), .init(.Eb, .Gb), .integer(.cmp), .arithmetic, access: .read),
        InstructionRow("cmp", .one(0x39), .init(.Ev, .Gv), .integer(.cmp), .arithmetic, access: .read),
        InstructionRow("cmp", .one(0x3a), .init(.Gb, .Eb), .integer(.cmp), .arithmetic, access: .read),
        InstructionRow("cmp", .one(0x3b), .init(.Gv, .Ev), .integer(.cmp), .arithmetic, access: .read),
        InstructionRow("cmp", .one(0x3c), .init(.AL, .Ib), .integer(.cmp), .arithmetic, access: .read),
        InstructionRow("cmp", .one(0x3d), .init(.rAX, .Iz), .integer(.cmp), .arithmetic, access: .read),
        InstructionRow("cmp", .one(0x80, 7), .init(.Eb, .Ib), .integer(.cmp), .arithmetic, access: .read),
        InstructionRow("cmp", .one(0x81, 7), .init(.Ev, .Iz), .integer(.cmp), .arithmetic, access: .read),
        InstructionRow(
            "cmp", .one(0x82, 7), .init(.Eb, .Ib), .integer(.cmp), .arithmetic, access: .read, attributes: [.not64]),
        InstructionRow("cmp", .one(0x83, 7), .init(.Ev, .Ibs), .integer(.cmp), .arithmetic, access: .read),

        InstructionRow("test", .one(0x84), .init(.Eb, .Gb), .integer(.test), .logic, access: .read),
        InstructionRow("test", .one(0x85), .init(.Ev, .Gv), .integer(.test), .logic, access: .read),
        InstructionRow("test", .one(0xa8), .init(.AL, .Ib), .integer(.test), .logic, access: .read),
        InstructionRow("test", .one(0xa9), .init(.rAX, .Iz), .integer(.test), .logic, access: .read),
        InstructionRow("test", .one(0xf6, 0), .init(.Eb, .Ib), .integer(.test), .logic, access: .read),
        InstructionRow("test", .one(0xf7, 0), .init(.Ev, .Iz), .integer(.test), .logic, access: .read),
        InstructionRow("test", .one(0xf6, 1), .init(.Eb, .Ib), .integer(.test), .logic, access: .read),
        InstructionRow("test", .one(0xf7, 1), .init(.Ev, .Iz), .integer(.test), .logic, access: .read),

        InstructionRow(
            "inc", .one(0xfe, 0), .init(.Eb), .integer(.inc), .increment, access: .update, attributes: [.lock]),
        InstructionRow(
            "inc", .one(0xff, 0), .init(.Ev), .integer(.inc), .increment, access: .update, attributes: [.lock]),
        InstructionRow(
            "inc", .plus(0x40), .init(.Zv), .integer(.inc), .increment, access: .update, attributes: [.not64]),
        InstructionRow(
            "dec", .one(0xfe, 1), .init(.Eb), .integer(.dec), .increment, access: .update, attributes: [.lock]),
        InstructionRow(
            "dec", .one(0xff, 1), .init(.Ev), .integer(.dec), .increment, access: .update, attributes: [.lock]),
        InstructionRow(
            "dec", .plus(0x48), .init(.Zv), .integer(.dec), .increment, access: .update, attributes: [.not64]),
        InstructionRow("not", .one(0xf6, 2), .init(.Eb), .integer(.not), access: .update, attributes: [.lock]),
        InstructionRow("not", .one(0xf7, 2), .init(.Ev), .integer(.not), access: .update, attributes: [.lock]),
        InstructionRow(
            "neg", .one(0xf6, 3), .init(.Eb), .integer(.neg), .arithmetic, access: .update, attributes: [.lock]),
        InstructionRow(
            "neg", .one(0xf7, 3), .init(.Ev), .integer(.neg), .arithmetic, access: .update, attributes: [.lock]),
        InstructionRow(
            "adcx", .map38(0xf6, .p66), .init(.Gy, .Ey), .integer(.adcx),
            FlagEffects(read: FlagEffects.cf, written: FlagEffects.cf), access: .update, feature: .adx),
        InstructionRow(
            "adox", .map38(0xf6, .f3), .init(.Gy, .Ey), .integer(.adox),
            FlagEffects(read: FlagEffects.of, written: FlagEffects.of), access: .update, feature: .adx),
    ]
}

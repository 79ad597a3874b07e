// SPDX-License-Identifier: Apache-2.0

/// Shifts and rotations (Intel SDM Vol 2B "RCL/RCR/ROL/ROR", "SAL/SAR/SHL/SHR", "SHLD", "SHRD"). A count of zero
/// changes no flag; OF is defined for counts of one.
enum Shifts {
    static let rows: [InstructionRow] = [
        InstructionRow("rol", .one(0xc0, 0), .init(.Eb, .Ib), .integer(.rol), .rotate, access: .update),
        InstructionRow("rol", .one(0xc1, 0), .init(.Ev, .Ib), .integer(.rol), .rotate, access: .update),
        InstructionRow("rol", .one(0xd0, 0), .init(.Eb, .one), .integer(.rol), .rotate, access: .update),
        InstructionRow("rol", .one(0xd1, 0), .init(.Ev, .one), .integer(.rol), .rotate, access: .update),
        InstructionRow("rol", .one(0xd2, 0), .init(.Eb, .CL), .integer(.rol), .rotate, access: .update),
        InstructionRow("rol", .one(0xd3, 0), .init(.Ev, .CL), .integer(.rol), .rotate, access: .update),

        InstructionRow("ror", .one(0xc0, 1), .init(.Eb, .Ib), .integer(.ror), .rotate, access: .update),
        InstructionRow("ror", .one(0xc1, 1), .init(.Ev, .Ib), .integer(.ror), .rotate, access: .update),
        InstructionRow("ror", .one(0xd0, 1), .init(.Eb, .one), .integer(.ror), .rotate, access: .update),
        InstructionRow("ror", .one(0xd1, 1), .init(.Ev, .one), .integer(.ror), .rotate, access: .update),
        InstructionRow("ror", .one(0xd2, 1), .init(.Eb, .CL), .integer(.ror), .rotate, access: .update),
        InstructionRow("ror", .one(0xd3, 1), .init(.Ev, .CL), .integer(.ror), .rotate, access: .update),

        InstructionRow("rcl", .one(0xc0, 2), .init(.Eb, .Ib), .integer(.rcl), .rotateCarry, access: .update),
        InstructionRow("rcl", .one(0xc1, 2), .init(.Ev, .Ib), .integer(.rcl), .rotateCarry, access: .update),
        InstructionRow("rcl", .one(0xd0, 2), .init(.Eb, .one), .integer(.rcl), .rotateCarry, access: .update),
        InstructionRow("rcl", .one(0xd1, 2), .init(.Ev, .one), .integer(.rcl), .rotateCarry, access: .update),
        InstructionRow("rcl", .one(0xd2, 2), .init(.Eb, .CL), .integer(.rcl), .rotateCarry, access: .update),
        InstructionRow("rcl", .one(0xd3, 2), .init(.Ev, .CL), .integer(.rcl), .rotateCarry, access: .update),

        InstructionRow("rcr", .one(0xc0, 3), .init(.Eb, .Ib), .integer(.rcr), .rotateCarry, access: .update),
        InstructionRow("rcr", .one(0xc1, 3), .init(.Ev, .Ib), .integer(.rcr), .rotateCarry, access: .update),
        InstructionRow("rcr", .one(0xd0, 3), .init(.Eb, .one), .integer(.rcr), .rotateCarry, access: .update),
        InstructionRow("rcr", .one(0xd1, 3), .init(.Ev, .one), .integer(.rcr), .rotateCarry, access: .update),
        InstructionRow("rcr", .one(0xd2, 3), .init(.Eb, .CL), .integer(.rcr), .rotateCarry, access: .update),
        InstructionRow("rcr", .one(0xd3, 3), .init(.Ev, .CL), .integer(.rcr), .rotateCarry, access: .update),

        InstructionRow("shl", .one(0xc0, 4), .init(.Eb, .Ib), .integer(.shl), .shift, access: .update),
        InstructionRow("shl", .one(0xc1, 4), .init(.Ev, .Ib), .integer(.shl), .shift, access: .update),
        InstructionRow("shl", .one(0xd0, 4), .init(.Eb, .one), .integer(.shl), .shift, access: .update),
        InstructionRow("shl", .one(0xd1, 4), .init(.Ev, .one), .integer(.shl), .shift, access: .update),
        InstructionRow("shl", .one(0xd2, 4), .init(.Eb, .CL), .integer(.shl), .shift, access: .update),
        InstructionRow("shl", .one(0xd3, 4), .init(.Ev, .CL), .integer(.shl), .shift, access: .update),

        InstructionRow("shr", .one(0xc0, 5), .init(.Eb, .Ib), .integer(.shr), .shift, access: .update),
        InstructionRow("shr", .one(0xc1, 5), .init(.Ev, .Ib), .integer(.shr), .shift, access: .update),
        InstructionRow("shr", .one(0xd0, 5), .init(.Eb, .one), .integer(.shr), .shift, access: .update),
        InstructionRow("shr", .one(0xd1, 5), .init(.Ev, .one), .integer(.shr), .shift, access: .update),
        InstructionRow("shr", .one(0xd2, 5), .init(.Eb, .CL), .integer(.shr), .shift, access: .update),
        InstructionRow("shr", .one(0xd3, 5), .init(.Ev, .CL), .integer(.shr), .shift, access: .update),

        InstructionRow("sal", .one(0xc0, 6), .init(.Eb, .Ib), .integer(.sal), .shift, access: .update),
        InstructionRow("sal", .one(0xc1, 6), .init(.Ev, .Ib), .integer(.sal), .shift, access: .update),
        InstructionRow("sal", .one(0xd0, 6), .init(.Eb, .one), .integer(.sal), .shift, access: .update),
        InstructionRow("sal", .one(0xd1, 6), .init(.Ev, .one), .integer(.sal), .shift, access: .update),
        InstructionRow("sal", .one(0xd2, 6), .init(.Eb, .CL), .integer(.sal), .shift, access: .update),
        InstructionRow("sal", .one(0xd3, 6), .init(.Ev, .CL), .integer(.sal), .shift, access: .update),

        InstructionRow("sar", .one(0xc0, 7), .init(.Eb, .Ib), .integer(.sar), .shift, access: .update),
        InstructionRow("sar", .one(0xc1, 7), .init(.Ev, .Ib), .integer(.sar), .shift, access: .update),
        InstructionRow("sar", .one(0xd0, 7), .init(.Eb, .one), .integer(.sar), .shift, access: .update),
        InstructionRow("sar", .one(0xd1, 7), .init(.Ev, .one), .integer(.sar), .shift, access: .update),
        InstructionRow("sar", .one(0xd2, 7), .init(.Eb, .CL), .integer(.sar), .shift, access: .update),
        InstructionRow("sar", .one(0xd3, 7), .init(.Ev, .CL), .integer(.sar), .shift, access: .update),

        InstructionRow("shld", .two(0xa4), .init(.Ev, .Gv, .Ib), .integer(.shld), .doubleShift, access: .update),
        InstructionRow("shld", .two(0xa5), .init(.Ev, .Gv, .CL), .integer(.shld), .doubleShift, access: .update),
        InstructionRow("shrd", .two(0xac), .init(.Ev, .Gv, .Ib), .integer(.shrd), .doubleShift, access: .update),
        InstructionRow("shrd", .two(0xad), .init(.Ev, .Gv, .CL), .integer(.shrd), .doubleShift, access: .update),
    ]
}

extension FlagEffects {
    /// CF, and OF, which is defined for a count of one.
    static var rotate: FlagEffects { FlagEffects(written: cf | of, undefined: of) }
    static var rotateCarry: FlagEffects { FlagEffects(read: cf, written: cf | of, undefined: of) }
    static var shift: FlagEffects { FlagEffects(written: all, undefined: af | of) }
    static var doubleShift: FlagEffects { FlagEffects(written: all, undefined: af | of) }
}

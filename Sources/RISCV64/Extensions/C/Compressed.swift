// SPDX-License-Identifier: Apache-2.0

/// Compressed instructions: each is a short form of a 32-bit one (RISC-V Unpriv 20240411 §26, Zca and Zcd).
enum Compressed {
    /// The 32-bit instruction that `bits` stands for, or nil where it is reserved.
    static func expand(_ bits: UInt16) -> UInt32? {
        let c = Fields(bits: UInt32(bits))
        switch (bits & 3, bits >> 13) {
        case (0, let funct): return quadrant0(c, funct)
        case (1, let funct): return quadrant1(c, funct)
        case (2, let funct): return quadrant2(c, funct)
        default: return nil
        }
    }

    /// The fields that several formats share.
    private struct Fields {
        let bits: UInt32
        func field(_ high: UInt32, _ low: UInt32) -> UInt32 { bits >> low & ((1 << (high - low + 1)) - 1) }
        func bit(_ number: UInt32) -> UInt32 { bits >> number & 1 }
        /// rd or rs1, any register.
        var rd: UInt32 { field(11, 7) }
        var rs2: UInt32 { field(6, 2) }
        /// The registers x8 to x15.
        var shortRd: UInt32 { 8 + field(4, 2) }
        var shortRs1: UInt32 { 8 + field(9, 7) }
        /// imm[5|4:0], signed.
        var immediate6: UInt32 { (bit(12) == 0 ? 0 : 0xffff_ffe0) | field(6, 2) }
        var shift: UInt32 { bit(12) << 5 | field(6, 2) }
        /// uimm[5:3|7:6] of ld, sd, fld, fsd.
        var offset8: UInt32 { field(12, 10) << 3 | field(6, 5) << 6 }
        /// uimm[5:3|2|6] of lw, sw.
        var offset4: UInt32 { field(12, 10) << 3 | bit(6) << 2 | bit(5) << 6 }
    }

    private static func i(_ opcode: UInt32, _ f3: UInt32, _ rd: UInt32, _ rs1: UInt32, _ imm: UInt32) -> UInt32 {
        (imm & 0xfff) << 20 | rs1 << 15 | f3 << 12 | rd << 7 | opcode
    }

    private static func s(_ opcode: UInt32, _ f3: UInt32, _ rs1: UInt32, _ rs2: UInt32, _ imm: UInt32) -> UInt32 {
        (imm >> 5 & 127) << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 | (imm & 31) << 7 | opcode
    }

    private static func r(_ opcode: UInt32, _ f3: UInt32, _ f7: UInt32, _ rd: UInt32, _ rs1: UInt32, _ rs2: UInt32)
        -> UInt32
    {
        f7 << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 | rd << 7 | opcode
    }

    private static func quadrant0(_ c: Fields, _ funct: UInt16) -> UInt32? {
        switch funct {
        case 0:  // c.addi4spn: nzuimm[5:4|9:6|2|3]; zero is reserved, all zero is the defined illegal instruction.
            let imm = c.field(12, 11) << 4 | c.field(10, 7) << 6 | c.bit(6) << 2 | c.bit(5) << 3
            return imm == 0 ? nil : i(0x13, 0, c.shortRd, 2, imm)
        case 1: return i(0x07, 3, c.shortRd, c.shortRs1, c.offset8)  // c.fld
        case 2: return i(0x03, 2, c.shortRd, c.shortRs1, c.offset4)  // c.lw
        case 3: return i(0x03, 3, c.shortRd, c.shortRs1, c.offset8)  // c.ld
        case 5: return s(0x27, 3, c.shortRs1, c.shortRd, c.offset8)  // c.fsd
        case 6: return s(0x23, 2, c.shortRs1, c.shortRd, c.offset4)  // c.sw
        case 7: return s(0x23, 3, c.shortRs1, c.shortRd, c.offset8)  // c.sd
        default: return nil
        }
    }

    private static func quadrant1(_ c: Fields, _ funct: UInt16) -> UInt32? {
        switch funct {
        case 0: return i(0x13, 0, c.rd, c.rd, c.immediate6)  // c.addi, c.nop
        case 1: return c.rd == 0 ? nil : i(0x1b, 0, c.rd, c.rd, c.immediate6)  // c.addiw
        case 2: return i(0x13, 0, c.rd, 0, c.immediate6)  // c.li
        case 3 where c.rd == 2:  // c.addi16sp: nzimm[9|4|6|8:7|5]
            let high: UInt32 = c.bit(12) == 0 ? 0 : 0xffff_fe00
            let imm = high | c.bit(6) << 4 | c.bit(5) << 6 | c.field(4, 3) << 7 | c.bit(2) << 5
            return imm == 0 ? nil : i(0x13, 0, 2, 2, imm)
        case 3:  // c.lui: nzimm[17|16:12]
            return c.immediate6 == 0 ? nil : (c.immediate6 << 12) | c.rd << 7 | 0x37
        case 4: return arithmetic(c)
        case 5:  // c.j: imm[11|4|9:8|10|6|7|3:1|5]
            var imm = c.field(5, 3) << 1 | c.bit(11) << 4 | c.bit(2) << 5 | c.bit(7) << 6 | c.bit(6) << 7
            imm |= c.field(10, 9) << 8 | c.bit(8) << 10 | (c.bit(12) == 0 ? 0 : 0xffff_f800)
            let high = (imm >> 20 & 1) << 31 | (imm >> 1 & 1023) << 21
            return high | (imm >> 11 & 1) << 20 | (imm >> 12 & 255) << 12 | 0x6f
        case 6, 7:  // c.beqz, c.bnez: imm[8|4:3|7:6|2:1|5]
            var imm = c.field(4, 3) << 1 | c.field(11, 10) << 3 | c.bit(2) << 5 | c.field(6, 5) << 6
            imm |= c.bit(12) == 0 ? 0 : 0xffff_ff00
            let fields = (imm >> 12 & 1) << 31 | (imm >> 5 & 63) << 25 | (imm >> 1 & 15) << 8 | (imm >> 11 & 1) << 7
            return fields | c.shortRs1 << 15 | UInt32(funct - 6) << 12 | 0x63
        default: return nil
        }
    }

    private static func arithmetic(_ c: Fields) -> UInt32? {
        let rd = c.shortRs1
        switch c.field(11, 10) {
        case 0: return i(0x13, 5, rd, rd, c.shift)  // c.srli
        case 1: return i(0x13, 5, rd, rd, c.shift | 0x400)  // c.srai
        case 2: return i(0x13, 7, rd, rd, c.immediate6)  // c.andi
        default:
            switch (c.bit(12), c.field(6, 5)) {
            case (0, 0): return r(0x33, 0, 0x20, rd, rd, c.shortRd)  // c.sub
            case (0, 1): return r(0x33, 4, 0, rd, rd, c.shortRd)  // c.xor
            case (0, 2): return r(0x33, 6, 0, rd, rd, c.shortRd)  // c.or
            case (0, 3): return r(0x33, 7, 0, rd, rd, c.shortRd)  // c.and
            case (1, 0): return r(0x3b, 0, 0x20, rd, rd, c.shortRd)  // c.subw
            case (1, 1): return r(0x3b, 0, 0, rd, rd, c.shortRd)  // c.addw
            default: return nil
            }
        }
    }

    private static func quadrant2(_ c: Fields, _ funct: UInt16) -> UInt32? {
        // uimm[5|4:3|8:6] and uimm[5|4:2|7:6] of loads, uimm[5:3|8:6] and uimm[5:2|7:6] of stores, from sp.
        let load8 = c.bit(12) << 5 | c.field(6, 5) << 3 | c.field(4, 2) << 6
        let load4 = c.bit(12) << 5 | c.field(6, 4) << 2 | c.field(3, 2) << 6
        let store8 = c.field(12, 10) << 3 | c.field(9, 7) << 6
        let store4 = c.field(12, 9) << 2 | c.field(8, 7) << 6
        switch funct {
        case 0: return i(0x13, 1, c.rd, c.rd, c.shift)  // c.slli
        case 1: return i(0x07, 3, c.rd, 2, load8)  // c.fldsp
        case 2: return c.rd == 0 ? nil : i(0x03, 2, c.rd, 2, load4)  // c.lwsp
        case 3: return c.rd == 0 ? nil : i(0x03, 3, c.rd, 2, load8)  // c.ldsp
        case 4:
            switch (c.bit(12), c.rd, c.rs2) {
            case (0, 0, 0): return nil
            case (0, let rs1, 0): return i(0x67, 0, 0, rs1, 0)  // c.jr
            case (0, let rd, let rs2): return r(0x33, 0, 0, rd, 0, rs2)  // c.mv
            case (1, 0, 0): return 0x0010_0073  // c.ebreak
            case (1, let rs1, 0): return i(0x67, 0, 1, rs1, 0)  // c.jalr
            case (_, let rd, let rs2): return r(0x33, 0, 0, rd, rd, rs2)  // c.add
            }
        case 5: return s(0x27, 3, 2, c.rs2, store8)  // c.fsdsp
        case 6: return s(0x23, 2, 2, c.rs2, store4)  // c.swsp
        case 7: return s(0x23, 3, 2, c.rs2, store8)  // c.sdsp
        default: return nil
        }
    }
}

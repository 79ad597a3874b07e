// SPDX-License-Identifier: Apache-2.0

/// Bit manipulation: Zba, Zbb, Zbc, Zbs (RISC-V Unpriv 20240411 §30).
enum ExtensionZb {
    static let rows: [InstructionRow] = [
        // Zba: addresses.
        .r("add.uw", 0x3b, 0, 0x04, .addUw),
        .r("sh1add", 0x33, 2, 0x10, .sh1add),
        .r("sh2add", 0x33, 4, 0x10, .sh2add),
        .r("sh3add", 0x33, 6, 0x10, .sh3add),
        .r("sh1add.uw", 0x3b, 2, 0x10, .sh1addUw),
        .r("sh2add.uw", 0x3b, 4, 0x10, .sh2addUw),
        .r("sh3add.uw", 0x3b, 6, 0x10, .sh3addUw),
        .shift64("slli.uw", 0x1b, 1, 0x02, .slliUw),
        // Zbb: logic, counts, minima, extensions, rotations, bytes.
        .r("andn", 0x33, 7, 0x20, .andn),
        .r("orn", 0x33, 6, 0x20, .orn),
        .r("xnor", 0x33, 4, 0x20, .xnor),
        .r1("clz", 0x13, 1, 0x600, .clz),
        .r1("ctz", 0x13, 1, 0x601, .ctz),
        .r1("cpop", 0x13, 1, 0x602, .cpop),
        .r1("clzw", 0x1b, 1, 0x600, .clzw),
        .r1("ctzw", 0x1b, 1, 0x601, .ctzw),
        .r1("cpopw", 0x1b, 1, 0x602, .cpopw),
        .r("max", 0x33, 6, 0x05, .max),
        .r("maxu", 0x33, 7, 0x05, .maxu),
        .r("min", 0x33, 4, 0x05, .min),
        .r("minu", 0x33, 5, 0x05, .minu),
        .r1("sext.b", 0x13, 1, 0x604, .sextB),
        .r1("sext.h", 0x13, 1, 0x605, .sextH),
        .r1("zext.h", 0x3b, 4, 0x080, .zextH),
        .r("rol", 0x33, 1, 0x30, .rol),
        .r("ror", 0x33, 5, 0x30, .ror),
        .shift64("rori", 0x13, 5, 0x18, .rori),
        .r("rolw", 0x3b, 1, 0x30, .rolw),
        .r("rorw", 0x3b, 5, 0x30, .rorw),
        .shift32("roriw", 0x1b, 5, 0x30, .roriw),
        .r1("orc.b", 0x13, 5, 0x287, .orcB),
        .r1("rev8", 0x13, 5, 0x6b8, .rev8),
        // Zbc: carry-less products.
        .r("clmul", 0x33, 1, 0x05, .clmul),
        .r("clmulr", 0x33, 2, 0x05, .clmulr),
        .r("clmulh", 0x33, 3, 0x05, .clmulh),
        // Zbs: single bits.
        .r("bclr", 0x33, 1, 0x24, .bclr),
        .r("bext", 0x33, 5, 0x24, .bext),
        .r("binv", 0x33, 1, 0x34, .binv),
        .r("bset", 0x33, 1, 0x14, .bset),
        .shift64("bclri", 0x13, 1, 0x12, .bclri),
        .shift64("bexti", 0x13, 5, 0x12, .bexti),
        .shift64("binvi", 0x13, 1, 0x1a, .binvi),
        .shift64("bseti", 0x13, 1, 0x0a, .bseti),
    ]

    /// The carry-less product of two 64-bit polynomials, all 128 bits.
    static func carrylessProduct(_ left: UInt64, _ right: UInt64) -> (high: UInt64, low: UInt64) {
        var high: UInt64 = 0
        var low: UInt64 = 0
        for bit in 0..<UInt64(64) where right >> bit & 1 != 0 {
            low ^= left << bit
            high ^= bit == 0 ? 0 : left >> (64 - bit)
        }
        return (high, low)
    }

    /// Every byte that is not zero becomes all ones.
    @inline(__always)
    static func orCombine(_ value: UInt64) -> UInt64 {
        var bits = value | value >> 4 & 0x0f0f_0f0f_0f0f_0f0f
        bits |= bits >> 2 & 0x3333_3333_3333_3333
        bits |= bits >> 1 & 0x5555_5555_5555_5555
        return (bits & 0x0101_0101_0101_0101) &* 0xff
    }
}

extension ExtensionZb {
    /// The instructions of Zbb and Zbc that are too rare, or too long, for the interpreter's loop.
    @inline(never)
    static func rare(_ op: MicroOp, _ left: UInt64, _ right: UInt64) -> UInt64 {
        let low = UInt32(truncatingIfNeeded: left)
        switch op.operation {
        case .clzw: return UInt64(low.leadingZeroBitCount)
        case .ctzw: return UInt64(low.trailingZeroBitCount)
        case .cpopw: return UInt64(low.nonzeroBitCount)
        case .rolw: return rotated(low, by: right)
        case .rorw: return rotated(low, by: 0 &- right)
        case .roriw: return rotated(low, by: 0 &- op.operand)
        case .clmul: return carrylessProduct(left, right).low
        case .clmulh: return carrylessProduct(left, right).high
        default:
            let product = carrylessProduct(left, right)
            return product.high << 1 | product.low >> 63
        }
    }

    /// `value` rotated left, sign-extended.
    private static func rotated(_ value: UInt32, by count: UInt64) -> UInt64 {
        let count = UInt32(truncatingIfNeeded: count & 31)
        return word(UInt64(value &<< count | value &>> ((32 &- count) & 31)))
    }
}

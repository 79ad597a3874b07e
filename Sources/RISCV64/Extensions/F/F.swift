// SPDX-License-Identifier: Apache-2.0

/// Single precision (RISC-V Unpriv 20240411 §20).
enum ExtensionF {
    static let rows: [InstructionRow] = [
        InstructionRow("flw", match: 0x2007, mask: 0x707f, .floatLoad, .flw),
        InstructionRow("fsw", match: 0x2027, mask: 0x707f, .floatStore, .fsw),
        .float4("fmadd.s", 0x43, 0, .fmadd),
        .float4("fmsub.s", 0x47, 0, .fmsub),
        .float4("fnmsub.s", 0x4b, 0, .fnmsub),
        .float4("fnmadd.s", 0x4f, 0, .fnmadd),
        .float2("fadd.s", 0x00, 0, .fadd),
        .float2("fsub.s", 0x01, 0, .fsub),
        .float2("fmul.s", 0x02, 0, .fmul),
        .float2("fdiv.s", 0x03, 0, .fdiv),
        .float1("fsqrt.s", 0x0b, 0, 0, .fsqrt),
        .floatFixed("fsgnj.s", 0x04, 0, 0, .fsgnj),
        .floatFixed("fsgnjn.s", 0x04, 1, 0, .fsgnjn),
        .floatFixed("fsgnjx.s", 0x04, 2, 0, .fsgnjx),
        .floatFixed("fmin.s", 0x05, 0, 0, .fmin),
        .floatFixed("fmax.s", 0x05, 1, 0, .fmax),
        .floatFixed("feq.s", 0x14, 2, 0, .feq, .floatCompare),
        .floatFixed("flt.s", 0x14, 1, 0, .flt, .floatCompare),
        .floatFixed("fle.s", 0x14, 0, 0, .fle, .floatCompare),
        .floatMove("fclass.s", 0x1c, 1, 0, .fclass, .floatToInteger),
        .float1("fcvt.w.s", 0x18, 0, 0, .fcvtToW, .floatToInteger),
        .float1("fcvt.wu.s", 0x18, 1, 0, .fcvtToWu, .floatToInteger),
        .float1("fcvt.l.s", 0x18, 2, 0, .fcvtToL, .floatToInteger),
        .float1("fcvt.lu.s", 0x18, 3, 0, .fcvtToLu, .floatToInteger),
        .float1("fcvt.s.w", 0x1a, 0, 0, .fcvtFromW, .integerToFloat),
        .float1("fcvt.s.wu", 0x1a, 1, 0, .fcvtFromWu, .integerToFloat),
        .float1("fcvt.s.l", 0x1a, 2, 0, .fcvtFromL, .integerToFloat),
        .float1("fcvt.s.lu", 0x1a, 3, 0, .fcvtFromLu, .integerToFloat),
        .floatMove("fmv.x.w", 0x1c, 0, 0, .fmvToX, .floatToInteger),
        .floatMove("fmv.w.x", 0x1e, 0, 0, .fmvFromX, .integerToFloat),
    ]
}

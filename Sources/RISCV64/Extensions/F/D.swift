// SPDX-License-Identifier: Apache-2.0

/// Double precision (RISC-V Unpriv 20240411 §21).
enum ExtensionD {
    static let rows: [InstructionRow] = [
        InstructionRow("fld", match: 0x3007, mask: 0x707f, .floatLoad, .fld),
        InstructionRow("fsd", match: 0x3027, mask: 0x707f, .floatStore, .fsd),
        .float1("fcvt.s.d", 0x08, 1, 0, .fcvtFloat),
        .float1("fcvt.d.s", 0x08, 0, 1, .fcvtFloat),
        .float4("fmadd.d", 0x43, 1, .fmadd),
        .float4("fmsub.d", 0x47, 1, .fmsub),
        .float4("fnmsub.d", 0x4b, 1, .fnmsub),
        .float4("fnmadd.d", 0x4f, 1, .fnmadd),
        .float2("fadd.d", 0x00, 1, .fadd),
        .float2("fsub.d", 0x01, 1, .fsub),
        .float2("fmul.d", 0x02, 1, .fmul),
        .float2("fdiv.d", 0x03, 1, .fdiv),
        .float1("fsqrt.d", 0x0b, 0, 1, .fsqrt),
        .floatFixed("fsgnj.d", 0x04, 0, 1, .fsgnj),
        .floatFixed("fsgnjn.d", 0x04, 1, 1, .fsgnjn),
        .floatFixed("fsgnjx.d", 0x04, 2, 1, .fsgnjx),
        .floatFixed("fmin.d", 0x05, 0, 1, .fmin),
        .floatFixed("fmax.d", 0x05, 1, 1, .fmax),
        .floatFixed("feq.d", 0x14, 2, 1, .feq, .floatCompare),
        .floatFixed("flt.d", 0x14, 1, 1, .flt, .floatCompare),
        .floatFixed("fle.d", 0x14, 0, 1, .fle, .floatCompare),
        .floatMove("fclass.d", 0x1c, 1, 1, .fclass, .floatToInteger),
        .float1("fcvt.w.d", 0x18, 0, 1, .fcvtToW, .floatToInteger),
        .float1("fcvt.wu.d", 0x18, 1, 1, .fcvtToWu, .floatToInteger),
        .float1("fcvt.l.d", 0x18, 2, 1, .fcvtToL, .floatToInteger),
        .float1("fcvt.lu.d", 0x18, 3, 1, .fcvtToLu, .floatToInteger),
        .float1("fcvt.d.w", 0x1a, 0, 1, .fcvtFromW, .integerToFloat),
        .float1("fcvt.d.wu", 0x1a, 1, 1, .fcvtFromWu, .integerToFloat),
        .float1("fcvt.d.l", 0x1a, 2, 1, .fcvtFromL, .integerToFloat),
        .float1("fcvt.d.lu", 0x1a, 3, 1, .fcvtFromLu, .integerToFloat),
        .floatMove("fmv.x.d", 0x1c, 0, 1, .fmvToX, .floatToInteger),
        .floatMove("fmv.d.x", 0x1e, 0, 1, .fmvFromX, .integerToFloat),
    ]
}

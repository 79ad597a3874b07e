// SPDX-License-Identifier: Apache-2.0

/// What a micro-op does. Contiguous from zero, so that the interpreter's switch is one jump table; zero means that the
/// instruction was not decoded yet, so that zeroed memory is a page of such.
enum Operation: UInt16 {
    // What the decode cache itself means.
    case decode, straddle, pageEnd, scratchEnd, breakpointHit, illegal
    // RV64I
    case lui, auipc, jal, jalr, beq, bne, blt, bge, bltu, bgeu, lb, lh, lw, ld, lbu, lhu, lwu, sb, sh, sw, sd
    case addi, slti, sltiu, xori, ori, andi, slli, srli, srai, add, sub, sll, slt, sltu, xor, srl, sra, or, and
    case addiw, slliw, srliw, sraiw, addw, subw, sllw, srlw, sraw, fence, pause, fenceI, ecall, ebreak
    // Forms that the decoder picks for a case: a constant, a copy, a branch within the page.
    case li, mv, jalNear, jNear, beqNear, bneNear, bltNear, bgeNear, bltuNear, bgeuNear, beqzNear, bnezNear
    // Compressed forms: the same with a step of 2 bytes.
    case cLi, cMv, cAddi, cAddiw, cSrli, cSrai, cAndi, cSlli, cSub, cXor, cOr, cAnd, cSubw, cAddw, cAdd, cLw, cLd
    case cSw, cSd, cFld, cFsd, cJ, cJNear, cBeqz, cBnez, cBeqzNear, cBnezNear, cJr, cJalr, cEbreak
    // M
    case mul, mulh, mulhsu, mulhu, div, divu, rem, remu, mulw, divw, divuw, remw, remuw
    // Zb
    case addUw, sh1add, sh2add, sh3add, sh1addUw, sh2addUw, sh3addUw, slliUw, andn, orn, xnor, clz, ctz, cpop
    case clzw, ctzw, cpopw, max, maxu, min, minu, sextB, sextH, zextH, rol, ror, rori, rolw, rorw, roriw, orcB
    case rev8, clmul, clmulr, clmulh, bclr, bext, binv, bset, bclri, bexti, binvi, bseti, czeroEqz, czeroNez
    // Floating-point loads and stores
    case flw, fld, fsw, fsd, flh, fsh
    // A
    case lrW, lrD, scW, scD, amoswapW, amoswapD, amoaddW, amoaddD, amoxorW, amoxorD, amoandW, amoandD, amoorW
    case amoorD, amominW, amominD, amomaxW, amomaxD, amominuW, amominuD, amomaxuW, amomaxuD, wrsNto, wrsSto
    // Zicsr, privileged, cache blocks
    case csrrw, csrrs, csrrc, csrrwi, csrrsi, csrrci, mret, sret, wfi, sfenceVMA, sinvalVMA, sfenceInvalOrder
    case cboInval, cboClean, cboZero
    // F, D, Zfh: the format is in the operands
    case fmadd, fmsub, fnmsub, fnmadd, fadd, fsub, fmul, fdiv, fsqrt, fsgnj, fsgnjn, fsgnjx, fmin, fmax, feq, flt
    case fle, fclass, fcvtToW, fcvtToWu, fcvtToL, fcvtToLu, fcvtFromW, fcvtFromWu, fcvtFromL, fcvtFromLu
    case fcvtFloat, fmvToX, fmvFromX
}

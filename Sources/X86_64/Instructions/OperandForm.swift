// SPDX-License-Identifier: Apache-2.0

/// Where an operand comes from and how wide it is, in the notation of Intel SDM Vol 2D appendix A: a capital for the
/// place, the rest for the size.
///
/// Places: A a far address in the code; B VEX.vvvv, a general register; C, D control and debug registers by ModRM.reg;
/// E ModRM.rm, register or memory; G a general register by ModRM.reg; H VEX.vvvv, a vector; I immediate; J relative;
/// L a vector in an immediate's upper half; M memory alone; N, U ModRM.rm, an MMX or vector register alone; O an offset
/// in the code; P an MMX register by ModRM.reg; Q ModRM.rm, MMX register or memory; R ModRM.rm, a general register alone;
/// S a segment register by ModRM.reg; V a vector by ModRM.reg; W ModRM.rm, vector or memory; X, Y memory at rSI, rDI;
/// Z a general register in the opcode's low bits.
/// Sizes: b, w, d, q: 1 to 8 bytes; v: 2, 4 or 8 by the operand size; z: 2 or 4; y: 4 or 8; dq, qq: 16, 32; x: 16 or 32 by
/// VEX.L; p: a far pointer; a: a pair of bounds; s: a descriptor table register.
public enum OperandForm: UInt8, Sendable {
    case none
    // General registers and memory.
    case Eb, Ew, Ed, Eq, Ev, Ey
    case Gb, Gw, Gd, Gq, Gv, Gy
    case By
    case Rd, Rq, Ry, Rv
    case Zb, Zw, Zv, Zq, Zy
    /// Memory without a size (`lea`, `invlpg`, prefetches), and with one.
    case M, Mb, Mw, Md, Mq, Mv, My, Mdq, Mqq, Mx, Mp, Ma, Ms
    /// 10 bytes: extended precision, packed decimal.
    case Mt
    /// Register or memory where only the memory form has 16 bits: `mov` from a segment register, `smsw`, `sldt`, `str`.
    case Mw_Rv
    /// 32 bits of a register or 8, 16 of memory: `pextrb`, `pinsrb`, `pinsrw`.
    case Mb_Rd, Mw_Rd
    // Implied.
    case AL, rAX, CL, DX, one, rCX, eAX, CS, DS, ES, FS, GS, SS, ST0, XMM0
    // Immediates: of their own size, sign-extended to the operand size, and up to 8 bytes.
    case Ib, Ibs, Iw, Iz, Iv
    // Relative, far, absolute.
    case Jb, Jz, Ap, Ob, Ov
    // Strings.
    case Xb, Xv, Xz, Yb, Yv, Yz
    // Segment, control, debug.
    case Sw, Cy, Dy
    // Vectors: scalar sizes say how much memory is read.
    case Vx, Vdq, Vqq, Vq, Vd, Vss, Vsd, Vy
    case Wx, Wdq, Wqq, Wq, Wd, Ww, Wb, Wss, Wsd, Wh
    case Hx, Hdq, Hqq, Hss, Hsd
    case Ux, Udq, Uqq, Uss, Usd
    case Lx, Ldq
    /// A vector of indices with memory at base + index: gathers. By VEX.L.
    case VMd, VMq
    // MMX.
    case Pq, Pd, Qq, Qd, Nq
    // x87: ST(i) by ModRM.rm.
    case STi
    /// Memory of the sizes of FXSAVE, XSAVE, FLDENV, FSAVE.
    case Mstate
}

// SPDX-License-Identifier: Apache-2.0
//
// The host processor's own floating point, for tests: one instruction executed with the controls that it is given.
// Why C: only inline assembly runs an instruction with MXCSR or the x87 control word set around it.
#ifndef X86_ORACLE_H
#define X86_ORACLE_H

#include "X86Run.h"

#include <stdint.h>

#include "native_cases.h"

/// Instructions on the low elements of vector registers. Suffix S is single, D double precision.
enum x86_sse_operation {
    X86_ADDS, X86_SUBS, X86_MULS, X86_DIVS, X86_MINS, X86_MAXS, X86_SQRTS,
    X86_ADDD, X86_SUBD, X86_MULD, X86_DIVD, X86_MIND, X86_MAXD, X86_SQRTD,
    X86_COMIS, X86_UCOMIS, X86_COMID, X86_UCOMID,
    X86_CVTS2D, X86_CVTD2S,
    X86_CVTS2W, X86_CVTS2Q, X86_CVTTS2W, X86_CVTTS2Q, X86_CVTD2W, X86_CVTD2Q, X86_CVTTD2W, X86_CVTTD2Q,
    X86_CVTW2S, X86_CVTQ2S, X86_CVTW2D, X86_CVTQ2D,
    /// a * b + c, -(a * b) - c; they need FMA.
    X86_FMADDS, X86_FNMSUBS, X86_FMADDD, X86_FNMSUBD,
    /// Half to single and back by MXCSR's rounding; they need F16C.
    X86_CVTH2S, X86_CVTS2H,
    /// ROUNDSS and ROUNDSD: plus the immediate, 0 to 15; they need SSE4.1.
    X86_ROUNDS = 64, X86_ROUNDD = 80,
    /// VCMPSS and VCMPSD: plus the predicate, 0 to 31; they need AVX.
    X86_CMPS = 96, X86_CMPD = 128,
};

/// What an instruction on vector registers did.
struct x86_sse_outcome {
    /// The low 64 bits of the result, or the flags of a comparison as LAHF gives them.
    uint64_t result;
    /// MXCSR where the instruction trapped, or after it.
    uint32_t mxcsr;
    /// Whether it trapped; `result` is then that with all exceptions masked.
    uint32_t trapped;
};

/// x87 instructions, on st(0) = a and st(1) = b; the stores store st(0).
enum x86_x87_operation {
    X86_FADD, X86_FSUB, X86_FMUL, X86_FDIV, X86_FSQRT, X86_FPREM, X86_FPREM1, X86_FRNDINT, X86_FSCALE, X86_FXTRACT,
    X86_FCOM, X86_FUCOM, X86_FXAM,
    X86_FSTS, X86_FSTD, X86_FISTW, X86_FISTL, X86_FISTQ, X86_FISTTW, X86_FISTTL, X86_FISTTQ, X86_FBSTP,
    /// Loads of the low bytes of `a`.
    X86_FLDS, X86_FLDD, X86_FBLD,
    X86_F2XM1, X86_FYL2X, X86_FYL2XP1, X86_FPATAN, X86_FPTAN, X86_FSIN, X86_FCOS, X86_FSINCOS,
};

/// A register of the x87, as its ten bytes.
struct x86_extended {
    uint64_t significand;
    uint16_t sign_exponent;
};

/// What an x87 instruction left: the status word, the top two registers, and the bytes it stored.
struct x86_x87_outcome {
    uint16_t status;
    struct x86_extended top, next;
    struct x86_extended stored;
};

/// Whether this is an x86-64 host.
int x86_oracle_is_available(void);

/// Whether it has AVX, FMA and F16C.
int x86_oracle_has_fma(void);

/// Executes `operation` with `mxcsr`; unmasked exceptions are caught.
struct x86_sse_outcome x86_oracle_sse(unsigned operation, uint32_t mxcsr, uint64_t a, uint64_t b, uint64_t c);

/// Executes `operation` with the control word `control`, masked or not.
struct x86_x87_outcome x86_oracle_x87(
    unsigned operation, uint16_t control, struct x86_extended a, struct x86_extended b);

#endif

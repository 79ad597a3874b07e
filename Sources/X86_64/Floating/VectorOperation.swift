// SPDX-License-Identifier: Apache-2.0

/// What the vector room computes: the low nine bits of `MicroOp.detail`. Scalar instructions have the operation of their
/// packed kin, instructions with and without VEX the same one; `VectorShape` says what the operands are.
enum VectorOperation: UInt16 {
    // Integers, moves and whole states.
    case unpackLow32, unpackHigh32, and, andNot, or, xor, shufps, move, moveLow32, moveLow64, moveHighToLow
    case moveLowToHigh, signs32, ldmxcsr, stmxcsr, insert, extract, signs8, pminub, pmaxub, pavgb, pavgw
    case pmulhuw, pminsw, pmaxsw, psadbw, maskmov, pshufw, unpackLow64, unpackHigh64, shufpd, signs64, pshufd
    case pshufhw, pshuflw, pslldq, psrldq, unpackLow8, unpackLow16, packsswb, pcmpgtb, pcmpgtw, pcmpgtd
    case packuswb, unpackHigh8, unpackHigh16, packssdw, pcmpeqb, pcmpeqw, pcmpeqd, psrlw, psrld, psrlq, pmullw
    case psubusb, psubusw, paddusb, paddusw, psraw, psrad, pmulhw, psubsb, psubsw, paddsb, paddsw, psllw
    case pslld, psllq, pmaddwd, psubb, psubw, psubd, paddb, paddw, paddd, paddq, psubq, pmuludq, movsldup
    case movshdup, movddup, pshufb, phaddw, phaddd, phaddsw, pmaddubsw, phsubw, phsubd, phsubsw, psignb
    case psignw, psignd, pmulhrsw, pabsb, pabsw, pabsd, palignr, ptest, pmovsxbw, pmovsxbd, pmovsxbq, pmovsxwd
    case pmovsxwq, pmovsxdq, pmuldq, pcmpeqq, packusdw, pmovzxbw, pmovzxbd, pmovzxbq, pmovzxwd, pmovzxwq
    case pmovzxdq, pminsb, pminsd, pminuw, pminud, pmaxsb, pmaxsd, pmaxuw, pmaxud, pmulld, phminposuw, blendps
    case blendpd, pblendw, insertps, mpsadbw, pcmpgtq, pcmpestrm, pcmpestri, pcmpistrm, pcmpistri, aesimc
    case aesenc, aesenclast, aesdec, aesdeclast, aeskeygenassist, pclmulqdq, broadcast, maskedLoad
    case maskedStore, testps, testpd, permilps, permilpd, permilpsImmediate, permilpdImmediate, perm2x128
    case insert128, extract128, blendvps, blendvpd, pblendvb, vzeroupper, vzeroall, permd, permq, psrlvd
    case psrlvq, psravd, psllvd, psllvq, gather, emms, sha1nexte, sha1msg1, sha1msg2, sha256rnds2, sha256msg1
    case sha256msg2, sha1rnds4, fxsave, fxrstor, xsave, xrstor, xsaveopt, xsavec, xrstors, xsaves
    // Floating point: with MXCSR.
    case sqrtps, rsqrtps, rcpps, addps, mulps, subps, minps, divps, maxps, cmpps, ucomiss, comiss, cvtsi2ss
    case cvttss2si, cvtss2si, cvtpi2ps, cvttps2pi, cvtps2pi, sqrtpd, addpd, mulpd, subpd, minpd, divpd, maxpd
    case cmppd, cvtss2sd, cvtsd2ss, cvtps2pd, cvtpd2ps, cvtdq2ps, cvtps2dq, cvttps2dq, cvttpd2dq, cvtdq2pd
    case cvtpd2dq, ucomisd, comisd, cvtsi2sd, cvttsd2si, cvtsd2si, haddpd, haddps, hsubpd, hsubps, addsubpd
    case addsubps, roundps, roundpd, dpps, dppd, cvtpi2pd, cvttpd2pi, cvtpd2pi, cvtph2ps, cvtps2ph
    // Fused: by order of the operands, then by kind, then by format (`FusedForm`).
    case fmaddsub132ps, fmaddsub132pd, fmsubadd132ps, fmsubadd132pd, fmadd132ps, fmadd132pd, fmsub132ps
    case fmsub132pd, fnmadd132ps, fnmadd132pd, fnmsub132ps, fnmsub132pd, fmaddsub213ps, fmaddsub213pd
    case fmsubadd213ps, fmsubadd213pd, fmadd213ps, fmadd213pd, fmsub213ps, fmsub213pd, fnmadd213ps
    case fnmadd213pd, fnmsub213ps, fnmsub213pd, fmaddsub231ps, fmaddsub231pd, fmsubadd231ps, fmsubadd231pd
    case fmadd231ps, fmadd231pd, fmsub231ps, fmsub231pd, fnmadd231ps, fnmadd231pd, fnmsub231ps, fnmsub231pd

    /// Whether it computes with MXCSR.
    var isFloat: Bool { rawValue >= VectorOperation.sqrtps.rawValue }
}

/// What the operands of a vector instruction are and how wide they are in memory: the high seven bits of
/// `MicroOp.detail`.
enum VectorShape: UInt16 {
    case lanes, unary, scalar4, load, store, loadAligned, storeAligned, load4, mergeToB, store4, half8, store8
    case storeHigh, compare4, fromGeneral, toGeneral4, mask, special, fromMMX, toMMX8, mmxInsert, mmxExtract
    case mmxMask, mmx, mmxStore, mmxMaskedStore, scalar8, widen2, narrow, load8, compare8, toGeneral8
    case moveFromGeneral, moveToGeneral, maskedStore, insert2, extractToGeneral, shift, count, loadDuplicated
    case test, widen4, widen8, extract1, extract2, extractY, extract4, insert1, insertSingle, insertY, string
    case broadcast4, broadcast8, broadcast16, maskedLoad4, maskedLoad8, maskedStore4, maskedStore8, permute128
    case insert128, extract128, blend4, broadcast1, broadcast2, permute256, gather32by32, gather64by32
    case gather32by64, gather64by64, toMMX16, vectorToMMX, mmxToVector, mmxShift, mmxFromGeneral, mmxToGeneral
    case mmxLoad, mmxEmpty, blendXMM0, lanesXMM0, narrowHalf, saveArea, fused, fusedScalar4, fusedScalar8
}

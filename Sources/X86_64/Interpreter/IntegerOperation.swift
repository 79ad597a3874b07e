// SPDX-License-Identifier: Apache-2.0

/// What the integer room executes, whatever the width and the form of the operands: `MicroOp.detail`.
enum IntegerOperation: UInt16 {
    // Two operands, in the order of the opcode's bits 5:3.
    case add, or, adc, sbb, and, sub, xor, cmp
    case test, mov, movImmediate, movFromOffset, movToOffset, xchg, xadd, cmpxchg, cmpxchgPair
    // Shifts, in the order of ModRM.reg; shl stands twice.
    case rol, ror, rcl, rcr, shl, shr, sal, sar
    case shld, shrd
    case not, neg, mul, imul, div, idiv, imulTwo, imulThree, inc, dec
    case movzxByte, movzxWord, movsxByte, movsxWord, movsxDouble, lea
    case bt, bts, btr, btc, bsf, bsr, tzcnt, lzcnt, popcnt, bswap
    case andn, bextr, blsr, blsmsk, blsi, bzhi, mulx, pdep, pext, rorx, sarx, shlx, shrx, adcx, adox
    case movbe, crc32
    case setcc, cmovcc
    case cbw, cwd, lahf, sahf, clc, stc, cmc, cld, std, salc
    case aaa, aas, aam, aad, daa, das, xlat, bound
    case push, pop, pushImmediate, pusha, popa, pushf, popf, enter, leave
    case jmp, jmpIndirect, call, callIndirect, ret, jcc, jrcxz, loop, loope, loopne
    case movs, cmps, stos, lods, scas
    case nop, pause, cacheLine, fence
    case rdrand, rdseed
    case undefined
}

// SPDX-License-Identifier: Apache-2.0

/// What a micro-op does. Contiguous from zero, so that the interpreter's switch is one jump table.
///
/// The rooms stand for all that is outlined: the loop hands such a micro-op to the room's function, which looks at
/// `MicroOp.detail`. The other operations are forms that `Instruction.lowered` picks where the loop itself is to be fast:
/// the operand width, then what is written and read: r a register, m memory, i an immediate.
enum Operation: UInt16, Sendable {
    // What the code cache itself means.
    case leave, straddle, link, undefined
    // Rooms: see `IntegerOperation`, `SystemOperation`, `X87Operation`, `VectorOperation`.
    case integer, system, x87, vector
    // Two operands. Of the forms rr and rm the destination is `a`, of mr and the immediate ones `b` or memory.
    case add8rr, add8ri, add8rm, add8mr, add8mi
    case add32rr, add32ri, add32rm, add32mr, add32mi
    case add64rr, add64ri, add64rm, add64mr, add64mi
    case or8rr, or8ri, or8rm, or8mr, or8mi
    case or32rr, or32ri, or32rm, or32mr, or32mi
    case or64rr, or64ri, or64rm, or64mr, or64mi
    case and8rr, and8ri, and8rm, and8mr, and8mi
    case and32rr, and32ri, and32rm, and32mr, and32mi
    case and64rr, and64ri, and64rm, and64mr, and64mi
    case sub8rr, sub8ri, sub8rm, sub8mr, sub8mi
    case sub32rr, sub32ri, sub32rm, sub32mr, sub32mi
    case sub64rr, sub64ri, sub64rm, sub64mr, sub64mi
    case xor8rr, xor8ri, xor8rm, xor8mr, xor8mi
    case xor32rr, xor32ri, xor32rm, xor32mr, xor32mi
    case xor64rr, xor64ri, xor64rm, xor64mr, xor64mi
    case cmp8rr, cmp8ri, cmp8rm, cmp8mr, cmp8mi
    case cmp32rr, cmp32ri, cmp32rm, cmp32mr, cmp32mi
    case cmp64rr, cmp64ri, cmp64rm, cmp64mr, cmp64mi
    case test8rr, test8ri, test8mr, test8mi
    case test32rr, test32ri, test32mr, test32mi
    case test64rr, test64ri, test64mr, test64mi
    // Moves.
    case mov8rr, mov8rm, mov8mr, mov8ri, mov8mi, mov16rm, mov16mr, mov32rr, mov32rm, mov32mr, mov32ri, mov32mi
    case mov64rr, mov64rm, mov64mr, mov64ri, mov64mi, mov64Long, lea32, lea64
    case movzxByte32rr, movzxByte32rm, movzxWord32rr, movzxWord32rm, movsxByte32rr, movsxByte32rm, movsxByte64rr
    case movsxByte64rm, movsxWord32rr, movsxWord32rm, movsxDouble64rr, movsxDouble64rm
    case cmov32rr, cmov64rr, cmov32rm, cmov64rm, setcc8r, cwde, cdqe, cdq, cqo, nop
    // One operand, shifts by a count that is not zero, products.
    case inc32r, inc64r, dec32r, dec64r, neg32r, neg64r, not32r, not64r
    case shl32ri, shl64ri, shr32ri, shr64ri, sar32ri, sar64ri, imul32rr, imul64rr
    // The stack and near transfers of 64-bit mode.
    case push64r, push64i, pop64r, call64, ret64, call64r, jmp64r, jmp64m
    // Branches to a micro-op whose distance is the immediate, in the order of the conditions; branches whose target was not
    // yet looked for in their page; all others.
    case jmpLinked
    case jOLinked, jNOLinked, jBLinked, jAELinked, jELinked, jNELinked, jBELinked, jALinked
    case jSLinked, jNSLinked, jPLinked, jNPLinked, jLLinked, jGELinked, jLELinked, jGLinked
    case jmpNear, jccNear, jmp, jcc
}

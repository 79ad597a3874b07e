// SPDX-License-Identifier: Apache-2.0

import CGuestAtomics
import MachineCore
import VMMemory

extension Processor {
    /// The loop: executes micro-ops from `frame` on until something outside of it has to be looked at. Ways out write
    /// the state back.
    @inline(never)
    func execute(_ start: Frame) -> Outcome {
        var frame = start
        while true {
            let op = frame.op.pointee
            frame.retired &+= 1
            switch op.operation {
            case .add8rr: combine(UInt8.self, .add, op.a, frame.register(UInt8.self, op.b), &frame)
            case .add8ri: combine(UInt8.self, .add, op.b, UInt8(truncatingIfNeeded: op.immediate), &frame)
            case .add8rm:
                guard let right = read(UInt8.self, op, frame) else { return .fault }
                combine(UInt8.self, .add, op.a, right, &frame)
            case .add8mr:
                guard modify(UInt8.self, .add, op, frame.register(UInt8.self, op.a), &frame) else { return ending }
            case .add8mi:
                guard modify(UInt8.self, .add, op, UInt8(truncatingIfNeeded: op.immediate), &frame) else {
                    return ending
                }
            case .add32rr: combine(UInt32.self, .add, op.a, frame.register(UInt32.self, op.b), &frame)
            case .add32ri: combine(UInt32.self, .add, op.b, UInt32(truncatingIfNeeded: op.immediate), &frame)
            case .add32rm:
                guard let right = read(UInt32.self, op, frame) else { return .fault }
                combine(UInt32.self, .add, op.a, right, &frame)
            case .add32mr:
                guard modify(UInt32.self, .add, op, frame.register(UInt32.self, op.a), &frame) else { return ending }
            case .add32mi:
                guard modify(UInt32.self, .add, op, UInt32(truncatingIfNeeded: op.immediate), &frame) else {
                    return ending
                }
            case .add64rr: combine(UInt64.self, .add, op.a, frame.register(UInt64.self, op.b), &frame)
            case .add64ri: combine(UInt64.self, .add, op.b, UInt64(truncatingIfNeeded: op.immediate), &frame)
            case .add64rm:
                guard let right = read(UInt64.self, op, frame) else { return .fault }
                combine(UInt64.self, .add, op.a, right, &frame)
            case .add64mr:
                guard modify(UInt64.self, .add, op, frame.register(UInt64.self, op.a), &frame) else { return ending }
            case .add64mi:
                guard modify(UInt64.self, .add, op, UInt64(truncatingIfNeeded: op.immediate), &frame) else {
                    return ending
                }
            case .or8rr: combine(UInt8.self, .or, op.a, frame.register(UInt8.self, op.b), &frame)
            case .or8ri: combine(UInt8.self, .or, op.b, UInt8(truncatingIfNeeded: op.immediate), &frame)
            case .or8rm:
                guard let right = read(UInt8.self, op, frame) else { return .fault }
                combine(UInt8.self, .or, op.a, right, &frame)
            case .or8mr:
                guard modify(UInt8.self, .or, op, frame.register(UInt8.self, op.a), &frame) else { return ending }
            case .or8mi:
                guard modify(UInt8.self, .or, op, UInt8(truncatingIfNeeded: op.immediate), &frame) else {
                    return ending
                }
            case .or32rr: combine(UInt32.self, .or, op.a, frame.register(UInt32.self, op.b), &frame)
            case .or32ri: combine(UInt32.self, .or, op.b, UInt32(truncatingIfNeeded: op.immediate), &frame)
            case .or32rm:
                guard let right = read(UInt32.self, op, frame) else { return .fault }
                combine(UInt32.self, .or, op.a, right, &frame)
            case .or32mr:
                guard modify(UInt32.self, .or, op, frame.register(UInt32.self, op.a), &frame) else { return ending }
            case .or32mi:
                guard modify(UInt32.self, .or, op, UInt32(truncatingIfNeeded: op.immediate), &frame) else {
                    return ending
                }
            case .or64rr: combine(UInt64.self, .or, op.a, frame.register(UInt64.self, op.b), &frame)
            case .or64ri: combine(UInt64.self, .or, op.b, UInt64(truncatingIfNeeded: op.immediate), &frame)
            case .or64rm:
                guard let right = read(UInt64.self, op, frame) else { return .fault }
                combine(UInt64.self, .or, op.a, right, &frame)
            case .or64mr:
                guard modify(UInt64.self, .or, op, frame.register(UInt64.self, op.a), &frame) else { return ending }
            case .or64mi:
                guard modify(UInt64.self, .or, op, UInt64(truncatingIfNeeded: op.immediate), &frame) else {
                    return ending
                }
            case .and8rr: combine(UInt8.self, .and, op.a, frame.register(UInt8.self, op.b), &frame)
            case .and8ri: combine(UInt8.self, .and, op.b, UInt8(truncatingIfNeeded: op.immediate), &frame)
            case .and8rm:
                guard let right = read(UInt8.self, op, frame) else { return .fault }
                combine(UInt8.self, .and, op.a, right, &frame)
            case .and8mr:
                guard modify(UInt8.self, .and, op, frame.register(UInt8.self, op.a), &frame) else { return ending }
            case .and8mi:
                guard modify(UInt8.self, .and, op, UInt8(truncatingIfNeeded: op.immediate), &frame) else {
                    return ending
                }
            case .and32rr: combine(UInt32.self, .and, op.a, frame.register(UInt32.self, op.b), &frame)
            case .and32ri: combine(UInt32.self, .and, op.b, UInt32(truncatingIfNeeded: op.immediate), &frame)
            case .and32rm:
                guard let right = read(UInt32.self, op, frame) else { return .fault }
                combine(UInt32.self, .and, op.a, right, &frame)
            case .and32mr:
                guard modify(UInt32.self, .and, op, frame.register(UInt32.self, op.a), &frame) else { return ending }
            case .and32mi:
                guard modify(UInt32.self, .and, op, UInt32(truncatingIfNeeded: op.immediate), &frame) else {
                    return ending
                }
            case .and64rr: combine(UInt64.self, .and, op.a, frame.register(UInt64.self, op.b), &frame)
            case .and64ri: combine(UInt64.self, .and, op.b, UInt64(truncatingIfNeeded: op.immediate), &frame)
            case .and64rm:
                guard let right = read(UInt64.self, op, frame) else { return .fault }
                combine(UInt64.self, .and, op.a, right, &frame)
            case .and64mr:
                guard modify(UInt64.self, .and, op, frame.register(UInt64.self, op.a), &frame) else { return ending }
            case .and64mi:
                guard modify(UInt64.self, .and, op, UInt64(truncatingIfNeeded: op.immediate), &frame) else {
                    return ending
                }
            case .sub8rr: combine(UInt8.self, .sub, op.a, frame.register(UInt8.self, op.b), &frame)
            case .sub8ri: combine(UInt8.self, .sub, op.b, UInt8(truncatingIfNeeded: op.immediate), &frame)
            case .sub8rm:
                guard let right = read(UInt8.self, op, frame) else { return .fault }
                combine(UInt8.self, .sub, op.a, right, &frame)
            case .sub8mr:
                guard modify(UInt8.self, .sub, op, frame.register(UInt8.self, op.a), &frame) else { return ending }
            case .sub8mi:
                guard modify(UInt8.self, .sub, op, UInt8(truncatingIfNeeded: op.immediate), &frame) else {
                    return ending
                }
            case .sub32rr: combine(UInt32.self, .sub, op.a, frame.register(UInt32.self, op.b), &frame)
            case .sub32ri: combine(UInt32.self, .sub, op.b, UInt32(truncatingIfNeeded: op.immediate), &frame)
            case .sub32rm:
                guard let right = read(UInt32.self, op, frame) else { return .fault }
                combine(UInt32.self, .sub, op.a, right, &frame)
            case .sub32mr:
                guard modify(UInt32.self, .sub, op, frame.register(UInt32.self, op.a), &frame) else { return ending }
            case .sub32mi:
                guard modify(UInt32.self, .sub, op, UInt32(truncatingIfNeeded: op.immediate), &frame) else {
                    return ending
                }
            case .sub64rr: combine(UInt64.self, .sub, op.a, frame.register(UInt64.self, op.b), &frame)
            case .sub64ri: combine(UInt64.self, .sub, op.b, UInt64(truncatingIfNeeded: op.immediate), &frame)
            case .sub64rm:
                guard let right = read(UInt64.self, op, frame) else { return .fault }
                combine(UInt64.self, .sub, op.a, right, &frame)
            case .sub64mr:
                guard modify(UInt64.self, .sub, op, frame.register(UInt64.self, op.a), &frame) else { return ending }
            case .sub64mi:
                guard modify(UInt64.self, .sub, op, UInt64(truncatingIfNeeded: op.immediate), &frame) else {
                    return ending
                }
            case .xor8rr: combine(UInt8.self, .xor, op.a, frame.register(UInt8.self, op.b), &frame)
            case .xor8ri: combine(UInt8.self, .xor, op.b, UInt8(truncatingIfNeeded: op.immediate), &frame)
            case .xor8rm:
                guard let right = read(UInt8.self, op, frame) else { return .fault }
                combine(UInt8.self, .xor, op.a, right, &frame)
            case .xor8mr:
                guard modify(UInt8.self, .xor, op, frame.register(UInt8.self, op.a), &frame) else { return ending }
            case .xor8mi:
                guard modify(UInt8.self, .xor, op, UInt8(truncatingIfNeeded: op.immediate), &frame) else {
                    return ending
                }
            case .xor32rr: combine(UInt32.self, .xor, op.a, frame.register(UInt32.self, op.b), &frame)
            case .xor32ri: combine(UInt32.self, .xor, op.b, UInt32(truncatingIfNeeded: op.immediate), &frame)
            case .xor32rm:
                guard let right = read(UInt32.self, op, frame) else { return .fault }
                combine(UInt32.self, .xor, op.a, right, &frame)
            case .xor32mr:
                guard modify(UInt32.self, .xor, op, frame.register(UInt32.self, op.a), &frame) else { return ending }
            case .xor32mi:
                guard modify(UInt32.self, .xor, op, UInt32(truncatingIfNeeded: op.immediate), &frame) else {
                    return ending
                }
            case .xor64rr: combine(UInt64.self, .xor, op.a, frame.register(UInt64.self, op.b), &frame)
            case .xor64ri: combine(UInt64.self, .xor, op.b, UInt64(truncatingIfNeeded: op.immediate), &frame)
            case .xor64rm:
                guard let right = read(UInt64.self, op, frame) else { return .fault }
                combine(UInt64.self, .xor, op.a, right, &frame)
            case .xor64mr:
                guard modify(UInt64.self, .xor, op, frame.register(UInt64.self, op.a), &frame) else { return ending }
            case .xor64mi:
                guard modify(UInt64.self, .xor, op, UInt64(truncatingIfNeeded: op.immediate), &frame) else {
                    return ending
                }
            case .cmp8rr:
                compare(UInt8.self, .cmp, frame.register(UInt8.self, op.a), frame.register(UInt8.self, op.b), &frame)
            case .cmp8rm:
                guard let right = read(UInt8.self, op, frame) else { return .fault }
                compare(UInt8.self, .cmp, frame.register(UInt8.self, op.a), right, &frame)
            case .cmp8ri:
                compare(
                    UInt8.self, .cmp, frame.register(UInt8.self, op.b), UInt8(truncatingIfNeeded: op.immediate), &frame)
            case .cmp8mr:
                guard let left = read(UInt8.self, op, frame) else { return .fault }
                compare(UInt8.self, .cmp, left, frame.register(UInt8.self, op.a), &frame)
            case .cmp8mi:
                guard let left = read(UInt8.self, op, frame) else { return .fault }
                compare(UInt8.self, .cmp, left, UInt8(truncatingIfNeeded: op.immediate), &frame)
            case .cmp32rr:
                compare(UInt32.self, .cmp, frame.register(UInt32.self, op.a), frame.register(UInt32.self, op.b), &frame)
            case .cmp32rm:
                guard let right = read(UInt32.self, op, frame) else { return .fault }
                compare(UInt32.self, .cmp, frame.register(UInt32.self, op.a), right, &frame)
            case .cmp32ri:
                compare(
                    UInt32.self, .cmp, frame.register(UInt32.self, op.b), UInt32(truncatingIfNeeded: op.immediate),
                    &frame)
            case .cmp32mr:
                guard let left = read(UInt32.self, op, frame) else { return .fault }
                compare(UInt32.self, .cmp, left, frame.register(UInt32.self, op.a), &frame)
            case .cmp32mi:
                guard let left = read(UInt32.self, op, frame) else { return .fault }
                compare(UInt32.self, .cmp, left, UInt32(truncatingIfNeeded: op.immediate), &frame)
            case .cmp64rr:
                compare(UInt64.self, .cmp, frame.register(UInt64.self, op.a), frame.register(UInt64.self, op.b), &frame)
            case .cmp64rm:
                guard let right = read(UInt64.self, op, frame) else { return .fault }
                compare(UInt64.self, .cmp, frame.register(UInt64.self, op.a), right, &frame)
            case .cmp64ri:
                compare(
                    UInt64.self, .cmp, frame.register(UInt64.self, op.b), UInt64(truncatingIfNeeded: op.immediate),
                    &frame)
            case .cmp64mr:
                guard let left = read(UInt64.self, op, frame) else { return .fault }
                compare(UInt64.self, .cmp, left, frame.register(UInt64.self, op.a), &frame)
            case .cmp64mi:
                guard let left = read(UInt64.self, op, frame) else { return .fault }
                compare(UInt64.self, .cmp, left, UInt64(truncatingIfNeeded: op.immediate), &frame)
            case .test8rr:
                compare(UInt8.self, .test, frame.register(UInt8.self, op.b), frame.register(UInt8.self, op.a), &frame)
            case .test8ri:
                compare(
                    UInt8.self, .test, frame.register(UInt8.self, op.b), UInt8(truncatingIfNeeded: op.immediate), &frame
                )
            case .test8mr:
                guard let left = read(UInt8.self, op, frame) else { return .fault }
                compare(UInt8.self, .test, left, frame.register(UInt8.self, op.a), &frame)
            case .test8mi:
                guard let left = read(UInt8.self, op, frame) else { return .fault }
                compare(UInt8.self, .test, left, UInt8(truncatingIfNeeded: op.immediate), &frame)
            case .test32rr:
                compare(
                    UInt32.self, .test, frame.register(UInt32.self, op.b), frame.register(UInt32.self, op.a), &frame)
            case .test32ri:
                compare(
                    UInt32.self, .test, frame.register(UInt32.self, op.b), UInt32(truncatingIfNeeded: op.immediate),
                    &frame)
            case .test32mr:
                guard let left = read(UInt32.self, op, frame) else { return .fault }
                compare(UInt32.self, .test, left, frame.register(UInt32.self, op.a), &frame)
            case .test32mi:
                guard let left = read(UInt32.self, op, frame) else { return .fault }
                compare(UInt32.self, .test, left, UInt32(truncatingIfNeeded: op.immediate), &frame)
            case .test64rr:
                compare(
                    UInt64.self, .test, frame.register(UInt64.self, op.b), frame.register(UInt64.self, op.a), &frame)
            case .test64ri:
                compare(
                    UInt64.self, .test, frame.register(UInt64.self, op.b), UInt64(truncatingIfNeeded: op.immediate),
                    &frame)
            case .test64mr:
                guard let left = read(UInt64.self, op, frame) else { return .fault }
                compare(UInt64.self, .test, left, frame.register(UInt64.self, op.a), &frame)
            case .test64mi:
                guard let left = read(UInt64.self, op, frame) else { return .fault }
                compare(UInt64.self, .test, left, UInt64(truncatingIfNeeded: op.immediate), &frame)
            case .mov8rr: frame.set(op.a, frame.register(UInt8.self, op.b))
            case .mov8rm:
                guard let value = read(UInt8.self, op, frame) else { return .fault }
                frame.set(op.a, value)
            case .mov8mr: guard write(frame.register(UInt8.self, op.a), op, &frame) else { return ending }
            case .mov8ri: frame.set(op.b, UInt8(truncatingIfNeeded: op.immediate))
            case .mov8mi: guard write(UInt8(truncatingIfNeeded: op.immediate), op, &frame) else { return ending }
            case .mov16rm:
                guard let value = read(UInt16.self, op, frame) else { return .fault }
                frame.set(op.a, value)
            case .mov16mr: guard write(frame.register(UInt16.self, op.a), op, &frame) else { return ending }
            case .mov32rr: frame.set(op.a, frame.register(UInt32.self, op.b))
            case .mov32rm:
                guard let value = read(UInt32.self, op, frame) else { return .fault }
                frame.set(op.a, value)
            case .mov32mr: guard write(frame.register(UInt32.self, op.a), op, &frame) else { return ending }
            case .mov32ri: frame.set(op.b, UInt32(truncatingIfNeeded: op.immediate))
            case .mov32mi: guard write(UInt32(truncatingIfNeeded: op.immediate), op, &frame) else { return ending }
            case .mov64rr: frame.set(op.a, frame.register(UInt64.self, op.b))
            case .mov64rm:
                guard let value = read(UInt64.self, op, frame) else { return .fault }
                frame.set(op.a, value)
            case .mov64mr: guard write(frame.register(UInt64.self, op.a), op, &frame) else { return ending }
            case .mov64ri: frame.set(op.b, UInt64(truncatingIfNeeded: op.immediate))
            case .mov64mi: guard write(UInt64(truncatingIfNeeded: op.immediate), op, &frame) else { return ending }
            case .mov64Long: frame.set(op.b, op.immediate64)
            case .lea32: frame.set(op.a, UInt32(truncatingIfNeeded: frame.state.effectiveOffset(op)))
            case .lea64: frame.set(op.a, frame.state.effectiveOffset(op))
            case .movzxByte32rr: frame.set(op.a, UInt32(frame.register(UInt8.self, op.b)))
            case .movzxByte32rm:
                guard let value = read(UInt8.self, op, frame) else { return .fault }
                frame.set(op.a, UInt32(value))
            case .movzxWord32rr: frame.set(op.a, UInt32(frame.register(UInt16.self, op.b)))
            case .movzxWord32rm:
                guard let value = read(UInt16.self, op, frame) else { return .fault }
                frame.set(op.a, UInt32(value))
            case .movsxByte32rr:
                frame.set(op.a, UInt32(truncatingIfNeeded: LazyFlags.extended(frame.register(UInt8.self, op.b))))
            case .movsxByte32rm:
                guard let value = read(UInt8.self, op, frame) else { return .fault }
                frame.set(op.a, UInt32(truncatingIfNeeded: LazyFlags.extended(value)))
            case .movsxByte64rr:
                frame.set(op.a, UInt64(truncatingIfNeeded: LazyFlags.extended(frame.register(UInt8.self, op.b))))
            case .movsxByte64rm:
                guard let value = read(UInt8.self, op, frame) else { return .fault }
                frame.set(op.a, UInt64(truncatingIfNeeded: LazyFlags.extended(value)))
            case .movsxWord32rr:
                frame.set(op.a, UInt32(truncatingIfNeeded: LazyFlags.extended(frame.register(UInt16.self, op.b))))
            case .movsxWord32rm:
                guard let value = read(UInt16.self, op, frame) else { return .fault }
                frame.set(op.a, UInt32(truncatingIfNeeded: LazyFlags.extended(value)))
            case .movsxDouble64rr:
                frame.set(op.a, UInt64(truncatingIfNeeded: LazyFlags.extended(frame.register(UInt32.self, op.b))))
            case .movsxDouble64rm:
                guard let value = read(UInt32.self, op, frame) else { return .fault }
                frame.set(op.a, UInt64(truncatingIfNeeded: LazyFlags.extended(value)))
            case .cmov32rr: frame.set(op.a, frame.register(UInt32.self, frame.holds(op) ? op.b : op.a))
            case .cmov32rm:
                guard let value = read(UInt32.self, op, frame) else { return .fault }
                frame.set(op.a, frame.holds(op) ? value : frame.register(UInt32.self, op.a))
            case .cmov64rr: frame.set(op.a, frame.register(UInt64.self, frame.holds(op) ? op.b : op.a))
            case .cmov64rm:
                guard let value = read(UInt64.self, op, frame) else { return .fault }
                frame.set(op.a, frame.holds(op) ? value : frame.register(UInt64.self, op.a))
            case .setcc8r: frame.set(op.b, UInt8(frame.holds(op) ? 1 : 0))
            case .cwde: frame.set(0, UInt32(truncatingIfNeeded: LazyFlags.extended(frame.register(UInt16.self, 0))))
            case .cdqe: frame.set(0, LazyFlags.extended(frame.register(UInt32.self, 0)))
            case .cdq: frame.set(2, frame.state.r32(0) >> 31 != 0 ? UInt32.max : 0)
            case .cqo: frame.set(2, frame.state.r64(0) >> 63 != 0 ? UInt64.max : 0)
            case .nop: break
            case .inc32r: step(UInt32.self, .inc, op.b, &frame)
            case .inc64r: step(UInt64.self, .inc, op.b, &frame)
            case .dec32r: step(UInt32.self, .dec, op.b, &frame)
            case .dec64r: step(UInt64.self, .dec, op.b, &frame)
            case .neg32r: negate(UInt32.self, op.b, &frame)
            case .not32r: frame.set(op.b, ~frame.register(UInt32.self, op.b))
            case .neg64r: negate(UInt64.self, op.b, &frame)
            case .not64r: frame.set(op.b, ~frame.register(UInt64.self, op.b))
            case .shl32ri: shiftRegister(UInt32.self, .shl, op, &frame)
            case .shl64ri: shiftRegister(UInt64.self, .shl, op, &frame)
            case .shr32ri: shiftRegister(UInt32.self, .shr, op, &frame)
            case .shr64ri: shiftRegister(UInt64.self, .shr, op, &frame)
            case .sar32ri: shiftRegister(UInt32.self, .sar, op, &frame)
            case .sar64ri: shiftRegister(UInt64.self, .sar, op, &frame)
            case .imul32rr: product(UInt32.self, op, &frame)
            case .imul64rr: product(UInt64.self, op, &frame)
            case .push64r: guard push(frame.register(UInt64.self, op.b), op, &frame) else { return ending }
            case .push64i: guard push(op.operand, op, &frame) else { return ending }
            case .pop64r:
                guard let value = pop(op, &frame) else { return ending }
                frame.set(op.b, value)
            case .jOLinked:
                if frame.state.pointee.lazyFlags.overflow {
                    if frame.follow(op) { return look(frame) }
                    continue
                }
            case .jNOLinked:
                if !(frame.state.pointee.lazyFlags.overflow) {
                    if frame.follow(op) { return look(frame) }
                    continue
                }
            case .jBLinked:
                if frame.state.pointee.lazyFlags.carry {
                    if frame.follow(op) { return look(frame) }
                    continue
                }
            case .jAELinked:
                if !(frame.state.pointee.lazyFlags.carry) {
                    if frame.follow(op) { return look(frame) }
                    continue
                }
            case .jELinked:
                if frame.state.pointee.lazyFlags.zero {
                    if frame.follow(op) { return look(frame) }
                    continue
                }
            case .jNELinked:
                if !(frame.state.pointee.lazyFlags.zero) {
                    if frame.follow(op) { return look(frame) }
                    continue
                }
            case .jBELinked:
                if frame.state.pointee.lazyFlags.carry || frame.state.pointee.lazyFlags.zero {
                    if frame.follow(op) { return look(frame) }
                    continue
                }
            case .jALinked:
                if !(frame.state.pointee.lazyFlags.carry || frame.state.pointee.lazyFlags.zero) {
                    if frame.follow(op) { return look(frame) }
                    continue
                }
            case .jSLinked:
                if frame.state.pointee.lazyFlags.sign {
                    if frame.follow(op) { return look(frame) }
                    continue
                }
            case .jNSLinked:
                if !(frame.state.pointee.lazyFlags.sign) {
                    if frame.follow(op) { return look(frame) }
                    continue
                }
            case .jPLinked:
                if frame.state.pointee.lazyFlags.parity {
                    if frame.follow(op) { return look(frame) }
                    continue
                }
            case .jNPLinked:
                if !(frame.state.pointee.lazyFlags.parity) {
                    if frame.follow(op) { return look(frame) }
                    continue
                }
            case .jLLinked:
                if frame.state.pointee.lazyFlags.sign != frame.state.pointee.lazyFlags.overflow {
                    if frame.follow(op) { return look(frame) }
                    continue
                }
            case .jGELinked:
                if !(frame.state.pointee.lazyFlags.sign != frame.state.pointee.lazyFlags.overflow) {
                    if frame.follow(op) { return look(frame) }
                    continue
                }
            case .jLELinked:
                if frame.state.pointee.lazyFlags.zero
                    || frame.state.pointee.lazyFlags.sign != frame.state.pointee.lazyFlags.overflow
                {
                    if frame.follow(op) { return look(frame) }
                    continue
                }
            case .jGLinked:
                if !(frame.state.pointee.lazyFlags.zero
                    || frame.state.pointee.lazyFlags.sign != frame.state.pointee.lazyFlags.overflow)
                {
                    if frame.follow(op) { return look(frame) }
                    continue
                }

            // Transfers: each goes on where it leads, not behind itself.
            case .jmpLinked:
                if frame.follow(op) { return look(frame) }
                continue
            case .jmpNear, .jmp, .jccNear, .jcc:
                guard op.operation == .jmpNear || op.operation == .jmp || frame.holds(op) else { break }
                guard branch(op, &frame) else { return transferSlow(op, frame) }
                if frame.state.hasRequests { return look(frame) }
                continue
            case .call64:
                let next = frame.rip &+ op.length
                guard call(next &+ op.operand, next, &frame) else { return transferSlow(op, frame) }
                if frame.state.hasRequests { return look(frame) }
                continue
            case .call64r:
                guard call(frame.state.r64(op.b), frame.rip &+ op.length, &frame) else {
                    return transferSlow(op, frame)
                }
                if frame.state.hasRequests { return look(frame) }
                continue
            case .ret64:
                guard ret(op, &frame) else { return transferSlow(op, frame) }
                if frame.state.hasRequests { return look(frame) }
                continue
            case .jmp64r:
                guard frame.jump(to: frame.state.r64(op.b)) else { return transferSlow(op, frame) }
                if frame.state.hasRequests { return look(frame) }
                continue
            case .jmp64m:
                guard let target = read(UInt64.self, op, frame) else { return .fault }
                guard frame.jump(to: target) else { return transferSlow(op, frame) }
                if frame.state.hasRequests { return look(frame) }
                continue

            // What the code cache means
            case .link:
                frame.retired &-= 1
                frame.op = frame.op + Int(op.immediate)
                continue
            case .leave:
                frame.retired &-= 1
                let target = frame.page &+ UInt64(truncatingIfNeeded: Int64(op.immediate))
                if frame.code != nil && frame.jump(to: target) { continue }
                frame.state.pointee.rip = wrapped(target)
                frame.state.pointee.retired = frame.retired
                return .jump
            case .straddle:
                frame.retired &-= 1
                frame.save()
                return executeAlone()
            case .undefined:
                frame.retired &-= 1
                frame.save()
                return raise(Fault(ExceptionVector(rawValue: UInt8(truncatingIfNeeded: op.detail)) ?? .invalidOpcode))

            // Rooms
            case .integer:
                frame.save()
                let outcome = executeInteger(op)
                if outcome != .next || needsAttention { return finish(outcome, op) }
            case .vector:
                frame.save()
                let outcome = executeVector(op)
                if outcome != .next || needsAttention { return finish(outcome, op) }
            case .x87:
                frame.save()
                let outcome = executeX87(op)
                if outcome != .next || needsAttention { return finish(outcome, op) }
            case .system:
                frame.save()
                let outcome = executeSystem(op)
                if outcome != .next || needsAttention { return finish(outcome, op) }
            }
            frame.advance()
        }
    }
}

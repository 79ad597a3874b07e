// SPDX-License-Identifier: Apache-2.0

import CGuestAtomics
import MachineCore
import VMMemory

extension Hart {
    /// The loop: executes micro-ops from `frame` on until something outside of it has to be looked at. Ways out write
    /// the state back.
    @inline(never)
    func execute(_ start: Frame) -> Outcome {
        var frame = start
        while true {
            let op = frame.op.pointee
            frame.retired &+= 1
            switch op.operation {
            // RV64I: constants and arithmetic
            case .li: frame.setX(op.a, op.operand); frame.op = frame.op + 2
            case .lui: frame.setX(op.a, op.operand); frame.op = frame.op + 2
            case .mv: frame.setX(op.a, frame.x(op.b)); frame.op = frame.op + 2
            case .auipc: frame.setX(op.a, frame.pc &+ op.operand); frame.op = frame.op + 2
            case .addi: frame.immediate(op) { $0 &+ $1 }
            case .slti: frame.immediate(op) { signed($0) < signed($1) ? 1 : 0 }
            case .sltiu: frame.immediate(op) { $0 < $1 ? 1 : 0 }
            case .xori: frame.immediate(op) { $0 ^ $1 }
            case .ori: frame.immediate(op) { $0 | $1 }
            case .andi: frame.immediate(op) { $0 & $1 }
            case .slli: frame.immediate(op) { $0 &<< $1 }
            case .srli: frame.immediate(op) { $0 &>> $1 }
            case .srai: frame.immediate(op) { UInt64(bitPattern: signed($0) &>> signed($1)) }
            case .addiw: frame.immediate(op) { word($0 &+ $1) }
            case .slliw: frame.immediate(op) { word($0 &<< $1) }
            case .srliw: frame.immediate(op) { word(($0 & 0xffff_ffff) &>> $1) }
            case .sraiw: frame.immediate(op) { UInt64(bitPattern: signed(word($0)) &>> signed($1)) }
            case .add: frame.register(op) { $0 &+ $1 }
            case .sub: frame.register(op) { $0 &- $1 }
            case .sll: frame.register(op) { $0 &<< $1 }
            case .slt: frame.register(op) { signed($0) < signed($1) ? 1 : 0 }
            case .sltu: frame.register(op) { $0 < $1 ? 1 : 0 }
            case .xor: frame.register(op) { $0 ^ $1 }
            case .srl: frame.register(op) { $0 &>> $1 }
            case .sra: frame.register(op) { UInt64(bitPattern: signed($0) &>> signed($1)) }
            case .or: frame.register(op) { $0 | $1 }
            case .and: frame.register(op) { $0 & $1 }
            case .addw: frame.register(op) { word($0 &+ $1) }
            case .subw: frame.register(op) { word($0 &- $1) }
            case .sllw: frame.register(op) { word($0 &<< ($1 & 31)) }
            case .srlw: frame.register(op) { word(($0 & 0xffff_ffff) &>> ($1 & 31)) }
            case .sraw: frame.register(op) { UInt64(bitPattern: signed(word($0)) &>> signed($1 & 31)) }

            // Compressed forms
            case .cLi: frame.setX(op.a, op.operand); frame.op = frame.op + 1
            case .cMv: frame.setX(op.a, frame.x(op.b)); frame.op = frame.op + 1
            case .cAddi: frame.immediate(op, step: 1) { $0 &+ $1 }
            case .cAddiw: frame.immediate(op, step: 1) { word($0 &+ $1) }
            case .cSrli: frame.immediate(op, step: 1) { $0 &>> $1 }
            case .cSrai: frame.immediate(op, step: 1) { UInt64(bitPattern: signed($0) &>> signed($1)) }
            case .cAndi: frame.immediate(op, step: 1) { $0 & $1 }
            case .cSlli: frame.immediate(op, step: 1) { $0 &<< $1 }
            case .cSub: frame.register(op, step: 1) { $0 &- $1 }
            case .cXor: frame.register(op, step: 1) { $0 ^ $1 }
            case .cOr: frame.register(op, step: 1) { $0 | $1 }
            case .cAnd: frame.register(op, step: 1) { $0 & $1 }
            case .cSubw: frame.register(op, step: 1) { word($0 &- $1) }
            case .cAddw: frame.register(op, step: 1) { word($0 &+ $1) }
            case .cAdd: frame.register(op, step: 1) { $0 &+ $1 }

            // Branches: a = rs2, b = rs1
            case .beqNear: if frame.branchNear(op, frame.x(op.b) == frame.x(op.a)) { return look(frame) }
            case .bneNear: if frame.branchNear(op, frame.x(op.b) != frame.x(op.a)) { return look(frame) }
            case .bltuNear: if frame.branchNear(op, frame.x(op.b) < frame.x(op.a)) { return look(frame) }
            case .bgeuNear: if frame.branchNear(op, frame.x(op.b) >= frame.x(op.a)) { return look(frame) }
            case .bltNear: if frame.branchNear(op, signed(frame.x(op.b)) < signed(frame.x(op.a))) { return look(frame) }
            case .bgeNear:
                if frame.branchNear(op, signed(frame.x(op.b)) >= signed(frame.x(op.a))) { return look(frame) }
            case .beqzNear: if frame.branchNear(op, frame.x(op.b) == 0) { return look(frame) }
            case .bnezNear: if frame.branchNear(op, frame.x(op.b) != 0) { return look(frame) }
            case .cBeqzNear: if frame.branchNear(op, step: 1, frame.x(op.b) == 0) { return look(frame) }
            case .cBnezNear: if frame.branchNear(op, step: 1, frame.x(op.b) != 0) { return look(frame) }
            case .jNear: if frame.branchNear(op, true) { return look(frame) }
            case .cJNear: if frame.branchNear(op, step: 1, true) { return look(frame) }
            case .jalNear:
                frame.setX(op.a, frame.pc &+ 4)
                if frame.branchNear(op, true) { return look(frame) }
            case .beq:
                if frame.branch(op, frame.x(op.b) == frame.x(op.a)) && !far(&frame) { return .look }
            case .bne:
                if frame.branch(op, frame.x(op.b) != frame.x(op.a)) && !far(&frame) { return .look }
            case .bltu:
                if frame.branch(op, frame.x(op.b) < frame.x(op.a)) && !far(&frame) { return .look }
            case .bgeu:
                if frame.branch(op, frame.x(op.b) >= frame.x(op.a)) && !far(&frame) { return .look }
            case .blt:
                if frame.branch(op, signed(frame.x(op.b)) < signed(frame.x(op.a))) && !far(&frame) {
                    return .look
                }
            case .bge:
                if frame.branch(op, signed(frame.x(op.b)) >= signed(frame.x(op.a))) && !far(&frame) {
                    return .look
                }
            case .cBeqz:
                if frame.branch(op, step: 1, frame.x(op.b) == 0) && !far(&frame) { return .look }
            case .cBnez:
                if frame.branch(op, step: 1, frame.x(op.b) != 0) && !far(&frame) { return .look }
            case .cJ:
                if frame.branch(op, step: 1, true) && !far(&frame) { return .look }
            case .jal:
                let link = frame.pc &+ 4
                if frame.branch(op, true) && !far(&frame) {
                    frame.setX(op.a, link)
                    return .look
                }
                frame.setX(op.a, link)
            case .jalr:
                let target = (frame.x(op.b) &+ op.operand) & ~1
                frame.setX(op.a, frame.pc &+ 4)
                frame.hart.pointee.pc = target
                if !far(&frame) { return .look }
            case .cJr:
                let target = (frame.x(op.b) &+ op.operand) & ~1
                frame.hart.pointee.pc = target
                if !far(&frame) { return .look }
            case .cJalr:
                let target = (frame.x(op.b) &+ op.operand) & ~1
                frame.setX(op.a, frame.pc &+ 2)
                frame.hart.pointee.pc = target
                if !far(&frame) { return .look }

            // Loads and stores
            case .ld: if let way = load(op, &frame, .double) { return way }
            case .cLd: if let way = load(op, &frame, .double, step: 1) { return way }
            case .lw: if let way = load(op, &frame, .word, extended: word) { return way }
            case .cLw: if let way = load(op, &frame, .word, step: 1, extended: word) { return way }
            case .lwu: if let way = load(op, &frame, .word) { return way }
            case .lh: if let way = load(op, &frame, .half, extended: half) { return way }
            case .lhu: if let way = load(op, &frame, .half) { return way }
            case .lb: if let way = load(op, &frame, .byte, extended: byte) { return way }
            case .lbu: if let way = load(op, &frame, .byte) { return way }
            case .fld: if let way = loadF(op, &frame, .double) { return way }
            case .cFld: if let way = loadF(op, &frame, .double, step: 1) { return way }
            case .flw: if let way = loadF(op, &frame, .word) { return way }
            case .flh: if let way = loadF(op, &frame, .half) { return way }
            case .sd: if let way = store(op, &frame, .double) { return way }
            case .cSd: if let way = store(op, &frame, .double, step: 1) { return way }
            case .sw: if let way = store(op, &frame, .word) { return way }
            case .cSw: if let way = store(op, &frame, .word, step: 1) { return way }
            case .sh: if let way = store(op, &frame, .half) { return way }
            case .sb: if let way = store(op, &frame, .byte) { return way }
            case .fsd: if let way = storeF(op, &frame, .double) { return way }
            case .cFsd: if let way = storeF(op, &frame, .double, step: 1) { return way }
            case .fsw: if let way = storeF(op, &frame, .word) { return way }
            case .fsh: if let way = storeF(op, &frame, .half) { return way }

            // M
            case .mul: frame.register(op) { $0 &* $1 }
            case .mulh: frame.register(op) { ExtensionM.mulh($0, $1) }
            case .mulhsu: frame.register(op) { ExtensionM.mulhsu($0, $1) }
            case .mulhu: frame.register(op) { $0.multipliedFullWidth(by: $1).high }
            case .div: frame.register(op) { ExtensionM.div($0, $1) }
            case .divu: frame.register(op) { ExtensionM.divu($0, $1) }
            case .rem: frame.register(op) { ExtensionM.rem($0, $1) }
            case .remu: frame.register(op) { ExtensionM.remu($0, $1) }
            case .mulw: frame.register(op) { word($0 &* $1) }
            case .divw: frame.register(op) { ExtensionM.divw($0, $1) }
            case .divuw: frame.register(op) { ExtensionM.divuw($0, $1) }
            case .remw: frame.register(op) { ExtensionM.remw($0, $1) }
            case .remuw: frame.register(op) { ExtensionM.remuw($0, $1) }

            // Zba, Zbb, Zbs, Zicond; Zbc is outlined with them
            case .addUw: frame.register(op) { ($0 & 0xffff_ffff) &+ $1 }
            case .sh1add: frame.register(op) { $0 &<< 1 &+ $1 }
            case .sh2add: frame.register(op) { $0 &<< 2 &+ $1 }
            case .sh3add: frame.register(op) { $0 &<< 3 &+ $1 }
            case .sh1addUw: frame.register(op) { ($0 & 0xffff_ffff) &<< 1 &+ $1 }
            case .sh2addUw: frame.register(op) { ($0 & 0xffff_ffff) &<< 2 &+ $1 }
            case .sh3addUw: frame.register(op) { ($0 & 0xffff_ffff) &<< 3 &+ $1 }
            case .andn: frame.register(op) { $0 & ~$1 }
            case .orn: frame.register(op) { $0 | ~$1 }
            case .xnor: frame.register(op) { ~($0 ^ $1) }
            case .max: frame.register(op) { signed($0) > signed($1) ? $0 : $1 }
            case .maxu: frame.register(op) { Swift.max($0, $1) }
            case .min: frame.register(op) { signed($0) < signed($1) ? $0 : $1 }
            case .minu: frame.register(op) { Swift.min($0, $1) }
            case .rol: frame.register(op) { $0 &<< $1 | $0 &>> (64 &- $1) }
            case .ror: frame.register(op) { $0 &>> $1 | $0 &<< (64 &- $1) }
            case .bclr: frame.register(op) { $0 & ~(1 &<< $1) }
            case .bext: frame.register(op) { $0 &>> $1 & 1 }
            case .binv: frame.register(op) { $0 ^ 1 &<< $1 }
            case .bset: frame.register(op) { $0 | 1 &<< $1 }
            case .czeroEqz: frame.register(op) { $1 == 0 ? 0 : $0 }
            case .czeroNez: frame.register(op) { $1 != 0 ? 0 : $0 }
            case .slliUw: frame.immediate(op) { ($0 & 0xffff_ffff) &<< $1 }
            case .rori: frame.immediate(op) { $0 &>> $1 | $0 &<< (64 &- $1) }
            case .bclri: frame.immediate(op) { $0 & ~(1 &<< $1) }
            case .bexti: frame.immediate(op) { $0 &>> $1 & 1 }
            case .binvi: frame.immediate(op) { $0 ^ 1 &<< $1 }
            case .bseti: frame.immediate(op) { $0 | 1 &<< $1 }
            case .clz: frame.unary(op) { UInt64($0.leadingZeroBitCount) }
            case .ctz: frame.unary(op) { UInt64($0.trailingZeroBitCount) }
            case .cpop: frame.unary(op) { UInt64($0.nonzeroBitCount) }
            case .sextB: frame.unary(op) { UInt64(bitPattern: Int64(Int8(truncatingIfNeeded: $0))) }
            case .sextH: frame.unary(op) { UInt64(bitPattern: Int64(Int16(truncatingIfNeeded: $0))) }
            case .zextH: frame.unary(op) { $0 & 0xffff }
            case .orcB: frame.unary(op) { ExtensionZb.orCombine($0) }
            case .rev8: frame.unary(op) { $0.byteSwapped }
            case .clzw, .ctzw, .cpopw, .rolw, .rorw, .roriw, .clmul, .clmulr, .clmulh:
                frame.setX(op.a, ExtensionZb.rare(op, frame.x(op.b), frame.hart.x(op.rs2)))
                frame.op = frame.op + 2

            // Outlined
            case .fence:
                // Stores before loads: the one order that hosts with total store order do not keep by themselves.
                ga_fence()
                frame.op = frame.op + 2
            case .decode:
                frame.retired &-= 1
                decode(frame.base, index: frame.op - frame.base)
            case .lrW, .lrD, .scW, .scD, .amoswapW, .amoswapD, .amoaddW, .amoaddD, .amoxorW, .amoxorD, .amoandW,
                .amoandD, .amoorW, .amoorD, .amominW, .amominD, .amomaxW, .amomaxD, .amominuW, .amominuD, .amomaxuW,
                .amomaxuD:
                frame.save()
                let outcome = executeAtomic(op)
                guard outcome == .next else { return outcome }
                frame.op = frame.op + 2
            case .fmadd, .fmsub, .fnmsub, .fnmadd, .fadd, .fsub, .fmul, .fdiv, .fsqrt, .fsgnj, .fsgnjn, .fsgnjx, .fmin,
                .fmax, .feq, .flt, .fle, .fclass, .fcvtToW, .fcvtToWu, .fcvtToL, .fcvtToLu, .fcvtFromW, .fcvtFromWu,
                .fcvtFromL, .fcvtFromLu, .fcvtFloat, .fmvToX, .fmvFromX:
                guard executeFloat(op) else { return illegal(frame) }
                frame.op = frame.op + 2
            case .csrrw, .csrrs, .csrrc, .csrrwi, .csrrsi, .csrrci, .mret, .sret, .wfi, .sfenceVMA, .sinvalVMA,
                .sfenceInvalOrder, .cboInval, .cboClean, .cboZero, .ecall, .ebreak, .cEbreak, .fenceI, .pause,
                .wrsNto, .wrsSto:
                frame.save()
                let outcome = executeSystem(op)
                guard outcome == .next else { return outcome }
                frame.op = frame.op + 2
            case .straddle:
                frame.retired &-= 1
                frame.save()
                guard let alone = decodeAlone() else { return .fetch }
                frame.enterAlone(alone, at: frame.hart.pointee.pc)
            case .pageEnd, .scratchEnd:
                frame.retired &-= 1
                frame.save()
                if !frame.jump(to: frame.hart.pointee.pc) { return .fetch }
            case .breakpointHit:
                frame.retired &-= 1
                frame.save()
                if hasBreakpoint() { return leave(.debug(.breakpoint), after: 0) }
                // Another page's breakpoint at the same place in the page.
                guard let alone = decodeAlone() else { return .fetch }
                frame.enterAlone(alone, at: frame.hart.pointee.pc)
            case .illegal:
                return illegal(frame)
            }
        }
    }

    /// Goes to the target in the state's PC; false if the loop must be left for it, the state written back.
    @inline(__always)
    private func far(_ frame: inout Frame) -> Bool {
        let target = frame.hart.pointee.pc
        if !frame.hasRequests && frame.jump(to: target) { return true }
        frame.hart.pointee.retired = frame.retired
        frame.hart.pointee.pc = target
        return false
    }

    @inline(__always)
    private func look(_ frame: Frame) -> Outcome {
        frame.save()
        return .look
    }

    @inline(never)
    func illegal(_ frame: Frame) -> Outcome {
        frame.save()
        raiseIllegal()
        return .fetch
    }

    @inline(never)
    private func hasBreakpoint() -> Bool { debug.breakpoints.contains(state.pointee.pc) }

    /// A watchpoint was hit by the instruction before the frame's micro-op.
    @inline(never)
    func stop(_ frame: Frame) -> Outcome {
        frame.save()
        return leave(.debug(watchHit ?? .step), after: 0)
    }
}

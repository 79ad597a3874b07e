// SPDX-License-Identifier: Apache-2.0

/// From an instruction's bits to its micro-op.
enum Decoder {
    /// Decodes `bits`: a 32-bit instruction, or a 16-bit one in the low half.
    ///
    /// `index` is the instruction's place in its page in units of 2 bytes, for near branches; nil where the micro-op
    /// will run outside of a page, which leaves out near forms.
    static func decode(_ bits: UInt32, index: Int?) -> MicroOp {
        if bits & 3 != 3 {
            guard let expanded = Compressed.expand(UInt16(truncatingIfNeeded: bits)) else {
                return MicroOp(.illegal, immediate: Int32(bits & 0xffff))
            }
            return compressed(decode(wide: expanded), index: index)
        }
        return near(decode(wide: bits), index: index, length: 2)
    }

    /// The micro-op of a 32-bit instruction in its general form.
    static func decode(wide bits: UInt32) -> MicroOp {
        guard let row = InstructionSet.row(of: bits) else {
            return MicroOp(.illegal, immediate: Int32(bitPattern: bits))
        }
        let rd = UInt8(bits >> 7 & 31)
        let rs1 = UInt8(bits >> 15 & 31)
        let rs2 = UInt8(bits >> 20 & 31)
        let target = rd == 0 ? 32 : rd
        let signed = Int32(bitPattern: bits)
        switch row.format {
        case .r, .atomic:
            return MicroOp(row.operation, a: target, b: rs1, immediate: Int32(rs2))
        case .i:
            return simplified(MicroOp(row.operation, a: target, b: rs1, immediate: signed >> 20))
        case .shift64:
            return MicroOp(row.operation, a: target, b: rs1, immediate: signed >> 20 & 63)
        case .shift32:
            return MicroOp(row.operation, a: target, b: rs1, immediate: signed >> 20 & 31)
        case .s, .floatStore:
            return MicroOp(row.operation, a: rs2, b: rs1, immediate: (signed >> 25) << 5 | Int32(rd))
        case .floatLoad:
            return MicroOp(row.operation, a: rd, b: rs1, immediate: signed >> 20)
        case .b:
            return MicroOp(row.operation, a: rs2, b: rs1, immediate: branchDistance(bits))
        case .u:
            let value = Int32(bitPattern: bits & 0xffff_f000)
            return MicroOp(row.operation == .lui ? .li : row.operation, a: target, b: 0, immediate: value)
        case .j:
            return MicroOp(row.operation, a: target, immediate: jumpDistance(bits))
        case .none, .fence:
            return MicroOp(row.operation, a: target, b: rs1, immediate: signed)
        case .sources:
            return MicroOp(row.operation, a: rs2, b: rs1, immediate: Int32(rs2))
        case .csr, .csrImmediate:
            return MicroOp(row.operation, a: target, b: rs1, immediate: Int32(bits >> 20))
        case .float4, .float2, .float1, .integerToFloat, .floatToInteger, .floatCompare:
            var operands = Int32(rs2) | Int32(bits >> 27) << 8
            operands |= Int32(bits >> 12 & 7) << 16 | Int32(row.floatFormat) << 24
            let toInteger = row.format == .floatToInteger || row.format == .floatCompare
            return MicroOp(row.operation, a: toInteger ? target : rd, b: rs1, immediate: operands)
        }
    }

    // RISC-V Unpriv 20240411 §2.3: imm[12|10:5] rs2 rs1 funct3 imm[4:1|11].
    private static func branchDistance(_ bits: UInt32) -> Int32 {
        let sign = (Int32(bitPattern: bits) >> 31) << 12
        return sign | Int32(bits >> 7 & 1) << 11 | Int32(bits >> 25 & 63) << 5 | Int32(bits >> 8 & 15) << 1
    }

    // imm[20|10:1|11|19:12] rd.
    private static func jumpDistance(_ bits: UInt32) -> Int32 {
        let sign = (Int32(bitPattern: bits) >> 31) << 20
        return sign | Int32(bits >> 12 & 255) << 12 | Int32(bits >> 20 & 1) << 11 | Int32(bits >> 21 & 1023) << 1
    }

    /// `addi` with x0 is a constant, with 0 a copy.
    private static func simplified(_ op: MicroOp) -> MicroOp {
        guard op.operation == .addi else { return op }
        if op.b == 0 { return MicroOp(.li, a: op.a, immediate: op.immediate) }
        if op.immediate == 0 { return MicroOp(.mv, a: op.a, b: op.b) }
        return op
    }

    /// The near form of a branch whose target is in the same page.
    private static func near(_ op: MicroOp, index: Int?, length: Int) -> MicroOp {
        guard let index else { return op }
        var op = op
        let distance = Int(op.immediate) >> 1
        guard index + distance >= 0, index + distance < CodeCache.opsPerPage else { return op }
        switch op.operation {
        case .jal: op.operation = op.a == 32 ? .jNear : .jalNear
        case .beq: op.operation = op.a == 0 ? .beqzNear : .beqNear
        case .bne: op.operation = op.a == 0 ? .bnezNear : .bneNear
        case .blt: op.operation = .bltNear
        case .bge: op.operation = .bgeNear
        case .bltu: op.operation = .bltuNear
        case .bgeu: op.operation = .bgeuNear
        case .cJ: op.operation = .cJNear
        case .cBeqz: op.operation = .cBeqzNear
        case .cBnez: op.operation = .cBnezNear
        default: return op
        }
        op.immediate = Int32(distance)
        return op
    }

    /// The form with a step of 2 bytes of what a compressed instruction expands to.
    private static func compressed(_ op: MicroOp, index: Int?) -> MicroOp {
        var op = op
        switch op.operation {
        case .li: op.operation = .cLi
        case .mv: op.operation = .cMv
        case .addi: op.operation = .cAddi
        case .addiw: op.operation = .cAddiw
        case .srli: op.operation = .cSrli
        case .srai: op.operation = .cSrai
        case .andi: op.operation = .cAndi
        case .slli: op.operation = .cSlli
        case .sub: op.operation = .cSub
        case .xor: op.operation = .cXor
        case .or: op.operation = .cOr
        case .and: op.operation = .cAnd
        case .subw: op.operation = .cSubw
        case .addw: op.operation = .cAddw
        case .add: op = op.b == 0 ? MicroOp(.cMv, a: op.a, b: UInt8(op.rs2)) : MicroOp(.cAdd, op)
        case .lw: op.operation = .cLw
        case .ld: op.operation = .cLd
        case .sw: op.operation = .cSw
        case .sd: op.operation = .cSd
        case .fld: op.operation = .cFld
        case .fsd: op.operation = .cFsd
        case .jal: op.operation = .cJ
        case .beq: op.operation = .cBeqz
        case .bne: op.operation = .cBnez
        case .jalr: op.operation = op.a == 32 ? .cJr : .cJalr
        case .ebreak: op.operation = .cEbreak
        default: preconditionFailure("every expansion of a compressed instruction has a form of its own")
        }
        return near(op, index: index, length: 1)
    }
}

extension MicroOp {
    /// The same operands for another operation.
    init(_ operation: Operation, _ operands: MicroOp) {
        self = operands
        self.operation = operation
    }
}

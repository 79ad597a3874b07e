// SPDX-License-Identifier: Apache-2.0

/// From an instruction's bits to the assembler's text, by the same rows that decode it.
public enum Disassembler {
    /// The instruction in the low 16 or all 32 bits of `bits` as text, operands as the assembler takes them. A compressed
    /// instruction shows as what it stands for. `address` makes branch targets absolute. What is no instruction shows
    /// as its bits: `.half 0x0000`, `.word 0x00000000`.
    public static func text(_ bits: UInt32, at address: UInt64 = 0) -> String {
        if bits & 3 != 3 {
            guard let expanded = Compressed.expand(UInt16(truncatingIfNeeded: bits)) else {
                return ".half 0x" + hex(UInt64(bits & 0xffff), digits: 4)
            }
            return text(expanded, at: address)
        }
        guard let row = InstructionSet.row(of: bits) else { return ".word 0x" + hex(UInt64(bits), digits: 8) }
        let operands = operands(row, bits, address)
        let name = "\(row.name)" + ordering(row, bits)
        return operands.isEmpty ? name : "\(name) " + operands.joined(separator: ",")
    }

    /// What follows an atomic's name for its aq and rl bits, and a fence's for fm.
    private static func ordering(_ row: InstructionRow, _ bits: UInt32) -> String {
        switch row.format {
        case .atomic: ["", ".rl", ".aq", ".aqrl"][Int(bits >> 25 & 3)]
        case .fence where bits == 0x8330_000f: ".tso"
        default: ""
        }
    }

    private static func operands(_ row: InstructionRow, _ bits: UInt32, _ address: UInt64) -> [String] {
        let rd = integerNames[Int(bits >> 7 & 31)]
        let rs1 = integerNames[Int(bits >> 15 & 31)]
        let rs2 = integerNames[Int(bits >> 20 & 31)]
        let fd = floatNames[Int(bits >> 7 & 31)]
        let fs1 = floatNames[Int(bits >> 15 & 31)]
        let fs2 = floatNames[Int(bits >> 20 & 31)]
        let fs3 = floatNames[Int(bits >> 27)]
        let op = Decoder.decode(wide: bits)
        let immediate = Int32(bitPattern: bits) >> 20
        let store = (Int32(bitPattern: bits) >> 25) << 5 | Int32(bits >> 7 & 31)
        switch row.format {
        case .r: return [rd, rs1, rs2]
        case .i where isLoad(bits) || row.operation == .jalr: return [rd, "\(immediate)(\(rs1))"]
        case .i where row.mask == 0xfff0_707f: return [rd, rs1]
        case .i: return [rd, rs1, "\(immediate)"]
        case .shift64: return [rd, rs1, "\(bits >> 20 & 63)"]
        case .shift32: return [rd, rs1, "\(bits >> 20 & 31)"]
        case .s: return [rs2, "\(store)(\(rs1))"]
        case .b: return [rs1, rs2, target(address, op.immediate)]
        case .u: return [rd, "0x" + hex(UInt64(bits >> 12), digits: 1)]
        case .j: return [rd, target(address, op.immediate)]
        case .none: return []
        case .sources where bits & 0x7f == 0x0f: return ["(\(rs1))"]
        case .sources: return [rs1, rs2]
        case .csr: return [rd, "0x" + hex(UInt64(bits >> 20), digits: 1), rs1]
        case .csrImmediate: return [rd, "0x" + hex(UInt64(bits >> 20), digits: 1), "\(bits >> 15 & 31)"]
        case .atomic where row.mask & 0x01f0_0000 != 0: return [rd, "(\(rs1))"]
        case .atomic: return [rd, rs2, "(\(rs1))"]
        case .fence: return bits >> 20 == 0 || bits == 0x8330_000f ? [] : [fenceSet(bits >> 24), fenceSet(bits >> 20)]
        case .floatLoad: return [fd, "\(immediate)(\(rs1))"]
        case .floatStore: return [fs2, "\(store)(\(rs1))"]
        case .float4: return [fd, fs1, fs2, fs3] + rounding(row, bits)
        case .float2: return [fd, fs1, fs2] + rounding(row, bits)
        case .float1: return [fd, fs1] + rounding(row, bits)
        case .floatCompare: return [rd, fs1, fs2]
        case .floatToInteger: return [rd, fs1] + rounding(row, bits)
        case .integerToFloat: return [fd, rs1] + rounding(row, bits)
        }
    }

    private static func isLoad(_ bits: UInt32) -> Bool { bits & 0x7f == 0x03 }

    private static func target(_ address: UInt64, _ distance: Int32) -> String {
        "0x" + hex(address &+ UInt64(bitPattern: Int64(distance)), digits: 1)
    }

    /// The mode where it is written out: not for dyn, nor where funct3 is part of the code, nor for a conversion that is
    /// always exact with the field's usual zero.
    private static func rounding(_ row: InstructionRow, _ bits: UInt32) -> [String] {
        let mode = Int(bits >> 12 & 7)
        guard row.mask & 0x7000 == 0, mode != 7, !(mode == 0 && isExact(row)) else { return [] }
        return mode < 5 ? [["rne", "rtz", "rdn", "rup", "rmm"][mode]] : ["\(mode)"]
    }

    /// Whether a conversion never rounds: to a format that holds all values of the source's.
    private static func isExact(_ row: InstructionRow) -> Bool {
        switch row.operation {
        case .fcvtFromW, .fcvtFromWu: row.floatFormat == 1
        case .fcvtFloat: row.floatFormat == 1 || row.floatFormat == 0 && row.match >> 20 & 3 == 2
        default: false
        }
    }

    private static func fenceSet(_ bits: UInt32) -> String {
        var text = ""
        for (bit, letter) in [(UInt32(8), "i"), (4, "o"), (2, "r"), (1, "w")] where bits & bit != 0 { text += letter }
        return text.isEmpty ? "0" : text
    }

    private static func hex(_ value: UInt64, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    /// The names of the x registers by the calling convention (RISC-V psABI 1.0 §1.1).
    public static let integerNames = [
        "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7",
        "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
    ]

    /// The names of the f registers.
    public static let floatNames = [
        "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "fs0", "fs1", "fa0", "fa1", "fa2", "fa3", "fa4", "fa5",
        "fa6", "fa7", "fs2", "fs3", "fs4", "fs5", "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10",
        "ft11",
    ]
}

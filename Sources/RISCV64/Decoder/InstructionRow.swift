// SPDX-License-Identifier: Apache-2.0

/// How an instruction's operands lie in its 32 bits (RISC-V Unpriv 20240411 §2.2).
public enum InstructionFormat: UInt8, Sendable {
    case r, i, shift64, shift32, s, b, u, j
    /// No operands at all.
    case none
    /// rs1, and rs2 where there is one, without a destination: fences of address translation, cache blocks.
    case sources
    /// rd, rs1 or an immediate in its place, CSR number.
    case csr, csrImmediate
    /// rd, (rs1), rs2.
    case atomic
    /// `fence` with its sets.
    case fence
    /// Floating point: load and store.
    case floatLoad, floatStore
    /// Floating point: three, two and one sources in f registers; sources or destinations in x registers as named.
    case float4, float2, float1, floatToInteger, integerToFloat, floatCompare
}

/// One instruction as the manual's listings have it: which bits are fixed, how to read the others, and what it does.
public struct InstructionRow: Sendable {
    /// The assembler's name.
    public let name: StaticString
    /// The fixed bits' values.
    public let match: UInt32
    /// Which bits are fixed.
    public let mask: UInt32
    public let format: InstructionFormat
    let operation: Operation
    /// bits 26:25 of floating-point instructions as `FloatOperands.format` wants them.
    let floatFormat: UInt8

    init(
        _ name: StaticString, match: UInt32, mask: UInt32, _ format: InstructionFormat, _ operation: Operation,
        floatFormat: UInt8 = 0
    ) {
        self.name = name
        self.match = match
        self.mask = mask
        self.format = format
        self.operation = operation
        self.floatFormat = floatFormat
    }

    static func r(
        _ name: StaticString, _ opcode: UInt32, _ funct3: UInt32, _ funct7: UInt32, _ operation: Operation
    ) -> InstructionRow {
        InstructionRow(name, match: funct7 << 25 | funct3 << 12 | opcode, mask: 0xfe00_707f, .r, operation)
    }

    /// One source: rs2's field is part of the code.
    static func r1(
        _ name: StaticString, _ opcode: UInt32, _ funct3: UInt32, _ funct12: UInt32, _ operation: Operation
    ) -> InstructionRow {
        InstructionRow(name, match: funct12 << 20 | funct3 << 12 | opcode, mask: 0xfff0_707f, .i, operation)
    }

    static func i(
        _ name: StaticString, _ opcode: UInt32, _ funct3: UInt32, _ operation: Operation
    ) -> InstructionRow {
        InstructionRow(name, match: funct3 << 12 | opcode, mask: 0x707f, .i, operation)
    }

    /// A shift by 0 to 63.
    static func shift64(
        _ name: StaticString, _ opcode: UInt32, _ funct3: UInt32, _ funct6: UInt32, _ operation: Operation
    ) -> InstructionRow {
        InstructionRow(name, match: funct6 << 26 | funct3 << 12 | opcode, mask: 0xfc00_707f, .shift64, operation)
    }

    /// A shift by 0 to 31.
    static func shift32(
        _ name: StaticString, _ opcode: UInt32, _ funct3: UInt32, _ funct7: UInt32, _ operation: Operation
    ) -> InstructionRow {
        InstructionRow(name, match: funct7 << 25 | funct3 << 12 | opcode, mask: 0xfe00_707f, .shift32, operation)
    }

    static func s(
        _ name: StaticString, _ opcode: UInt32, _ funct3: UInt32, _ operation: Operation
    ) -> InstructionRow {
        InstructionRow(name, match: funct3 << 12 | opcode, mask: 0x707f, .s, operation)
    }

    static func b(_ name: StaticString, _ funct3: UInt32, _ operation: Operation) -> InstructionRow {
        InstructionRow(name, match: funct3 << 12 | 0x63, mask: 0x707f, .b, operation)
    }

    static func u(_ name: StaticString, _ opcode: UInt32, _ operation: Operation) -> InstructionRow {
        InstructionRow(name, match: opcode, mask: 0x7f, .u, operation)
    }

    /// All 32 bits fixed.
    static func fixed(_ name: StaticString, _ bits: UInt32, _ operation: Operation) -> InstructionRow {
        InstructionRow(name, match: bits, mask: 0xffff_ffff, .none, operation)
    }

    /// Bits 31:27 and the width in funct3; aq and rl are free.
    static func amo(
        _ name: StaticString, _ funct5: UInt32, _ funct3: UInt32, _ operation: Operation
    ) -> InstructionRow {
        InstructionRow(
            name, match: funct5 << 27 | funct3 << 12 | 0x2f, mask: 0xf800_707f, .atomic, operation)
    }
}

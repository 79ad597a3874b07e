// SPDX-License-Identifier: Apache-2.0

/// Builders of floating-point rows; the format is what bits 26:25 say (RISC-V Unpriv 20240411 §20.6).
extension InstructionRow {
    /// Three sources (`fmadd` and its kin): opcode and format.
    static func float4(
        _ name: StaticString, _ opcode: UInt32, _ format: UInt32, _ operation: Operation
    ) -> InstructionRow {
        InstructionRow(
            name, match: format << 25 | opcode, mask: 0x0600_007f, .float4, operation, floatFormat: UInt8(format))
    }

    /// Two sources and a rounding mode.
    static func float2(
        _ name: StaticString, _ funct5: UInt32, _ format: UInt32, _ operation: Operation
    ) -> InstructionRow {
        InstructionRow(
            name, match: funct5 << 27 | format << 25 | 0x53, mask: 0xfe00_007f, .float2, operation,
            floatFormat: UInt8(format))
    }

    /// Two sources with funct3 as part of the code: sign injection, minimum and maximum, and comparisons.
    static func floatFixed(
        _ name: StaticString, _ funct5: UInt32, _ funct3: UInt32, _ format: UInt32, _ operation: Operation,
        _ shape: InstructionFormat = .float2
    ) -> InstructionRow {
        InstructionRow(
            name, match: funct5 << 27 | format << 25 | funct3 << 12 | 0x53, mask: 0xfe00_707f, shape, operation,
            floatFormat: UInt8(format))
    }

    /// One source and a rounding mode: rs2's field is part of the code.
    static func float1(
        _ name: StaticString, _ funct5: UInt32, _ rs2: UInt32, _ format: UInt32, _ operation: Operation,
        _ shape: InstructionFormat = .float1
    ) -> InstructionRow {
        InstructionRow(
            name, match: funct5 << 27 | format << 25 | rs2 << 20 | 0x53, mask: 0xfff0_007f, shape, operation,
            floatFormat: UInt8(format))
    }

    /// One source, rs2's field and funct3 part of the code: moves and classification.
    static func floatMove(
        _ name: StaticString, _ funct5: UInt32, _ funct3: UInt32, _ format: UInt32, _ operation: Operation,
        _ shape: InstructionFormat
    ) -> InstructionRow {
        InstructionRow(
            name, match: funct5 << 27 | format << 25 | funct3 << 12 | 0x53, mask: 0xfff0_707f, shape, operation,
            floatFormat: UInt8(format))
    }
}

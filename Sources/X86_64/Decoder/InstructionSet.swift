// SPDX-License-Identifier: Apache-2.0

/// All rows of the instruction set, and the search among them.
public enum InstructionSet {
    /// Every instruction, room by room.
    public static let rows: [InstructionRow] = integerRows + systemRows + floatingRows

    /// Every row that the integer room executes.
    static let integerRows: [InstructionRow] =
        Arithmetic.rows + Moves.rows + Shifts.rows + Multiplication.rows + BitTests.rows + BitManipulation.rows
        + Branches.rows + Stack.rows + Strings.rows + FlagInstructions.rows + Decimal.rows + Conversions.rows
        + Conditionals.rows + Hints.rows + RandomNumbers.rows

    /// Every row that the system room executes.
    static let systemRows: [InstructionRow] =
        SegmentInstructions.rows + FarTransfers.rows + DescriptorTables.rows + ControlRegisters.rows
        + ModelSpecific.rows + Ports.rows

    /// Every row of floating point and vectors.
    static let floatingRows: [InstructionRow] =
        ExtensionX87.rows + ExtensionMMX.rows + ExtensionSSE.rows + ExtensionSSE2.rows + ExtensionSSE3.rows
        + ExtensionSSSE3.rows + ExtensionSSE41.rows + ExtensionSSE42.rows + ExtensionAES.rows + ExtensionSHA.rows
        + ExtensionAVX.rows + ExtensionAVX.integers + ExtensionAVX2.rows + ExtensionAVX2.integers + ExtensionFMA.rows
        + ExtensionF16C.rows + ExtensionXSAVE.rows

    /// The rows that an opcode may stand for, by map × 256 + opcode.
    private static let buckets: [[Int]] = {
        var buckets = [[Int]](repeating: [], count: 4 * 256)
        for (number, row) in rows.enumerated() {
            for offset in 0..<(row.encoding.hasRegister ? 8 : 1) {
                buckets[Int(row.encoding.map.rawValue) << 8 | Int(row.encoding.opcode) + offset].append(number)
            }
        }
        return buckets
    }()

    /// The numbers of the rows with this opcode.
    static func candidates(_ map: Encoding.Map, _ opcode: UInt8) -> [Int] {
        buckets[Int(map.rawValue) << 8 | Int(opcode)]
    }
}

// SPDX-License-Identifier: Apache-2.0

/// All rows of the instruction set, and the search among them.
public enum InstructionSet {
    /// Every 32-bit instruction, extension by extension.
    public static let rows: [InstructionRow] =
        ExtensionI.rows + ExtensionM.rows + ExtensionA.rows + ExtensionZicsr.rows + ExtensionPrivileged.rows
        + ExtensionZic.rows + ExtensionZb.rows + ExtensionF.rows + ExtensionD.rows + ExtensionZfh.rows

    /// The rows by major opcode, bits 6:2, those with the most fixed bits first.
    private static let buckets: [[InstructionRow]] = (0..<32).map { opcode in
        rows.filter { $0.match >> 2 & 31 == UInt32(opcode) }
            .sorted { $0.mask.nonzeroBitCount > $1.mask.nonzeroBitCount }
    }

    /// The row of a 32-bit instruction, or nil where there is none.
    public static func row(of bits: UInt32) -> InstructionRow? {
        guard bits & 3 == 3 else { return nil }
        for row in buckets[Int(bits >> 2 & 31)] where bits & row.mask == row.match { return row }
        return nil
    }
}

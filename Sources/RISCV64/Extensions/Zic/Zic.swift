// SPDX-License-Identifier: Apache-2.0

/// Cache blocks, 64 bytes each (Zicbom, Zicboz: RISC-V CMO 1.0 §3), and conditional zeroing (Zicond 1.0 §2).
enum ExtensionZic {
    static let rows: [InstructionRow] = [
        InstructionRow("cbo.inval", match: 0x0000_200f, mask: 0xfff0_7fff, .sources, .cboInval),
        InstructionRow("cbo.clean", match: 0x0010_200f, mask: 0xfff0_7fff, .sources, .cboClean),
        InstructionRow("cbo.flush", match: 0x0020_200f, mask: 0xfff0_7fff, .sources, .cboClean),
        InstructionRow("cbo.zero", match: 0x0040_200f, mask: 0xfff0_7fff, .sources, .cboZero),
        .r("czero.eqz", 0x33, 5, 0x07, .czeroEqz),
        .r("czero.nez", 0x33, 7, 0x07, .czeroNez),
    ]
}

// SPDX-License-Identifier: Apache-2.0

/// Control and status registers (RISC-V Unpriv 20240411 §7).
enum ExtensionZicsr {
    static let rows: [InstructionRow] = [
        InstructionRow("csrrw", match: 0x1073, mask: 0x707f, .csr, .csrrw),
        InstructionRow("csrrs", match: 0x2073, mask: 0x707f, .csr, .csrrs),
        InstructionRow("csrrc", match: 0x3073, mask: 0x707f, .csr, .csrrc),
        InstructionRow("csrrwi", match: 0x5073, mask: 0x707f, .csrImmediate, .csrrwi),
        InstructionRow("csrrsi", match: 0x6073, mask: 0x707f, .csrImmediate, .csrrsi),
        InstructionRow("csrrci", match: 0x7073, mask: 0x707f, .csrImmediate, .csrrci),
    ]
}

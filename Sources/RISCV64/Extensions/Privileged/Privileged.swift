// SPDX-License-Identifier: Apache-2.0

/// Trap returns, waiting and fences of address translation (RISC-V Priv 1.13 §3.3, §12.2; Svinval §11).
enum ExtensionPrivileged {
    static let rows: [InstructionRow] = [
        .fixed("mret", 0x3020_0073, .mret),
        .fixed("sret", 0x1020_0073, .sret),
        .fixed("wfi", 0x1050_0073, .wfi),
        InstructionRow("sfence.vma", match: 0x1200_0073, mask: 0xfe00_7fff, .sources, .sfenceVMA),
        InstructionRow("sinval.vma", match: 0x1600_0073, mask: 0xfe00_7fff, .sources, .sinvalVMA),
        .fixed("sfence.w.inval", 0x1800_0073, .sfenceInvalOrder),
        .fixed("sfence.inval.ir", 0x1810_0073, .sfenceInvalOrder),
    ]
}

// SPDX-License-Identifier: Apache-2.0

/// Atomics: Zalrsc, Zaamo (RISC-V Unpriv 20240411 §13) and Zawrs (§14).
enum ExtensionA {
    static let rows: [InstructionRow] = [
        InstructionRow("lr.w", match: 0x1000_202f, mask: 0xf9f0_707f, .atomic, .lrW),
        InstructionRow("lr.d", match: 0x1000_302f, mask: 0xf9f0_707f, .atomic, .lrD),
        .amo("sc.w", 0x03, 2, .scW),
        .amo("sc.d", 0x03, 3, .scD),
        .amo("amoswap.w", 0x01, 2, .amoswapW),
        .amo("amoswap.d", 0x01, 3, .amoswapD),
        .amo("amoadd.w", 0x00, 2, .amoaddW),
        .amo("amoadd.d", 0x00, 3, .amoaddD),
        .amo("amoxor.w", 0x04, 2, .amoxorW),
        .amo("amoxor.d", 0x04, 3, .amoxorD),
        .amo("amoand.w", 0x0c, 2, .amoandW),
        .amo("amoand.d", 0x0c, 3, .amoandD),
        .amo("amoor.w", 0x08, 2, .amoorW),
        .amo("amoor.d", 0x08, 3, .amoorD),
        .amo("amomin.w", 0x10, 2, .amominW),
        .amo("amomin.d", 0x10, 3, .amominD),
        .amo("amomax.w", 0x14, 2, .amomaxW),
        .amo("amomax.d", 0x14, 3, .amomaxD),
        .amo("amominu.w", 0x18, 2, .amominuW),
        .amo("amominu.d", 0x18, 3, .amominuD),
        .amo("amomaxu.w", 0x1c, 2, .amomaxuW),
        .amo("amomaxu.d", 0x1c, 3, .amomaxuD),
        .fixed("wrs.nto", 0x00d0_0073, .wrsNto),
        .fixed("wrs.sto", 0x01d0_0073, .wrsSto),
    ]
}

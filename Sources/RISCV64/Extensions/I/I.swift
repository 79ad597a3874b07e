// SPDX-License-Identifier: Apache-2.0

/// RV64I (RISC-V Unpriv 20240411 §2, §4).
enum ExtensionI {
    static let rows: [InstructionRow] = [
        .u("lui", 0x37, .lui),
        .u("auipc", 0x17, .auipc),
        InstructionRow("jal", match: 0x6f, mask: 0x7f, .j, .jal),
        .i("jalr", 0x67, 0, .jalr),

        .b("beq", 0, .beq),
        .b("bne", 1, .bne),
        .b("blt", 4, .blt),
        .b("bge", 5, .bge),
        .b("bltu", 6, .bltu),
        .b("bgeu", 7, .bgeu),

        .i("lb", 0x03, 0, .lb),
        .i("lh", 0x03, 1, .lh),
        .i("lw", 0x03, 2, .lw),
        .i("ld", 0x03, 3, .ld),
        .i("lbu", 0x03, 4, .lbu),
        .i("lhu", 0x03, 5, .lhu),
        .i("lwu", 0x03, 6, .lwu),
        .s("sb", 0x23, 0, .sb),
        .s("sh", 0x23, 1, .sh),
        .s("sw", 0x23, 2, .sw),
        .s("sd", 0x23, 3, .sd),

        .i("addi", 0x13, 0, .addi),
        .i("slti", 0x13, 2, .slti),
        .i("sltiu", 0x13, 3, .sltiu),
        .i("xori", 0x13, 4, .xori),
        .i("ori", 0x13, 6, .ori),
        .i("andi", 0x13, 7, .andi),
        .shift64("slli", 0x13, 1, 0x00, .slli),
        .shift64("srli", 0x13, 5, 0x00, .srli),
        .shift64("srai", 0x13, 5, 0x10, .srai),
        .r("add", 0x33, 0, 0x00, .add),
        .r("sub", 0x33, 0, 0x20, .sub),
        .r("sll", 0x33, 1, 0x00, .sll),
        .r("slt", 0x33, 2, 0x00, .slt),
        .r("sltu", 0x33, 3, 0x00, .sltu),
        .r("xor", 0x33, 4, 0x00, .xor),
        .r("srl", 0x33, 5, 0x00, .srl),
        .r("sra", 0x33, 5, 0x20, .sra),
        .r("or", 0x33, 6, 0x00, .or),
        .r("and", 0x33, 7, 0x00, .and),

        .i("addiw", 0x1b, 0, .addiw),
        .shift32("slliw", 0x1b, 1, 0x00, .slliw),
        .shift32("srliw", 0x1b, 5, 0x00, .srliw),
        .shift32("sraiw", 0x1b, 5, 0x20, .sraiw),
        .r("addw", 0x3b, 0, 0x00, .addw),
        .r("subw", 0x3b, 0, 0x20, .subw),
        .r("sllw", 0x3b, 1, 0x00, .sllw),
        .r("srlw", 0x3b, 5, 0x00, .srlw),
        .r("sraw", 0x3b, 5, 0x20, .sraw),

        InstructionRow("fence", match: 0x0f, mask: 0x707f, .fence, .fence),
        // Zihintpause (§10): a fence with pred W and no successor.
        .fixed("pause", 0x0100_000f, .pause),
        // Zifencei (§6).
        InstructionRow("fence.i", match: 0x100f, mask: 0x707f, .none, .fenceI),
        .fixed("ecall", 0x0000_0073, .ecall),
        .fixed("ebreak", 0x0010_0073, .ebreak),
    ]
}

// SPDX-License-Identifier: Apache-2.0

extension DebugRegisterSet {
    /// Where the groups of a hart's registers start, in the numbering that GDB itself uses for RISC-V.
    package enum RISCV64 {
        package static let programCounter = 32
        /// f0 to f31.
        package static let floating = 33
        /// A CSR's number is this plus its address; 4096 of them.
        package static let csr = 65
        /// The privilege, which is no register of the architecture.
        package static let privilege = 65 + 4096
    }

    /// A hart of RV64GC: the features that GDB documents in "RISC-V Features".
    package static let riscv64 = DebugRegisterSet(
        architecture: "riscv:rv64",
        features: [
            Feature("org.gnu.gdb.riscv.cpu", registers: riscvIntegers),
            Feature(
                "org.gnu.gdb.riscv.fpu",
                types: """
                        <union id="riscv_double">
                          <field name="float" type="ieee_single"/>
                          <field name="double" type="ieee_double"/>
                        </union>

                    """, registers: riscvFloats),
            Feature("org.gnu.gdb.riscv.csr", registers: riscvCSRs),
            Feature(
                "org.gnu.gdb.riscv.virtual", registers: [DebugRegister(RISCV64.privilege, "priv", group: "system")]),
        ], programCounter: RISCV64.programCounter)

    // The names of the psABI (RISC-V ELF psABI 1.0, §1 "Register Convention").
    private static let riscvIntegers: [DebugRegister] = [
        "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "fp", "s1", "a0", "a1", "a2", "a3", "a4", "a5",
        "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6", "pc",
    ].enumerated().map { number, name in
        switch name {
        case "ra", "pc": DebugRegister(number, name, type: "code_ptr")
        case "sp", "gp", "tp", "fp": DebugRegister(number, name, type: "data_ptr")
        default: DebugRegister(number, name)
        }
    }

    private static let riscvFloats: [DebugRegister] =
        [
            "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "fs0", "fs1", "fa0", "fa1", "fa2", "fa3", "fa4",
            "fa5", "fa6", "fa7", "fs2", "fs3", "fs4", "fs5", "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9",
            "ft10", "ft11",
        ].enumerated().map { DebugRegister(RISCV64.floating + $0, $1, type: "riscv_double", group: "float") }
        + [("fflags", 0x001), ("frm", 0x002), ("fcsr", 0x003)].map {
            DebugRegister(RISCV64.csr + $1, $0, group: "float")
        }

    // RISC-V Priv 1.13 §2.2; those that a hart here has.
    private static let riscvCSRs: [DebugRegister] =
        ([
            ("cycle", 0xC00), ("time", 0xC01), ("instret", 0xC02),
            ("sstatus", 0x100), ("sie", 0x104), ("stvec", 0x105), ("scounteren", 0x106), ("senvcfg", 0x10A),
            ("sscratch", 0x140), ("sepc", 0x141), ("scause", 0x142), ("stval", 0x143), ("sip", 0x144),
            ("stimecmp", 0x14D), ("satp", 0x180),
            ("mvendorid", 0xF11), ("marchid", 0xF12), ("mimpid", 0xF13), ("mhartid", 0xF14),
            ("mstatus", 0x300), ("misa", 0x301), ("medeleg", 0x302), ("mideleg", 0x303), ("mie", 0x304),
            ("mtvec", 0x305), ("mcounteren", 0x306), ("menvcfg", 0x30A), ("mcountinhibit", 0x320),
            ("mscratch", 0x340), ("mepc", 0x341), ("mcause", 0x342), ("mtval", 0x343), ("mip", 0x344),
            ("pmpcfg0", 0x3A0), ("pmpcfg2", 0x3A2), ("mcycle", 0xB00), ("minstret", 0xB02),
        ] + (0..<16).map { ("pmpaddr\($0)", 0x3B0 + $0) }).map {
            DebugRegister(RISCV64.csr + $1, $0, group: "system")
        }
}

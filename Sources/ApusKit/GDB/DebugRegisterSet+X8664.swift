// SPDX-License-Identifier: Apache-2.0

extension DebugRegisterSet {
    /// Where the groups of a processor's registers start, in the numbering that GDB itself uses for x86-64.
    package enum X8664 {
        package static let programCounter = 16
        package static let flags = 17
        /// cs, ss, ds, es, fs, gs.
        package static let segments = 18
        /// st0 to st7, of 80 bits: not carried, so a debugger shows them as unavailable.
        package static let x87 = 24
        /// fctrl to fop.
        package static let x87Control = 32
        package static let fsBase = 40
        package static let gsBase = 41
        /// What no debugger's feature has: the control registers, and the privilege level.
        package static let system = 42
    }

    /// A processor in 64-bit mode: the features that GDB documents in "i386 Features".
    package static let x86_64 = DebugRegisterSet(
        architecture: "i386:x86-64",
        features: [
            Feature("org.gnu.gdb.i386.core", types: x86Flags, registers: x86Core),
            Feature(
                "org.gnu.gdb.i386.segments",
                registers: [DebugRegister(X8664.fsBase, "fs_base"), DebugRegister(X8664.gsBase, "gs_base")]),
            Feature("org.apus.x86-64.system", registers: x86System),
        ], programCounter: X8664.programCounter)

    private static let x86Core: [DebugRegister] =
        [
            "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
            "r15",
        ].enumerated().map { number, name in
            DebugRegister(number, name, type: name == "rbp" || name == "rsp" ? "data_ptr" : "int64")
        }
        + [
            DebugRegister(X8664.programCounter, "rip", type: "code_ptr"),
            DebugRegister(X8664.flags, "eflags", bits: 32, type: "i386_eflags"),
        ]
        + ["cs", "ss", "ds", "es", "fs", "gs"].enumerated().map {
            DebugRegister(X8664.segments + $0, $1, bits: 32, type: "int32")
        }
        + (0..<8).map { DebugRegister(X8664.x87 + $0, "st\($0)", bits: 80, type: "i387_ext") }
        + ["fctrl", "fstat", "ftag", "fiseg", "fioff", "foseg", "fooff", "fop"].enumerated().map {
            DebugRegister(X8664.x87Control + $0, $1, bits: 32, type: "int", group: "float")
        }

    private static let x86System: [DebugRegister] =
        ["cr0", "cr2", "cr3", "cr4", "cr8", "efer", "cpl"].enumerated().map {
            DebugRegister(X8664.system + $0, $1, group: "system")
        }

    // Intel SDM Vol 1 §3.4.3, figure 3-8.
    private static let x86Flags =
        "    <flags id=\"i386_eflags\" size=\"4\">\n"
        + [
            ("CF", 0), ("", 1), ("PF", 2), ("AF", 4), ("ZF", 6), ("SF", 7), ("TF", 8), ("IF", 9), ("DF", 10),
            ("OF", 11),
            ("NT", 14), ("RF", 16), ("VM", 17), ("AC", 18), ("VIF", 19), ("VIP", 20), ("ID", 21),
        ].map { "      <field name=\"\($0)\" start=\"\($1)\" end=\"\($1)\"/>\n" }.joined() + "    </flags>\n"
}

// SPDX-License-Identifier: Apache-2.0

/// A feature with its name on the command line, and what it cannot be without.
public struct FeatureRow: Sendable {
    /// The name that is printed: lower case, words joined by hyphens.
    public let name: StaticString
    public let feature: Feature
    /// What has to be there too.
    public let requires: Feature?

    init(_ name: StaticString, _ feature: Feature, needs requires: Feature? = nil) {
        self.name = name
        self.feature = feature
        self.requires = requires
    }
}

extension Feature {
    /// Every feature that a model may have, by name. A requirement stands above what requires it.
    public static let rows: [FeatureRow] = [
        FeatureRow("fpu", .fpu), FeatureRow("vme", .vme), FeatureRow("de", .de), FeatureRow("pse", .pse),
        FeatureRow("tsc", .tsc), FeatureRow("msr", .msr), FeatureRow("pae", .pae), FeatureRow("mce", .mce),
        FeatureRow("cx8", .cx8), FeatureRow("apic", .apic), FeatureRow("sep", .sep), FeatureRow("mtrr", .mtrr),
        FeatureRow("pge", .pge), FeatureRow("mca", .mca), FeatureRow("cmov", .cmov), FeatureRow("pat", .pat),
        FeatureRow("pse36", .pse36), FeatureRow("clflush", .clfsh), FeatureRow("mmx", .mmx, needs: .fpu),
        FeatureRow("fxsr", .fxsr), FeatureRow("sse", .sse, needs: .fxsr), FeatureRow("sse2", .sse2, needs: .sse),
        FeatureRow("ss", .selfSnoop),

        FeatureRow("sse3", .sse3, needs: .sse2), FeatureRow("pclmulqdq", .pclmulqdq, needs: .sse2),
        FeatureRow("ssse3", .ssse3, needs: .sse3), FeatureRow("cx16", .cx16, needs: .cx8),
        FeatureRow("pcid", .pcid, needs: .pge), FeatureRow("sse4.1", .sse41, needs: .ssse3),
        FeatureRow("sse4.2", .sse42, needs: .sse41), FeatureRow("x2apic", .x2apic, needs: .apic),
        FeatureRow("movbe", .movbe), FeatureRow("popcnt", .popcnt),
        FeatureRow("tsc-deadline", .tscDeadline, needs: .apic), FeatureRow("aes", .aes, needs: .sse2),
        FeatureRow("xsave", .xsave, needs: .fxsr), FeatureRow("avx", .avx, needs: .xsave),
        FeatureRow("fma", .fma, needs: .avx), FeatureRow("f16c", .f16c, needs: .avx),
        FeatureRow("rdrand", .rdrand), FeatureRow("hypervisor", .hypervisor),

        FeatureRow("fsgsbase", .fsgsbase), FeatureRow("tsc-adjust", .tscAdjust, needs: .tsc),
        FeatureRow("bmi1", .bmi1), FeatureRow("avx2", .avx2, needs: .avx), FeatureRow("smep", .smep),
        FeatureRow("bmi2", .bmi2), FeatureRow("erms", .erms), FeatureRow("invpcid", .invpcid),
        FeatureRow("rdseed", .rdseed), FeatureRow("adx", .adx), FeatureRow("smap", .smap),
        FeatureRow("clflushopt", .clflushopt, needs: .clfsh), FeatureRow("clwb", .clwb, needs: .clfsh),
        FeatureRow("sha-ni", .sha, needs: .sse2), FeatureRow("umip", .umip), FeatureRow("pku", .pku, needs: .xsave),
        FeatureRow("rdpid", .rdpid), FeatureRow("fsrm", .fsrm, needs: .erms), FeatureRow("md-clear", .mdClear),
        FeatureRow("serialize", .serialize), FeatureRow("spec-ctrl", .specControl),
        FeatureRow("arch-capabilities", .archCapabilities), FeatureRow("ssbd", .ssbd, needs: .specControl),

        FeatureRow("xsaveopt", .xsaveopt, needs: .xsave), FeatureRow("xsavec", .xsavec, needs: .xsave),
        FeatureRow("xgetbv1", .xgetbv1, needs: .xsave), FeatureRow("xsaves", .xsaves, needs: .xsavec),

        FeatureRow("lm", .lm, needs: .pae), FeatureRow("la57", .la57, needs: .lm), FeatureRow("pks", .pks, needs: .lm),
        FeatureRow("lahf-lm", .lahf, needs: .lm), FeatureRow("cr8legacy", .cr8Legacy), FeatureRow("abm", .abm),
        FeatureRow("misalignsse", .misalignedSSE, needs: .sse), FeatureRow("3dnowprefetch", .prefetchw),
        FeatureRow("topoext", .topologyExtensions), FeatureRow("syscall", .syscall), FeatureRow("nx", .nx, needs: .pae),
        FeatureRow("mmxext", .mmxext, needs: .mmx), FeatureRow("fxsr-opt", .fxsrOpt, needs: .fxsr),
        FeatureRow("pdpe1gb", .page1g, needs: .lm), FeatureRow("rdtscp", .rdtscp, needs: .tsc),
        FeatureRow("invtsc", .invariantTSC, needs: .tsc), FeatureRow("wbnoinvd", .wbnoinvd),
    ]

    /// Other names by which people know some of them.
    private static let aliases: [(name: StaticString, feature: Feature)] = [
        ("lzcnt", .abm), ("clfsh", .clfsh), ("clfl", .clfsh), ("pclmuldq", .pclmulqdq), ("sha", .sha),
        ("i64", .lm), ("xd", .nx), ("prefetchw", .prefetchw), ("ibrs", .specControl), ("pni", .sse3),
        ("ffxsr", .fxsrOpt),
    ]

    /// The feature of this name, however its words are joined, or nil.
    public static func named(_ name: String) -> Feature? {
        let wanted = plain(name)
        if let row = rows.first(where: { plain("\($0.name)") == wanted }) { return row.feature }
        return aliases.first { "\($0.name)" == wanted }?.feature
    }

    /// The name that is printed.
    public var name: String { Feature.rows.first { $0.feature == self }.map { "\($0.name)" } ?? "bit \(rawValue)" }

    /// Lower case without what joins words: `SSE4.1`, `sse4_1` and `sse41` are one name.
    private static func plain(_ name: String) -> String {
        name.lowercased().filter { $0 != "-" && $0 != "_" && $0 != "." }
    }
}

extension FeatureSet {
    /// The names of the features in it, in the order of the table.
    public var names: [String] { Feature.rows.filter { contains($0.feature) }.map { "\($0.name)" } }

    /// Takes out what cannot be without something that is not in the set.
    public mutating func removeUnsupported() {
        // One pass is enough: requirements stand above what requires them.
        for row in Feature.rows {
            if let needed = row.requires, contains(row.feature), !contains(needed) { remove(row.feature) }
        }
    }
}

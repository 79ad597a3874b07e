// SPDX-License-Identifier: Apache-2.0

extension FeatureSet {
    /// What every processor since the Pentium Pro has.
    private static let classic: FeatureSet = [
        .fpu, .de, .pse, .tsc, .msr, .pae, .mce, .cx8, .apic, .sep, .mtrr, .pge, .mca, .cmov, .pat, .pse36, .clfsh,
        .mmx, .fxsr, .sse, .sse2,
    ]
    /// The first x86-64 processors.
    private static let level1 = classic.union([.vme, .sse3, .syscall, .nx, .lm])
    /// x86-64-v2, as the psABI groups them.
    private static let level2 = level1.union([.ssse3, .sse41, .sse42, .popcnt, .cx16, .lahf])
    /// x86-64-v3.
    private static let level3 = level2.union([
        .avx, .avx2, .bmi1, .bmi2, .f16c, .fma, .abm, .movbe, .xsave,
    ])
    fileprivate static let nehalem = level2.union([.selfSnoop, .rdtscp])
    fileprivate static let ivyBridge = nehalem.union([
        .avx, .xsave, .xsaveopt, .aes, .pclmulqdq, .tscDeadline, .x2apic, .f16c, .rdrand, .fsgsbase, .smep, .erms,
        .pcid,
    ])
    fileprivate static let haswell = ivyBridge.union(level3).union([.invpcid, .tscAdjust])
    fileprivate static let skylake = haswell.union([
        .rdseed, .adx, .smap, .clflushopt, .xsavec, .xgetbv1, .prefetchw, .page1g,
    ])
    fileprivate static let epyc = level3.union([
        .aes, .pclmulqdq, .rdrand, .rdseed, .adx, .sha, .smep, .smap, .fsgsbase, .clflushopt, .xsaveopt, .xsavec,
        .xgetbv1, .rdtscp, .page1g, .fxsrOpt, .mmxext, .cr8Legacy, .misalignedSSE, .prefetchw, .topologyExtensions,
    ])

    /// What works on the interpreter, on translators and on KVM wherever there is a host of the last ten years.
    static let baseline = level3.union([
        .aes, .pclmulqdq, .rdrand, .rdseed, .adx, .fsgsbase, .tscAdjust, .smep, .smap, .umip, .erms, .invpcid, .pcid,
        .xsaveopt, .xsavec, .xgetbv1, .rdtscp, .page1g, .prefetchw, .clflushopt, .x2apic, .tscDeadline, .invariantTSC,
        .archCapabilities, .hypervisor, .selfSnoop,
    ])

    /// Everything that the interpreter has: all of the table.
    public static let interpreter = Feature.rows.reduce(into: FeatureSet()) { $0.insert($1.feature) }

    fileprivate static let qemu32 = classic.union([.sse3, .hypervisor])
    fileprivate static let qemu64 = classic.union([.sse3, .cx16, .lm, .syscall, .nx, .lahf, .hypervisor])
    fileprivate static let opteron1 = level1.union([.hypervisor])
}

extension CPUModel {
    /// What a VM has unless it is told otherwise.
    public static let baseline = CPUModel(
        name: "baseline", vendor: .intel, family: 6, model: 60, stepping: 4, features: .baseline,
        brand: "Apus virtual processor (x86-64-v3)", maximumLeaf: 0x16)

    /// All that can be had: of the interpreter here; `parse` takes away what another engine lacks.
    public static let maximum = CPUModel(
        name: "max", vendor: .amd, family: 25, model: 1, stepping: 1, features: .interpreter,
        brand: "Apus virtual processor", maximumLeaf: 0xd)

    /// The models that can be named.
    public static let named: [CPUModel] = [
        baseline, maximum,
        CPUModel(
            name: "qemu32", vendor: .intel, family: 6, model: 6, stepping: 3, features: .qemu32,
            brand: "QEMU Virtual CPU version 2.5+", maximumLeaf: 4),
        CPUModel(
            name: "qemu64", vendor: .amd, family: 15, model: 107, stepping: 1, features: .qemu64,
            brand: "QEMU Virtual CPU version 2.5+", maximumLeaf: 0xd),
        CPUModel(
            name: "Opteron_G1", vendor: .amd, family: 15, model: 6, stepping: 1, features: .opteron1,
            brand: "AMD Opteron 240 (Gen 1 Class Opteron)", maximumLeaf: 5),
        intel("Nehalem", 26, 3, .nehalem, "Intel Core i7 9xx (Nehalem Class Core i7)", leaf: 0xb),
        intel("IvyBridge", 58, 9, .ivyBridge, "Intel Xeon E3-12xx v2 (Ivy Bridge)", leaf: 0xd),
        intel("Haswell", 60, 4, .haswell, "Intel Core Processor (Haswell, no TSX)", leaf: 0xd),
        intel("Skylake-Client", 94, 3, .skylake, "Intel Core Processor (Skylake, no TSX)", leaf: 0x16),
        CPUModel(
            name: "EPYC", vendor: .amd, family: 23, model: 1, stepping: 2,
            features: .epyc.union([.hypervisor]), brand: "AMD EPYC Processor", maximumLeaf: 0xd),
    ]

    private static func intel(
        _ name: String, _ model: UInt32, _ stepping: UInt32, _ features: FeatureSet, _ brand: String, leaf: UInt32
    ) -> CPUModel {
        CPUModel(
            name: name, vendor: .intel, family: 6, model: model, stepping: stepping,
            features: features.union([.hypervisor]), brand: brand, maximumLeaf: leaf)
    }
}

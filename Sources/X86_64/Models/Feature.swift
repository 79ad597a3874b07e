// SPDX-License-Identifier: Apache-2.0

/// A register of a CPUID leaf that holds feature bits (Intel SDM Vol 2A "CPUID", AMD APM Vol 3 appendix E).
public enum FeatureWord: UInt16, Sendable, CaseIterable {
    case leaf1ECX, leaf1EDX, leaf7EBX, leaf7ECX, leaf7EDX, leaf7Sub1EAX, leafDSub1EAX
    case extended1ECX, extended1EDX, extended7EDX, extended8EBX, always
}

/// One feature of a processor: a bit of a CPUID register. What a model does not have faults with #UD or #GP where it is
/// used, and its bits in control registers are reserved.
public struct Feature: Hashable, Sendable {
    /// The number of the word times 32, plus the bit.
    public let rawValue: UInt16

    @inlinable
    init(_ word: FeatureWord, _ bit: UInt16) { rawValue = word.rawValue << 5 | bit }

    /// The CPUID register that says it.
    @inlinable
    public var word: Int { Int(rawValue >> 5) }

    /// The bit in it.
    @inlinable
    public var mask: UInt32 { 1 << UInt32(rawValue & 31) }
}

extension Feature {
    /// What every processor has: in every set.
    public static var base: Feature { Feature(.always, 0) }
}

// CPUID.01H:ECX
extension Feature {
    public static var sse3: Feature { Feature(.leaf1ECX, 0) }
    public static var pclmulqdq: Feature { Feature(.leaf1ECX, 1) }
    public static var monitor: Feature { Feature(.leaf1ECX, 3) }
    public static var ssse3: Feature { Feature(.leaf1ECX, 9) }
    public static var fma: Feature { Feature(.leaf1ECX, 12) }
    public static var cx16: Feature { Feature(.leaf1ECX, 13) }
    public static var pcid: Feature { Feature(.leaf1ECX, 17) }
    public static var sse41: Feature { Feature(.leaf1ECX, 19) }
    public static var sse42: Feature { Feature(.leaf1ECX, 20) }
    public static var x2apic: Feature { Feature(.leaf1ECX, 21) }
    public static var movbe: Feature { Feature(.leaf1ECX, 22) }
    public static var popcnt: Feature { Feature(.leaf1ECX, 23) }
    public static var tscDeadline: Feature { Feature(.leaf1ECX, 24) }
    public static var aes: Feature { Feature(.leaf1ECX, 25) }
    public static var xsave: Feature { Feature(.leaf1ECX, 26) }
    /// CR4.OSXSAVE, as CPUID shows it; no model has it by itself.
    public static var osxsave: Feature { Feature(.leaf1ECX, 27) }
    public static var avx: Feature { Feature(.leaf1ECX, 28) }
    public static var f16c: Feature { Feature(.leaf1ECX, 29) }
    public static var rdrand: Feature { Feature(.leaf1ECX, 30) }
    public static var hypervisor: Feature { Feature(.leaf1ECX, 31) }
}

// CPUID.01H:EDX
extension Feature {
    public static var fpu: Feature { Feature(.leaf1EDX, 0) }
    public static var vme: Feature { Feature(.leaf1EDX, 1) }
    public static var de: Feature { Feature(.leaf1EDX, 2) }
    public static var pse: Feature { Feature(.leaf1EDX, 3) }
    public static var tsc: Feature { Feature(.leaf1EDX, 4) }
    public static var msr: Feature { Feature(.leaf1EDX, 5) }
    public static var pae: Feature { Feature(.leaf1EDX, 6) }
    public static var mce: Feature { Feature(.leaf1EDX, 7) }
    public static var cx8: Feature { Feature(.leaf1EDX, 8) }
    /// The local APIC; CPUID shows it while IA32_APIC_BASE enables it.
    public static var apic: Feature { Feature(.leaf1EDX, 9) }
    public static var sep: Feature { Feature(.leaf1EDX, 11) }
    public static var mtrr: Feature { Feature(.leaf1EDX, 12) }
    public static var pge: Feature { Feature(.leaf1EDX, 13) }
    public static var mca: Feature { Feature(.leaf1EDX, 14) }
    public static var cmov: Feature { Feature(.leaf1EDX, 15) }
    public static var pat: Feature { Feature(.leaf1EDX, 16) }
    public static var pse36: Feature { Feature(.leaf1EDX, 17) }
    public static var clfsh: Feature { Feature(.leaf1EDX, 19) }
    public static var mmx: Feature { Feature(.leaf1EDX, 23) }
    public static var fxsr: Feature { Feature(.leaf1EDX, 24) }
    public static var sse: Feature { Feature(.leaf1EDX, 25) }
    public static var sse2: Feature { Feature(.leaf1EDX, 26) }
    public static var selfSnoop: Feature { Feature(.leaf1EDX, 27) }
    /// More than one logical processor in the package; follows the machine's topology.
    public static var htt: Feature { Feature(.leaf1EDX, 28) }
}

// CPUID.(07H,0) and (07H,1)
extension Feature {
    public static var fsgsbase: Feature { Feature(.leaf7EBX, 0) }
    public static var tscAdjust: Feature { Feature(.leaf7EBX, 1) }
    public static var bmi1: Feature { Feature(.leaf7EBX, 3) }
    public static var avx2: Feature { Feature(.leaf7EBX, 5) }
    public static var smep: Feature { Feature(.leaf7EBX, 7) }
    public static var bmi2: Feature { Feature(.leaf7EBX, 8) }
    public static var erms: Feature { Feature(.leaf7EBX, 9) }
    public static var invpcid: Feature { Feature(.leaf7EBX, 10) }
    public static var rdseed: Feature { Feature(.leaf7EBX, 18) }
    public static var adx: Feature { Feature(.leaf7EBX, 19) }
    public static var smap: Feature { Feature(.leaf7EBX, 20) }
    public static var clflushopt: Feature { Feature(.leaf7EBX, 23) }
    public static var clwb: Feature { Feature(.leaf7EBX, 24) }
    public static var sha: Feature { Feature(.leaf7EBX, 29) }
    public static var umip: Feature { Feature(.leaf7ECX, 2) }
    public static var pku: Feature { Feature(.leaf7ECX, 3) }
    /// CR4.PKE, as CPUID shows it; no model has it by itself.
    public static var ospke: Feature { Feature(.leaf7ECX, 4) }
    public static var waitpkg: Feature { Feature(.leaf7ECX, 5) }
    public static var gfni: Feature { Feature(.leaf7ECX, 8) }
    public static var vaes: Feature { Feature(.leaf7ECX, 9) }
    public static var vpclmulqdq: Feature { Feature(.leaf7ECX, 10) }
    public static var la57: Feature { Feature(.leaf7ECX, 16) }
    public static var rdpid: Feature { Feature(.leaf7ECX, 22) }
    public static var movdiri: Feature { Feature(.leaf7ECX, 27) }
    public static var movdir64b: Feature { Feature(.leaf7ECX, 28) }
    public static var pks: Feature { Feature(.leaf7ECX, 31) }
    public static var fsrm: Feature { Feature(.leaf7EDX, 4) }
    public static var mdClear: Feature { Feature(.leaf7EDX, 10) }
    public static var serialize: Feature { Feature(.leaf7EDX, 14) }
    public static var specControl: Feature { Feature(.leaf7EDX, 26) }
    public static var archCapabilities: Feature { Feature(.leaf7EDX, 29) }
    public static var ssbd: Feature { Feature(.leaf7EDX, 31) }
}

// CPUID.(0DH,1):EAX
extension Feature {
    public static var xsaveopt: Feature { Feature(.leafDSub1EAX, 0) }
    public static var xsavec: Feature { Feature(.leafDSub1EAX, 1) }
    public static var xgetbv1: Feature { Feature(.leafDSub1EAX, 2) }
    public static var xsaves: Feature { Feature(.leafDSub1EAX, 3) }
}

// CPUID.80000001H, 80000007H, 80000008H
extension Feature {
    public static var lahf: Feature { Feature(.extended1ECX, 0) }
    /// Cores rather than threads, where there are several; follows the machine's topology.
    public static var cmpLegacy: Feature { Feature(.extended1ECX, 1) }
    public static var cr8Legacy: Feature { Feature(.extended1ECX, 4) }
    public static var abm: Feature { Feature(.extended1ECX, 5) }
    public static var sse4a: Feature { Feature(.extended1ECX, 6) }
    public static var misalignedSSE: Feature { Feature(.extended1ECX, 7) }
    public static var prefetchw: Feature { Feature(.extended1ECX, 8) }
    public static var topologyExtensions: Feature { Feature(.extended1ECX, 22) }
    public static var syscall: Feature { Feature(.extended1EDX, 11) }
    public static var nx: Feature { Feature(.extended1EDX, 20) }
    public static var mmxext: Feature { Feature(.extended1EDX, 22) }
    public static var fxsrOpt: Feature { Feature(.extended1EDX, 25) }
    public static var page1g: Feature { Feature(.extended1EDX, 26) }
    public static var rdtscp: Feature { Feature(.extended1EDX, 27) }
    public static var lm: Feature { Feature(.extended1EDX, 29) }
    public static var invariantTSC: Feature { Feature(.extended7EDX, 8) }
    public static var clzero: Feature { Feature(.extended8EBX, 0) }
    public static var wbnoinvd: Feature { Feature(.extended8EBX, 9) }
}

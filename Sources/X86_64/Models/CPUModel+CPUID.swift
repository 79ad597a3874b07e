// SPDX-License-Identifier: Apache-2.0

extension CPUModel {
    /// What CPUID returns for `leaf` and `subleaf` (Intel SDM Vol 2A "CPUID", AMD APM Vol 3 appendix E).
    public func cpuid(_ leaf: UInt32, _ subleaf: UInt32, _ context: CPUIDContext) -> CPUIDResult {
        switch leaf {
        case 0x4000_0000..<0x4000_0100 where has(.hypervisor): return hypervisorLeaf(leaf, context)
        case 0x8000_0000...highestExtendedLeaf: return extendedLeaf(leaf, subleaf, context)
        case 0...highestLeaf: return basicLeaf(leaf, subleaf, context)
        // Past the end Intel's processors answer with the highest basic leaf, AMD's with zero.
        default: return vendor == .intel ? basicLeaf(highestLeaf, subleaf, context) : CPUIDResult()
        }
    }

    /// The highest basic leaf: what the features need at least.
    public var highestLeaf: UInt32 {
        var highest = maximumLeaf
        if features[.leaf7EBX] | features[.leaf7ECX] | features[.leaf7EDX] != 0 { highest = max(highest, 7) }
        if has(.x2apic) { highest = max(highest, 0xb) }
        if has(.xsave) { highest = max(highest, 0xd) }
        return highest
    }

    /// The highest extended leaf.
    public var highestExtendedLeaf: UInt32 { has(.topologyExtensions) ? 0x8000_001e : 0x8000_0008 }

    private func basicLeaf(_ leaf: UInt32, _ subleaf: UInt32, _ context: CPUIDContext) -> CPUIDResult {
        switch leaf {
        case 0:
            let name = CPUModel.words(of: "\(vendor.identification)", count: 3)
            return CPUIDResult(eax: highestLeaf, ebx: name[0], ecx: name[2], edx: name[1])
        case 1: return versionLeaf(context)
        // FFH: the caches are in leaf 4.
        case 2: return vendor == .intel ? CPUIDResult(eax: 0xff01) : CPUIDResult()
        case 4: return vendor == .intel ? cacheLeaf(subleaf, context) : CPUIDResult()
        // The local APIC's timer runs in every state (ARAT).
        case 6: return CPUIDResult(eax: 1 << 2)
        case 7: return featureLeaf(subleaf, context)
        case 0xb: return topologyLeaf(subleaf, context)
        case 0xd: return stateLeaf(subleaf, context)
        case 0x15: return clockLeaf(context)
        case 0x16:
            let megahertz = context.tscKilohertz / 1000
            return CPUIDResult(eax: megahertz, ebx: megahertz, ecx: 100)
        default: return CPUIDResult()
        }
    }

    /// Family, model and stepping as leaf 1 packs them.
    public var signature: UInt32 {
        let base = min(family, 15)
        let extended = family > 15 ? family - 15 : 0
        return stepping | (model & 15) << 4 | base << 8 | (model >> 4) << 16 | extended << 20
    }

    private func versionLeaf(_ context: CPUIDContext) -> CPUIDResult {
        var ecx = features[.leaf1ECX]
        var edx = features[.leaf1EDX]
        if has(.xsave) && context.cr4 & CR4.osxsave != 0 { ecx |= Feature.osxsave.mask }
        if !context.apicEnabled { edx &= ~Feature.apic.mask }
        if context.processors > 1 { edx |= Feature.htt.mask }
        // CLFLUSH's line is 8 times 8 bytes.
        let line: UInt32 = has(.clfsh) ? 8 << 8 : 0
        let count = context.processors > 1 ? min(context.processors, 255) << 16 : 0
        return CPUIDResult(eax: signature, ebx: (context.apicID & 255) << 24 | count | line, ecx: ecx, edx: edx)
    }

    private func featureLeaf(_ subleaf: UInt32, _ context: CPUIDContext) -> CPUIDResult {
        switch subleaf {
        case 0:
            var ecx = features[.leaf7ECX]
            if has(.pku) && context.cr4 & CR4.pke != 0 { ecx |= Feature.ospke.mask }
            let last: UInt32 = features[.leaf7Sub1EAX] != 0 ? 1 : 0
            return CPUIDResult(eax: last, ebx: features[.leaf7EBX], ecx: ecx, edx: features[.leaf7EDX])
        case 1: return CPUIDResult(eax: features[.leaf7Sub1EAX])
        default: return CPUIDResult()
        }
    }

    /// Bits of an APIC id that number the cores of a package.
    private static func coreBits(_ processors: UInt32) -> UInt32 {
        UInt32(UInt32.bitWidth - (max(processors, 1) - 1).leadingZeroBitCount)
    }

    private func topologyLeaf(_ subleaf: UInt32, _ context: CPUIDContext) -> CPUIDResult {
        switch subleaf {
        case 0: CPUIDResult(eax: 0, ebx: 1, ecx: 1 << 8, edx: context.apicID)
        case 1:
            CPUIDResult(
                eax: CPUModel.coreBits(context.processors), ebx: context.processors, ecx: 2 << 8 | 1,
                edx: context.apicID)
        default: CPUIDResult(ecx: subleaf & 255, edx: context.apicID)
        }
    }

    /// The XSAVE areas (Intel SDM Vol 1 §13.2): AVX at 576, the protection keys at 2688.
    private func stateLeaf(_ subleaf: UInt32, _ context: CPUIDContext) -> CPUIDResult {
        guard has(.xsave) else { return CPUIDResult() }
        let supported = supportedXCR0
        switch subleaf {
        case 0:
            return CPUIDResult(
                eax: UInt32(truncatingIfNeeded: supported), ebx: CPUModel.standardSize(context.xcr0),
                ecx: CPUModel.standardSize(supported), edx: UInt32(supported >> 32))
        case 1:
            let compacted: UInt32 = 576 + (context.xcr0 & 4 != 0 ? 256 : 0) + (context.xcr0 & 1 << 9 != 0 ? 8 : 0)
            return CPUIDResult(eax: features[.leafDSub1EAX], ebx: has(.xsavec) ? compacted : 0)
        case 2 where supported & 4 != 0: return CPUIDResult(eax: 256, ebx: 576)
        case 9 where supported & 1 << 9 != 0: return CPUIDResult(eax: 8, ebx: 2688)
        default: return CPUIDResult()
        }
    }

    private static func standardSize(_ xcr0: UInt64) -> UInt32 {
        xcr0 & 1 << 9 != 0 ? 2696 : xcr0 & 4 != 0 ? 832 : 576
    }

    /// The time-stamp counter as a multiple of the crystal, which also drives the local APIC's timer. Linux multiplies
    /// kilohertz and numerator in 32 bits, so the ratio is in lowest terms, and left out where it does not fit.
    private func clockLeaf(_ context: CPUIDContext) -> CPUIDResult {
        let crystal = context.apicTimerHertz / 1000
        guard vendor == .intel, crystal > 0, context.tscKilohertz > 0 else { return CPUIDResult() }
        var (a, b) = (crystal, context.tscKilohertz)
        while b != 0 { (a, b) = (b, a % b) }
        let (denominator, numerator) = (crystal / a, context.tscKilohertz / a)
        guard !crystal.multipliedReportingOverflow(by: numerator).overflow else { return CPUIDResult() }
        return CPUIDResult(eax: denominator, ebx: numerator, ecx: context.apicTimerHertz)
    }

    /// KVM's signature on every engine, so that a VM may move: it alone makes Linux use the x2APIC without interrupt
    /// remapping. Leaf 4000_0010H is the frequency of the time-stamp counter, as several hypervisors say it.
    private func hypervisorLeaf(_ leaf: UInt32, _ context: CPUIDContext) -> CPUIDResult {
        switch leaf {
        case 0x4000_0000:
            let name = CPUModel.words(of: "KVMKVMKVM", count: 3)
            return CPUIDResult(eax: 0x4000_0010, ebx: name[0], ecx: name[1], edx: name[2])
        case 0x4000_0001: return CPUIDResult(eax: context.paravirtualFeatures)
        case 0x4000_0010: return CPUIDResult(eax: context.tscKilohertz, ebx: context.apicTimerHertz / 1000)
        default: return CPUIDResult()
        }
    }

    /// `text` as little-endian words, filled with zeros.
    static func words(of text: String, count: Int) -> [UInt32] {
        var words = [UInt32](repeating: 0, count: count)
        for (index, byte) in text.utf8.prefix(count * 4).enumerated() {
            words[index / 4] |= UInt32(byte) << UInt32(index % 4 * 8)
        }
        return words
    }
}

extension CPUModel {
    /// One row of leaf 4 and of 8000_001DH: Intel SDM Vol 2A "CPUID", AMD APM Vol 3 §E.4.15.
    private func cacheLeaf(_ subleaf: UInt32, _ context: CPUIDContext) -> CPUIDResult {
        let cores = vendor == .intel ? (min(max(context.processors, 1), 64) - 1) << 26 : 0
        switch subleaf {
        case 0: return CPUModel.cache(type: 1, level: 1, ways: 8, sets: 64, sharing: 1, cores)
        case 1: return CPUModel.cache(type: 2, level: 1, ways: 8, sets: 64, sharing: 1, cores)
        case 2: return CPUModel.cache(type: 3, level: 2, ways: 16, sets: 1024, sharing: 1, cores)
        case 3: return CPUModel.cache(type: 3, level: 3, ways: 16, sets: 16384, sharing: context.processors, cores)
        default: return CPUIDResult()
        }
    }

    private static func cache(
        type: UInt32, level: UInt32, ways: UInt32, sets: UInt32, sharing: UInt32, _ cores: UInt32
    ) -> CPUIDResult {
        let threads = (min(max(sharing, 1), 4096) - 1) << 14
        return CPUIDResult(
            eax: type | level << 5 | 1 << 8 | threads | cores, ebx: 63 | (ways - 1) << 22, ecx: sets - 1)
    }

    private func extendedLeaf(_ leaf: UInt32, _ subleaf: UInt32, _ context: CPUIDContext) -> CPUIDResult {
        switch leaf {
        case 0x8000_0000:
            let name = CPUModel.words(of: "\(vendor.identification)", count: 3)
            guard vendor == .amd else { return CPUIDResult(eax: highestExtendedLeaf) }
            return CPUIDResult(eax: highestExtendedLeaf, ebx: name[0], ecx: name[2], edx: name[1])
        case 0x8000_0001: return extendedFeatures(context)
        case 0x8000_0002...0x8000_0004:
            let words = CPUModel.words(of: brand, count: 12)
            let first = Int(leaf - 0x8000_0002) * 4
            return CPUIDResult(eax: words[first], ebx: words[first + 1], ecx: words[first + 2], edx: words[first + 3])
        // 32 KiB of 8 ways each; 1 MiB of 16 ways (8 there), 16 MiB of 16.
        case 0x8000_0005 where vendor == .amd: return CPUIDResult(ecx: 0x2008_0140, edx: 0x2008_0140)
        case 0x8000_0006:
            return CPUIDResult(ecx: 1024 << 16 | 8 << 12 | 64, edx: vendor == .amd ? 32 << 18 | 0x8140 : 0)
        case 0x8000_0007: return CPUIDResult(edx: features[.extended7EDX])
        case 0x8000_0008:
            let bits = CPUModel.coreBits(context.processors)
            let cores = vendor == .amd ? (context.processors - 1) & 255 | bits << 12 : 0
            return CPUIDResult(
                eax: physicalAddressBits | max(linearAddressBits, 32) << 8, ebx: features[.extended8EBX], ecx: cores)
        case 0x8000_001d: return cacheLeaf(subleaf, context)
        case 0x8000_001e: return CPUIDResult(eax: context.apicID, ebx: context.apicID & 255)
        default: return CPUIDResult()
        }
    }

    private func extendedFeatures(_ context: CPUIDContext) -> CPUIDResult {
        var ecx = features[.extended1ECX]
        var edx = features[.extended1EDX]
        if vendor == .amd {
            // AMD repeats these bits of leaf 1 (AMD APM Vol 3 §E.4.2).
            edx |= features[.leaf1EDX] & 0x0183_f3ff
            if !context.apicEnabled { edx &= ~Feature.apic.mask }
            if context.processors > 1 { ecx |= Feature.cmpLegacy.mask }
        }
        return CPUIDResult(eax: vendor == .amd ? signature : 0, ecx: ecx, edx: edx)
    }
}

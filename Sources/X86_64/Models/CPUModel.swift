// SPDX-License-Identifier: Apache-2.0

/// Who a processor says it is made by. Where Intel's and AMD's manuals differ, engines ask this.
public enum ProcessorVendor: Sendable, Equatable, CaseIterable {
    case intel, amd

    /// The twelve characters of CPUID leaf 0.
    public var identification: StaticString {
        switch self {
        case .intel: "GenuineIntel"
        case .amd: "AuthenticAMD"
        }
    }

    /// The vendor with this identification, or nil.
    public static func named(_ name: String) -> ProcessorVendor? {
        allCases.first { "\($0.identification)" == name }
    }
}

/// What kind of processor a VM has: everything that CPUID says and that decides what faults. A value that belongs to
/// the VM, not to an engine.
public struct CPUModel: Sendable, Equatable {
    /// The name it was chosen by.
    public var name: String
    public var vendor: ProcessorVendor
    /// As family, model and stepping are shown: extended parts added in.
    public var family: UInt32
    public var model: UInt32
    public var stepping: UInt32
    /// What it can do.
    public var features: FeatureSet
    /// The name in CPUID 8000_0002H to 4H: at most 48 bytes of ASCII count.
    public var brand: String
    /// The highest basic leaf, unless a feature needs a higher one.
    public var maximumLeaf: UInt32
    /// Bits of a guest-physical address (MAXPHYADDR): those above are reserved in page tables.
    public var physicalAddressBits: UInt32

    public init(
        name: String, vendor: ProcessorVendor, family: UInt32, model: UInt32, stepping: UInt32, features: FeatureSet,
        brand: String, maximumLeaf: UInt32, physicalAddressBits: UInt32 = 40
    ) {
        self.name = name
        self.vendor = vendor
        self.family = family
        self.model = model
        self.stepping = stepping
        self.features = features
        self.brand = brand
        self.maximumLeaf = maximumLeaf
        self.physicalAddressBits = physicalAddressBits
    }

    /// What a VM has unless it is told otherwise.
    public init() { self = .baseline }

    /// Whether it has `feature`.
    public func has(_ feature: Feature) -> Bool { features.contains(feature) }

    /// Bits of a linear address that paging can use.
    public var linearAddressBits: UInt32 { !has(.lm) ? 32 : has(.la57) ? 57 : 48 }

    /// The bits of XCR0 that may be set (Intel SDM Vol 1 §13.3).
    public var supportedXCR0: UInt64 {
        guard has(.xsave) else { return 0 }
        return 3 | (has(.avx) ? 1 << 2 : 0) | (has(.pku) ? 1 << 9 : 0)
    }

    /// The bits of a physical address above bit 11.
    public var physicalPageMask: UInt64 { (1 << UInt64(physicalAddressBits) &- 1) & ~0xfff }
}

// SPDX-License-Identifier: Apache-2.0

/// The four registers that CPUID leaves behind.
public struct CPUIDResult: Sendable, Equatable {
    public var eax: UInt32
    public var ebx: UInt32
    public var ecx: UInt32
    public var edx: UInt32

    public init(eax: UInt32 = 0, ebx: UInt32 = 0, ecx: UInt32 = 0, edx: UInt32 = 0) {
        self.eax = eax
        self.ebx = ebx
        self.ecx = ecx
        self.edx = edx
    }
}

/// What CPUID depends on beside the model: the machine, and the state of the processor that asks.
public struct CPUIDContext: Sendable {
    /// The processor's number, which is its initial and its x2APIC id.
    public var apicID: UInt32 = 0
    /// Processors of the machine: one package, one thread a core.
    public var processors: UInt32 = 1
    /// Ticks of the time-stamp counter in a millisecond.
    public var tscKilohertz: UInt32 = 1_000_000
    /// Ticks of the local APIC's timer in a second: the crystal that leaf 15H names.
    public var apicTimerHertz: UInt32 = 1_000_000_000
    /// The bits of KVM's paravirtual features that the engine has (Linux, Documentation/virt/kvm/x86/cpuid.rst).
    /// Bit 1, that writes to ports need no delay, holds on all.
    public var paravirtualFeatures: UInt32 = 1 << 1
    public var xcr0: UInt64 = 1
    public var cr4: UInt64 = 0
    /// Whether IA32_APIC_BASE enables the local APIC.
    public var apicEnabled = true

    /// The first processor of a machine of one, after reset.
    public init() {}
}

// SPDX-License-Identifier: Apache-2.0

import Machines

/// A guest hardware design.
public enum Platform: String, NamedChoice, Codable {
    /// RV64GC harts on the memory map of QEMU's `virt` machine.
    case riscv64
    /// A PC with PCI Express: 64-bit x86 processors.
    case x86_64

    public static var noun: String { "platform" }

    /// How many vCPUs a machine may have.
    public var cpuRange: ClosedRange<Int> {
        switch self {
        case .riscv64, .x86_64: VirtConfiguration.hartRange
        }
    }

    /// How much RAM a machine may have, in bytes.
    public var memoryRange: ClosedRange<UInt64> {
        switch self {
        case .riscv64: VirtConfiguration.memoryRange
        case .x86_64: PCMemoryMap.memoryRange
        }
    }

    /// The engines that run this platform here, the one that `Engine.automatic` takes first.
    public var engines: [Engine] {
        switch self {
        case .riscv64: [.interpreter]
        // Its machine stands, its processor does not yet.
        case .x86_64: []
        }
    }

    /// How many virtio devices have room.
    func virtioSlots(_ transport: VirtioTransport) -> Int {
        switch (self, transport) {
        case (.riscv64, .pci): VirtPCIDevice.virtioDevices
        case (.riscv64, .mmio): VirtMemoryMap.virtioSlots
        case (.x86_64, .pci): PCPCIDevice.virtioDevices
        case (.x86_64, .mmio): 0
        }
    }
}

/// What executes vCPUs.
public enum Engine: String, NamedChoice, Codable {
    /// The fastest that the host offers for the platform.
    case automatic = "auto"
    /// Decodes and carries out one instruction after the other; works everywhere.
    case interpreter

    public static var noun: String { "engine" }
}

/// What virtio devices sit on.
public enum VirtioTransport: String, NamedChoice, Codable {
    /// PCI functions (virtio 1.2 §4.1).
    case pci
    /// Memory-mapped slots, for systems that know only them (virtio 1.2 §4.2).
    case mmio

    public static var noun: String { "virtio transport" }
}

/// What happens to a machine whose guest's system says that it has crashed.
public enum PanicAction: String, NamedChoice, Codable {
    /// The machine ends as panicked.
    case exit
    /// It begins again from reset.
    case reboot
    /// It pauses, for someone to look.
    case pause

    public static var noun: String { "panic action" }
}

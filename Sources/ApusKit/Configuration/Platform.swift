// SPDX-License-Identifier: Apache-2.0

import Machines
import X86_64

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
        case .riscv64: VirtConfiguration.hartRange
        case .x86_64: PCConfiguration.processorRange
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
        case .riscv64, .x86_64: [.interpreter]
        }
    }

    /// The processors' model that `text` describes; throws where there are no models, or that is none.
    func processorModel(_ text: String) throws(VirtualMachineError) -> CPUModel {
        guard self == .x86_64 else {
            throw VirtualMachineError(
                .configuration, "\(phrase) has one CPU model; leave '\(text)' out")
        }
        do {
            return try CPUModel(parsing: text)
        } catch {
            throw VirtualMachineError(.configuration, error.description)
        }
    }

    /// What errors call a machine of it.
    var phrase: String {
        switch self {
        case .riscv64: "a riscv64 machine"
        case .x86_64: "an x86_64 machine"
        }
    }

    /// What a vCPU is called.
    var vcpuNoun: String {
        switch self {
        case .riscv64: "hart"
        case .x86_64: "processor"
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

// SPDX-License-Identifier: Apache-2.0

public import Host
import MachineCore
import RISCV64

/// What a riscv64 `virt` machine is made of. A value: nothing is opened before `VirtMachine.init`.
public struct VirtConfiguration: MachineConfiguration {
    /// What executes the harts.
    public enum EngineChoice: String, CaseIterable, Sendable {
        case interpreter
    }

    /// What the virtio devices sit on.
    public enum Transport: String, CaseIterable, Sendable {
        /// PCI functions with INTx.
        case pci
        /// The eight memory-mapped slots, for systems that know only them. Disks come first, from slot 0.
        case mmio
    }

    /// The fewest and most harts.
    public static let hartRange = 1...16
    /// The least and most RAM in bytes.
    public static let memoryRange: ClosedRange<UInt64> = (16 << 20)...(512 << 30)

    /// Harts, 1 to 16.
    public var harts = 1
    /// RAM in bytes, a multiple of 4 KiB.
    public var memorySize: UInt64 = 1 << 30
    public var engine = EngineChoice.interpreter
    public var boot: BootSource
    public var transport = Transport.pci
    /// The 16550's other end: the system's console. Nil swallows output.
    public var serial: StreamAttachment?
    public var disks: [DiskAttachment] = []
    public var networks: [NetworkAttachment] = []
    /// Ports of one virtio console, in order; empty: no such device.
    public var consolePorts: [ConsoleAttachment] = []
    /// The virtio balloon, which takes memory from a running guest; nil for none.
    public var balloon: BalloonConfiguration?
    /// Whether there is a virtio entropy device.
    public var hasEntropy = true
    /// Whether there is a pvpanic device, by which the guest's system says that it has crashed. On PCI only.
    public var hasPanicDevice = true
    public var onPanic = PanicAction.exit
    public var onReset = ResetAction.reboot
    /// Bring the harts up paused, before their first instruction, for a debugger.
    public var startsPaused = false
    /// Hears of exceptions, interrupts and changes of privilege.
    public var tracer: (any HartTracer)?
    /// Gives the harts' threads their part of the host's processors; nil: whatever the host's scheduler gives them.
    public var governor: ProcessorGovernor?
    /// Hears of the machine's events.
    public var onEvent: @Sendable (MachineEvent) -> Void = { _ in }

    /// A machine that boots from `boot`.
    public init(boot: BootSource) { self.boot = boot }

    public var cpuCount: Int {
        get { harts }
        set { harts = newValue }
    }

    public var engineName: String { engine.rawValue }

    /// What can be said without opening anything.
    func check() throws(MachineError) {
        try check(
            machine: "a virt", cpus: Self.hartRange, memory: Self.memoryRange,
            virtioPlaces: transport == .mmio ? VirtMemoryMap.virtioSlots : VirtPCIDevice.virtioDevices,
            transport: transport.rawValue)
    }
}

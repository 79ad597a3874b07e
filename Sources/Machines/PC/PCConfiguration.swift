// SPDX-License-Identifier: Apache-2.0

public import Host
public import X86_64

/// What an x86-64 machine is made of. A value: nothing is opened before `PCMachine.init`.
public struct PCConfiguration: MachineConfiguration {
    /// What executes the processors.
    public enum EngineChoice: String, CaseIterable, Sendable {
        case interpreter
    }

    /// Devices that test suites look for; no system needs one.
    public enum TestDevice: String, CaseIterable, Sendable {
        /// Ports, wires to the interrupt controllers, and memory behind the bus (`PCTestDevice`).
        case board = "pc-testdev"
        /// A PCI function (`PCITestDevice`).
        case function = "pci-testdev"
    }

    /// The fewest and most processors.
    public static let processorRange = 1...16

    /// Processors, 1 to 16.
    public var processors = 1
    public var memorySize: UInt64 = 1 << 30
    public var engine = EngineChoice.interpreter
    /// What the processors offer, and how they behave where vendors differ.
    public var model = CPUModel()
    public var boot: BootSource
    /// The machine's UUID, sixteen bytes; nil: a random one.
    public var identity: [UInt8]?
    public var serial: StreamAttachment?
    public var disks: [DiskAttachment] = []
    public var networks: [NetworkAttachment] = []
    public var consolePorts: [ConsoleAttachment] = []
    public var balloon: BalloonConfiguration?
    public var hasEntropy = true
    public var hasPanicDevice = true
    public var testDevices: Set<TestDevice> = []
    public var onPanic = PanicAction.exit
    public var onReset = ResetAction.reboot
    public var startsPaused = false
    /// Hears of exceptions, interrupts and changes of privilege.
    public var tracer: (any ProcessorTracer)?
    public var governor: ProcessorGovernor?
    public var onEvent: @Sendable (MachineEvent) -> Void = { _ in }

    /// A machine that boots from `boot`.
    public init(boot: BootSource) { self.boot = boot }

    public var cpuCount: Int {
        get { processors }
        set { processors = newValue }
    }

    public var engineName: String { engine.rawValue }

    /// What can be said without opening anything.
    func check() throws(MachineError) {
        try check(
            machine: "an x86-64", cpus: Self.processorRange, memory: PCMemoryMap.memoryRange,
            virtioPlaces: PCPCIDevice.virtioDevices, transport: "pci")
        if let identity, identity.count != 16 {
            throw .configuration("a machine's UUID has 16 bytes, not \(identity.count)")
        }
    }
}

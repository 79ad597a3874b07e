// SPDX-License-Identifier: Apache-2.0

import Host

/// What a virtual machine is made of. A value: nothing is opened before a `VirtualMachine` is made from it.
public struct VirtualMachineConfiguration: Sendable, Equatable {
    /// The hardware design that the guest sees.
    public var platform = Platform.riscv64
    /// What executes the vCPUs.
    public var engine = Engine.automatic
    /// The processors' model as `NAME[,+feature][,-feature]`, where the platform has models; nil: its baseline, which
    /// every engine runs.
    public var cpuModel: String?
    /// vCPUs; `platform.cpuRange`.
    public var cpuCount = 1
    /// Bytes of RAM that the guest has when it starts, a multiple of 4096; `platform.memoryRange`.
    public var memorySize: UInt64 = 1 << 30
    /// Bytes of RAM that the guest can be given while it runs, at least `memorySize`; nil: no more than that. The
    /// balloon holds the difference from the start.
    public var maximumMemorySize: UInt64?
    /// Whether it may have more memory than the host has free (docs/pool.md).
    public var overcommitsMemory = false
    /// Its part of the host's processors where guests want more than there is, relative to theirs: 1 to 10000.
    public var cpuShares = ProcessorLimits.defaultShares
    /// The most CPU time that its vCPUs use.
    public var cpuCap = CPUCap.unlimited
    /// Where on the host its vCPUs run.
    public var cpuset = CPUPlace.anywhere
    /// What the machine starts from.
    public var bootLoader: BootLoader
    /// What virtio devices sit on.
    public var transport = VirtioTransport.pci
    /// Disks, in the guest's order.
    public var storageDevices: [StorageDevice] = []
    public var networkDevices: [NetworkDevice] = []
    /// The platform's serial port, most systems' console; nil swallows what the guest writes.
    public var serialPort: SerialPort?
    /// Virtio consoles, `hvc0` first.
    public var consoleDevices: [ConsoleDevice] = []
    /// The virtio entropy device; nil for none.
    public var entropyDevice: EntropyDevice? = EntropyDevice()
    /// The memory balloon, by which memory comes back from a running guest; nil for none.
    public var memoryBalloon: MemoryBalloonDevice? = MemoryBalloonDevice()
    /// Whether there is a port for the agent that runs commands in the guest.
    public var hasAgentPort = true
    /// What happens when the guest's system says that it has crashed.
    public var onPanic = PanicAction.exit
    /// How long the machine may run before it is ended as timed out; nil: for ever.
    public var timeout: Duration?
    /// Where a debugger may connect; nil for nowhere.
    public var debugServer: DebugServer?
    /// Who hears of traps and changes of privilege; nil costs nothing.
    public var trace: TraceDestination?
    /// How the machine's process is confined.
    public var sandbox = SandboxMode.on
    /// Whom that process becomes where root starts it: a name, a number, or number:group; nil: `nobody`.
    public var user: String?

    /// A machine that starts from `bootLoader`, everything else at its default.
    public init(bootLoader: BootLoader) { self.bootLoader = bootLoader }

    /// Checks all that can be checked without opening anything.
    public func validate() throws(VirtualMachineError) {
        guard platform.cpuRange.contains(cpuCount) else {
            throw invalid(
                "\(platform.phrase) has \(platform.cpuRange.lowerBound) to "
                    + "\(platform.cpuRange.upperBound) CPUs, not \(cpuCount)")
        }
        guard platform.memoryRange.contains(memorySize) else {
            throw invalid(
                "memory of \(ByteSize(memorySize)) does not fit \(platform.phrase); it takes "
                    + "\(ByteSize(platform.memoryRange.lowerBound)) to \(ByteSize(platform.memoryRange.upperBound))")
        }
        guard memorySize.isMultiple(of: 4096) else {
            throw invalid("memory of \(memorySize) bytes is not a whole number of 4K pages; round it up")
        }
        if let cpuModel { _ = try platform.processorModel(cpuModel) }
        try validateMaximumMemory()
        try MachineSettings.validate(shares: cpuShares)
        try cpuCap.validate()
        try validateDevices()
        try validateForwards()
        if let timeout, timeout <= .zero {
            throw invalid("a timeout of \(timeout) ends the machine before it starts; give at least one second")
        }
    }

    private func validateMaximumMemory() throws(VirtualMachineError) {
        guard let maximum = maximumMemorySize else { return }
        guard maximum >= memorySize, maximum <= platform.memoryRange.upperBound else {
            throw invalid(
                "at most \(ByteSize(maximum)) of memory does not fit a machine that starts with "
                    + "\(ByteSize(memorySize)); give \(ByteSize(memorySize)) to "
                    + "\(ByteSize(platform.memoryRange.upperBound))")
        }
        guard maximum.isMultiple(of: 4096) else {
            throw invalid("memory of at most \(maximum) bytes is not a whole number of 4K pages; round it up")
        }
        guard maximum == memorySize || memoryBalloon != nil else {
            throw invalid("memory that grows from \(ByteSize(memorySize)) to \(ByteSize(maximum)) needs the balloon")
        }
    }

    private func validateDevices() throws(VirtualMachineError) {
        var count = storageDevices.count + networkDevices.count + (entropyDevice == nil ? 0 : 1)
        if memoryBalloon != nil { count += 1 }
        if hasAgentPort || !consoleDevices.isEmpty { count += 1 }
        let room = platform.virtioSlots(transport)
        guard room > 0 else {
            throw invalid("\(platform.phrase) has no virtio over \(transport.rawValue); use pci")
        }
        guard count <= room else {
            throw invalid(
                "\(count) virtio devices do not fit the \(room) slots of virtio over \(transport.rawValue); "
                    + "leave some out")
        }
        for device in storageDevices { try device.validate() }
        for device in networkDevices { try device.validate() }
    }

    private func validateForwards() throws(VirtualMachineError) {
        var addresses: Set<MACAddress> = []
        for address in networkDevices.compactMap(\.address) where !addresses.insert(address).inserted {
            throw invalid("two network cards have the address \(address); give each one of its own")
        }
        var taken: Set<String> = []
        for device in networkDevices {
            guard case .user(let network) = device.attachment else { continue }
            for forward in network.forwards {
                let key = "\(forward.transport.rawValue):\(forward.hostAddress):\(forward.hostPort)"
                guard taken.insert(key).inserted else {
                    throw invalid("host port \(key) is forwarded twice; each forward needs a port of its own")
                }
            }
        }
    }

    private func invalid(_ sentence: String) -> VirtualMachineError { VirtualMachineError(.configuration, sentence) }
}

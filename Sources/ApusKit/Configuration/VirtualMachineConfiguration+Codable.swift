// SPDX-License-Identifier: Apache-2.0

// A configuration as a file: keys as the command line calls things, values as it writes them. What is left out has its
// default, and a key that is not known is an error. A field more is a key, a line in `init(from:)` and one in `encode`.

extension VirtualMachineConfiguration: Codable {
    /// The names of the fields in a file.
    enum CodingKeys: String, CodingKey, CaseIterable {
        case platform, engine, cpu, cpus, cpuShares, cpuCap, cpuset, memory, maximumMemory, boot, virtio, disks,
            networks
        case console, consoles, entropy, balloon, balloonStatistics, agent, onPanic, timeout, gdb, trace
        case overcommit, sandbox, user
    }

    public init(from decoder: any Decoder) throws {
        let file = try decoder.strictContainer(keyedBy: CodingKeys.self, of: "the configuration")
        self.init(bootLoader: try file.decode(BootLoader.self, forKey: .boot))
        platform = try file.text(.platform, Platform.init(parsing:)) ?? platform
        engine = try file.text(.engine, Engine.init(parsing:)) ?? engine
        cpuModel = try file.decodeIfPresent(String.self, forKey: .cpu)
        cpuCount = try file.value(.cpus, default: cpuCount)
        cpuShares = try file.value(.cpuShares, default: cpuShares)
        cpuCap = try file.value(.cpuCap, default: cpuCap)
        cpuset = try file.value(.cpuset, default: cpuset)
        memorySize = try file.value(.memory, default: ByteSize(memorySize)).bytes
        maximumMemorySize = try file.decodeIfPresent(ByteSize.self, forKey: .maximumMemory)?.bytes
        transport = try file.text(.virtio, VirtioTransport.init(parsing:)) ?? transport
        storageDevices = try file.value(.disks, default: [])
        networkDevices = try file.value(.networks, default: [])
        serialPort = try file.decodeIfPresent(SerialPort.self, forKey: .console)
        consoleDevices = try file.value(.consoles, default: [])
        entropyDevice = try file.value(.entropy, default: true) ? EntropyDevice() : nil
        memoryBalloon = try file.value(.balloon, default: true) ? MemoryBalloonDevice() : nil
        if let interval = try file.text(.balloonStatistics, MemoryBalloonDevice.interval(parsing:)) {
            memoryBalloon?.statisticsInterval = interval
        }
        overcommitsMemory = try file.value(.overcommit, default: overcommitsMemory)
        hasAgentPort = try file.value(.agent, default: hasAgentPort)
        onPanic = try file.text(.onPanic, PanicAction.init(parsing:)) ?? onPanic
        timeout = try file.text(.timeout, Duration.parse)
        debugServer = try file.text(.gdb, DebugServer.init(fileText:))
        trace = try file.text(.trace, TraceDestination.init(parsing:))
        sandbox = try file.text(.sandbox, SandboxMode.init(parsing:)) ?? sandbox
        user = try file.decodeIfPresent(String.self, forKey: .user)
    }

    public func encode(to encoder: any Encoder) throws {
        var file = encoder.container(keyedBy: CodingKeys.self)
        try file.encode(platform, forKey: .platform)
        try file.encode(engine, forKey: .engine)
        try file.encodeIfPresent(cpuModel, forKey: .cpu)
        try file.encode(cpuCount, forKey: .cpus)
        try file.encode(cpuShares, forKey: .cpuShares)
        try file.encode(cpuCap, forKey: .cpuCap)
        try file.encode(cpuset, forKey: .cpuset)
        try file.encode(ByteSize(memorySize), forKey: .memory)
        try file.encodeIfPresent(maximumMemorySize.map { ByteSize($0) }, forKey: .maximumMemory)
        try file.encode(bootLoader, forKey: .boot)
        try file.encode(transport, forKey: .virtio)
        try file.encode(storageDevices, forKey: .disks)
        try file.encode(networkDevices, forKey: .networks)
        try file.encodeIfPresent(serialPort, forKey: .console)
        try file.encode(consoleDevices, forKey: .consoles)
        try file.encode(entropyDevice != nil, forKey: .entropy)
        try file.encode(memoryBalloon != nil, forKey: .balloon)
        try file.encodeIfPresent(memoryBalloon?.intervalText, forKey: .balloonStatistics)
        try file.encode(overcommitsMemory, forKey: .overcommit)
        try file.encode(hasAgentPort, forKey: .agent)
        try file.encode(onPanic, forKey: .onPanic)
        try file.encodeIfPresent(timeout?.text, forKey: .timeout)
        try file.encodeIfPresent(debugServer?.text, forKey: .gdb)
        try file.encodeIfPresent(trace?.text, forKey: .trace)
        try file.encode(sandbox, forKey: .sandbox)
        try file.encodeIfPresent(user, forKey: .user)
    }

    /// The configuration in the text of a file.
    public init(json: String) throws(VirtualMachineError) {
        self = try JSONText.decode(Self.self, from: json.utf8, of: "the configuration")
    }

    /// The text of a file with this configuration, over several lines.
    public var json: String { JSONText.encode(self) }
}

extension BootLoader: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable { case kernel, initrd, append, firmware, bare }

    /// `{"kernel": …, "initrd": …, "append": …}`, with `"firmware"` besides or alone; `{"bare": …}`.
    public init(from decoder: any Decoder) throws {
        let file = try decoder.strictContainer(keyedBy: CodingKeys.self, of: "'boot'")
        let kernel = try file.text(.kernel) { path in
            LinuxBootLoader(
                kernel: path, initialRamdisk: try file.decodeIfPresent(String.self, forKey: .initrd),
                commandLine: try file.value(.append, default: ""))
        }
        let firmware = try file.decodeIfPresent(String.self, forKey: .firmware)
        let isKernelless = kernel == nil && !file.contains(.initrd) && !file.contains(.append)
        switch (try file.decodeIfPresent(String.self, forKey: .bare), firmware, kernel) {
        case (let program?, nil, nil) where isKernelless: self = .bare(kernel: program)
        case (nil, let firmware?, let kernel) where kernel != nil || isKernelless:
            self = .firmware(FirmwareBootLoader(firmware: firmware, kernel: kernel))
        case (nil, nil, let kernel?): self = .linux(kernel)
        default:
            throw VirtualMachineError(
                .configuration,
                "'boot' takes kernel with initrd and append, firmware with or without those, or bare alone")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var file = encoder.container(keyedBy: CodingKeys.self)
        var kernel: LinuxBootLoader?
        switch self {
        case .linux(let linux): kernel = linux
        case .firmware(let loader):
            try file.encode(loader.firmware, forKey: .firmware)
            kernel = loader.kernel
        case .bare(let program): try file.encode(program, forKey: .bare)
        }
        guard let kernel else { return }
        try file.encode(kernel.kernel, forKey: .kernel)
        try file.encodeIfPresent(kernel.initialRamdisk, forKey: .initrd)
        try file.encode(kernel.commandLine, forKey: .append)
    }
}

// SPDX-License-Identifier: Apache-2.0

import Backends
import Host
import Logging
import Machines
import Synchronization
import SystemPackage

/// The host's side of a machine: its event loop and everything that was opened for it, before the machine is made.
final class AssembledDevices: Sendable {
    let loop: EventLoop
    /// To `loop` from threads that must not wait.
    let queue: LoopQueue
    let agent: GuestAgent?
    /// The machine's part of the host's processors.
    let processors: ProcessorControl
    /// The serial port, for all who look at it.
    let console: ConsoleFan?
    /// Where traps and changes of privilege are written, where they are.
    let trace: TraceWriter?
    private let serial: OpenStream?
    private let consoles: [OpenStream]
    private let disks: [DiskAttachment]
    private let networks: [NetworkAttachment]
    /// The limits of disks and networks, in their order.
    let diskLimits: [DiskLimits]
    let limitedNetworks: [LimitedNetwork]
    private let closed = Mutex(false)

    /// Opens what `configuration` names; what was opened before a failure is given back. Who attaches to the console is
    /// served by `clients`.
    init(
        _ configuration: VirtualMachineConfiguration, in place: MachinePlace, clients: ClientLoop
    ) throws(VirtualMachineError) {
        processors = try ProcessorControl(configuration, guest: place.guest)
        let account = try configuration.account()
        do throws(HostError) {
            let loop = try EventLoop(name: "io")
            self.loop = loop
            let queue = try LoopQueue(loop)
            self.queue = queue
            // Disks first: they are locked, and what is wrong with them is said before a terminal changes.
            let diskLimits = configuration.storageDevices.map { DiskLimits($0.limits, loop: loop) }
            self.diskLimits = diskLimits
            disks = try zip(configuration.storageDevices, diskLimits).map { device, limits throws(HostError) in
                try Self.disk(device, limits)
            }
            let cards = try configuration.networkDevices.map { device throws(HostError) in
                try Self.network(device, loop: loop) { options in
                    (options.sandbox, options.account) = (configuration.sandbox.policyMode, account)
                }
            }
            networks = cards.map(\.attachment)
            limitedNetworks = cards.map(\.limited)
            let serial = try configuration.serialPort.map { port throws(HostError) in
                try place.open(port.attachment, loop: loop)
            }
            self.serial = serial
            consoles = try configuration.consoleDevices.map { device throws(HostError) in
                try place.open(device.attachment, loop: loop)
            }
            let log = try place.consoleLog.map { path throws(HostError) in try ConsoleLog(FilePath(path)) }
            console = serial.map { ConsoleFan($0, log: log, clients: clients.queue, devices: queue) }
            trace = try configuration.trace.map { destination throws(HostError) in try TraceWriter(destination) }
            agent = configuration.hasAgentPort ? GuestAgent(timers: clients.loop, queue: queue) : nil
        } catch {
            throw VirtualMachineError(error)
        }
    }

    private static func disk(_ device: StorageDevice, _ limits: DiskLimits) throws(HostError) -> DiskAttachment {
        let path = FilePath(device.path)
        let file = try DiskFile(path, readOnly: device.isReadOnly) { GuestRegistry.holder(ofDisk: path)?.holder }
        if device.isThrownAway { try Directory.remove(path) }
        let serial = device.serial ?? ""
        return DiskAttachment(name: device.path) { memory, completion throws(MachineError) in
            do throws(HostError) {
                return try limits.open(file, memory: memory, serial: serial, completion: completion)
            } catch {
                throw MachineError.host(error.description)
            }
        }
    }

    private static func network(
        _ device: NetworkDevice, loop: EventLoop, confine: (inout UserNetworkOptions) -> Void
    ) throws(HostError) -> (attachment: NetworkAttachment, limited: LimitedNetwork) {
        let address = (device.address ?? .random()).bytes
        let limits = RateLimits(device.limits)
        switch device.attachment {
        case .user(let network):
            var options = try UserNetworkOptions(network)
            confine(&options)
            let log = Logger(label: "apus.net")
            let user = try UserNetwork(options, loop: loop) { reason in
                log.error("the guest's network is dead: \(reason)")
            }
            log.info("the network child: \(user.sandbox)")
            for sentence in user.sandboxLacks { log.warning("the network child: \(sentence)") }
            let limited = LimitedNetwork(user, limits: limits, timer: LimitTimer(loop))
            let attachment = NetworkAttachment(
                limited, address: address, connect: { try? user.connect($0) }, close: { user.close() })
            return (attachment, limited)
        case .tap(let interface):
            let tap = try Tap(interface, loop: loop)
            let limited = LimitedNetwork(tap, limits: limits, timer: LimitTimer(loop))
            let attachment = NetworkAttachment(
                limited, address: address, connect: { try? tap.connect($0) }, close: { tap.close() })
            return (attachment, limited)
        }
    }

    /// Where consoles are to be found that have a name.
    var consoleNames: [String] { ([serial].compactMap(\.self) + consoles).compactMap(\.name) }

    /// The last lines that the guest wrote to its serial port.
    var consoleTail: [String] { console?.lastLines(20) ?? [] }

    /// Sets what the escapes of a console on the terminal do.
    func setActions(_ actions: ConsoleRelay.Actions) {
        for stream in [serial].compactMap(\.self) + consoles { stream.relay?.setActions(actions) }
    }

    /// The user wants an end: nobody waits for ever for who reads a console.
    func hurry() {
        for stream in [serial].compactMap(\.self) + consoles { stream.hurry() }
    }

    /// Whether a virtio console is on the process's own terminal.
    var hasTerminalConsole: Bool { consoles.contains { $0.isStandard } }

    /// A riscv64 machine's configuration over what is open.
    func virtConfiguration(_ configuration: VirtualMachineConfiguration, hub: EventHub) -> VirtConfiguration {
        var virt = VirtConfiguration(boot: BootSource(configuration.bootLoader))
        fill(&virt, configuration, hub)
        virt.transport = configuration.transport == .pci ? .pci : .mmio
        virt.tracer = trace
        return virt
    }

    /// An x86-64 machine's configuration over what is open.
    func pcConfiguration(
        _ configuration: VirtualMachineConfiguration, hub: EventHub
    ) throws(VirtualMachineError) -> PCConfiguration {
        var pc = PCConfiguration(boot: BootSource(configuration.bootLoader))
        if let model = configuration.cpuModel { pc.model = try configuration.platform.processorModel(model) }
        fill(&pc, configuration, hub)
        pc.tracer = trace
        return pc
    }

    /// What machines of all platforms are told.
    private func fill(
        _ machine: inout some MachineConfiguration, _ configuration: VirtualMachineConfiguration, _ hub: EventHub
    ) {
        machine.cpuCount = configuration.cpuCount
        machine.memorySize = configuration.maximumMemorySize ?? configuration.memorySize
        machine.balloon = configuration.memoryBalloon.map { balloon in
            BalloonConfiguration(
                size: machine.memorySize - configuration.memorySize,
                statisticsInterval: balloon.statisticsInterval.map { UInt64(max(1, $0.components.seconds)) * 1000 })
        }
        machine.serial = console?.attachment
        machine.disks = disks
        machine.networks = networks
        machine.consolePorts = consoles.enumerated().map { number, stream in
            ConsoleAttachment(name: "org.apus.console.\(number)", isTerminal: true, stream: stream.attachment)
        }
        if let agent { machine.consolePorts.append(agent.port) }
        machine.hasEntropy = configuration.entropyDevice != nil
        switch configuration.onPanic {
        case .exit: machine.onPanic = .exit
        case .reboot: machine.onPanic = .reboot
        case .pause: machine.onPanic = .pause
        }
        machine.startsPaused = configuration.debugServer?.waits ?? false
        machine.governor = processors.governor
        machine.onEvent = { hub.hear($0) }
    }

    /// Serves what was opened; terminals become raw.
    func start() throws(VirtualMachineError) {
        do throws(HostError) {
            try loop.start()
            for stream in [serial].compactMap(\.self) + consoles { try stream.start() }
        } catch {
            throw VirtualMachineError(error)
        }
        trace?.start(on: loop)
    }

    /// Whether everything was given back.
    var isClosed: Bool { closed.withLock(\.self) }

    /// Gives everything back; once. What the guest wrote has gone out when this returns.
    func close() {
        let isFirst = closed.withLock { isClosed in
            defer { isClosed = true }
            return !isClosed
        }
        guard isFirst else { return }
        for stream in [serial].compactMap(\.self) + consoles { stream.close() }
        trace?.close()
        loop.stop()
        queue.close()
    }
}

extension BootSource {
    init(_ loader: BootLoader) {
        switch loader {
        case .linux(let linux): self.init(linux, firmware: .builtIn)
        case .bare(let kernel): self.init(firmware: .none, kernel: .path(kernel))
        case .firmware(let loader):
            guard let kernel = loader.kernel else {
                self.init(firmware: .file(.path(loader.firmware)), kernel: nil)
                return
            }
            self.init(kernel, firmware: .file(.path(loader.firmware)))
        }
    }

    private init(_ linux: LinuxBootLoader, firmware: Firmware) {
        self.init(
            firmware: firmware, kernel: .path(linux.kernel), initrd: linux.initialRamdisk.map { .path($0) },
            commandLine: linux.commandLine)
    }
}

extension UserNetworkOptions {
    init(_ network: UserNetworkAttachment) throws(HostError) {
        self.init()
        reachesHost = network.reachesHost
        for forward in network.forwards {
            forwards.append(
                try Host.PortForward(
                    "\(forward.transport.rawValue):\(forward.hostAddress):\(forward.hostPort):\(forward.guestPort)"))
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// What the machine is made of.
struct MachineOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("The guest's hardware: riscv64 or x86_64.", valueName: "platform"))
    var platform = "riscv64"

    @Option(name: .long, help: ArgumentHelp("What executes the vCPUs: auto or interpreter.", valueName: "engine"))
    var engine = "auto"

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The CPU model of an x86_64 guest: NAME[,+FEATURE][,-FEATURE].", valueName: "model"))
    var cpu: String?

    @Option(name: .long, help: ArgumentHelp("vCPUs, 1 to 16.", valueName: "n"))
    var cpus = "1"

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "RAM, with K, M or G: SIZE[,max=SIZE]; up to max can be given while it runs.", valueName: "size"))
    var memory = "1G"

    @Flag(name: .long, help: "Run it even where the host has less memory free than it may use.")
    var overcommit = false

    @OptionGroup
    var processors: ProcessorOptions

    @Option(
        name: .long,
        help: ArgumentHelp("A kernel: a Linux Image, bzImage or ELF, for x86_64 Multiboot too.", valueName: "file"))
    var kernel: String?

    @Option(name: .long, help: ArgumentHelp("An initial RAM disk for the kernel.", valueName: "file"))
    var initrd: String?

    @Option(
        name: .long,
        help: ArgumentHelp("The kernel's command line; after the image's own, where there is one.", valueName: "text"))
    var append: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "What runs in M-mode instead of the built-in SBI; none: the kernel itself.", valueName: "file|none"))
    var firmware: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            """
            A raw disk, repeatable: FILE[,ro][,serial=TEXT][,bps=10M][,burst=20M][,iops=500][,iops-burst=50] (bytes \
            and requests a second, and how much may go at once).
            """, valueName: "disk"))
    var disk: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            """
            A network card, repeatable: none, user[,forward=tcp:HOSTPORT:GUESTPORT…][,host=on], tap,ifname=NAME; \
            the last two with mac=ADDRESS and limits each way, such as bps=10M,burst=20M,pps=1000 (bytes and frames a \
            second). Without one: user for an image, else none.
            """, valueName: "network"))
    var net: [String] = []

    @Option(name: .long, help: ArgumentHelp("What virtio devices sit on: pci or mmio.", valueName: "transport"))
    var virtio = "pci"

    @Option(
        name: .long,
        help: ArgumentHelp("Where the console ends: stdio, file:PATH, unix:PATH or pty.", valueName: "console"))
    var console: String?

    @OptionGroup
    var confinement: SandboxOptions

    /// Whether none of the options was given another value than its standard one. All that the parser holds is compared,
    /// groups within this one too, so that no option can be forgotten.
    var isUntouched: Bool {
        guard let standard = try? MachineOptions.parse([]) else { return false }
        return String(describing: self) == String(describing: standard)
    }

    /// The boot loader that the options alone describe.
    func bootLoader() throws(VirtualMachineError) -> BootLoader {
        let linux = kernel.map {
            LinuxBootLoader(kernel: $0, initialRamdisk: initrd, commandLine: append ?? "")
        }
        if linux == nil, initrd != nil || append != nil {
            throw VirtualMachineError(
                .configuration, "--initrd and --append are for a kernel; give one with --kernel FILE")
        }
        switch (firmware, linux) {
        case (nil, nil):
            throw VirtualMachineError(
                .configuration,
                "nothing to run: give an image (known are "
                    + ImageLibrary.recipes.map(\.name).joined(separator: ", ") + "), --kernel FILE or --firmware FILE")
        case (nil, let linux?): return .linux(linux)
        case ("none", nil):
            throw VirtualMachineError(
                .configuration, "--firmware none needs a program to start; give it with --kernel FILE")
        case ("none", let linux?):
            guard linux.initialRamdisk == nil, append == nil else {
                throw VirtualMachineError(
                    .configuration, "--firmware none starts a bare program, which takes no --initrd and no --append")
            }
            return .bare(kernel: linux.kernel)
        case (let firmware?, let linux):
            return .firmware(FirmwareBootLoader(firmware: firmware, kernel: linux))
        }
    }

    /// The image's boot loader with what the options add.
    func bootLoader(of image: GuestImage) throws(VirtualMachineError) -> BootLoader {
        guard case .linux(var linux) = try image.bootLoader() else { return try image.bootLoader() }
        if let append { linux.commandLine += (linux.commandLine.isEmpty ? "" : " ") + append }
        return .linux(linux)
    }

    /// The machine that the options describe.
    func configuration(
        bootLoader: BootLoader, isImage: Bool, hasCommand: Bool, conduct: ConductOptions
    ) throws(VirtualMachineError) -> VirtualMachineConfiguration {
        var configuration = VirtualMachineConfiguration(bootLoader: bootLoader)
        configuration.platform = try Platform(parsing: platform)
        configuration.engine = try Engine(parsing: engine)
        configuration.cpuModel = cpu
        guard let count = Int(cpus) else {
            throw VirtualMachineError(.configuration, "number of CPUs '\(cpus)' is not a whole number from 1 to 16")
        }
        configuration.cpuCount = count
        (configuration.memorySize, configuration.maximumMemorySize) = try MemoryBalloonDevice.sizes(parsing: memory)
        // A bare program has no driver for it, and may count the devices.
        if case .bare = bootLoader, !isImage, configuration.maximumMemorySize == nil {
            configuration.memoryBalloon = nil
        }
        configuration.overcommitsMemory = overcommit
        try processors.settings().apply(to: &configuration)
        configuration.transport = try VirtioTransport(parsing: virtio)
        for text in disk { configuration.storageDevices.append(try StorageDevice(parsing: text)) }
        for text in net.isEmpty ? [isImage ? "user" : "none"] : net {
            if let device = try NetworkDevice.parse(text) { configuration.networkDevices.append(device) }
        }
        // With a command, stdin and stdout are the command's.
        let end = try console.map { text throws(VirtualMachineError) in try StreamEnd(parsing: text) }
        if hasCommand, end == .standardStreams {
            throw VirtualMachineError(
                .configuration,
                "with a command, stdin and stdout are the command's; give the console another place or leave it out")
        }
        configuration.serialPort = SerialPort(
            attachment: end ?? (hasCommand ? .memory(isShown: conduct.verbose) : .standardStreams))
        configuration.hasAgentPort = isImage
        try confinement.apply(to: &configuration)
        try conduct.apply(to: &configuration)
        try configuration.validate()
        return configuration
    }
}

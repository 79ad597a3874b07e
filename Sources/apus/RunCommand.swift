// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// `apus run`: a machine on this terminal, from its start to its end.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs a virtual machine until it ends.",
        usage: """
            apus run [OPTIONS] IMAGE [-- COMMAND…]
            apus run [OPTIONS] --kernel FILE [--initrd FILE] [--append TEXT]
            apus run [OPTIONS] --firmware FILE|none [--kernel FILE]
            """,
        discussion: """
            An image that is not built yet is built first. What its guest writes is
            thrown away.

            With a COMMAND the guest runs that instead of a shell: stdin, stdout and
            stderr are the command's, and so is the exit status.

            On a terminal, Ctrl-A X ends the machine, Ctrl-A C leads to the monitor and
            back, Ctrl-A H helps. SIGTERM asks the guest to switch off, a second one
            ends it; SIGUSR1 prints what each vCPU is doing.

            EXAMPLES
              apus run debian-micro
              apus run debian-micro -- sh -c 'cat; exit 7' <input
              apus run debian-micro --cpus 4 --disk data.img
              apus run debian-micro --net user,forward=tcp:8080:80
              apus run --kernel Image --initrd initrd.gz --append "console=ttyS0"
              apus run --firmware none --kernel program.elf --gdb tcp:1234,wait
            """)

    @Argument(help: ArgumentHelp("The image to run (apus image list).", valueName: "image"))
    var image: String?

    @Argument(parsing: .postTerminator, help: ArgumentHelp("What the guest runs.", valueName: "command"))
    var command: [String] = []

    @OptionGroup(title: "Machine")
    var machine: MachineOptions

    @OptionGroup(title: "Command in the guest")
    var guest: GuestOptions

    @OptionGroup(title: "Run")
    var conduct: ConductOptions

    @OptionGroup(title: "Logging")
    var logging: LoggingOptions

    func run() async throws { try await run(under: RunSignals()) }

    /// Runs the machine; `signals` were taken over on the main thread.
    func run(under signals: RunSignals) async throws {
        try logging.bootstrap()
        let environment = try guest.environment()
        // What is wrong with the options is said before an image is built.
        var configuration = try machine.configuration(
            bootLoader: .bare(kernel: ""), isImage: image != nil, hasCommand: !command.isEmpty, conduct: conduct)
        configuration.bootLoader = try await bootLoader(configuration.platform)
        var options = LaunchOptions()
        options.image = image
        options.controlPath = try conduct.controlPath()
        options.log = logging.forMachine
        let session = RunSession(
            configuration: configuration, options: options, command: command, environment: environment,
            conduct: conduct)
        throw ExitCode(try await session.run(under: signals))
    }

    private func bootLoader(_ platform: Platform) async throws(VirtualMachineError) -> BootLoader {
        guard let image else {
            guard command.isEmpty else {
                throw VirtualMachineError(
                    .configuration, "a command needs an image with Apus's agent; write apus run IMAGE -- COMMAND")
            }
            return try machine.bootLoader()
        }
        guard machine.kernel == nil, machine.firmware == nil, machine.initrd == nil else {
            throw VirtualMachineError(
                .configuration,
                "image '\(image)' brings its own kernel; leave out --kernel, --initrd and --firmware, or the image")
        }
        let display = ProgressDisplay()
        let found = try await ImageLibrary().ensure(image, platform: platform, progress: display.show)
        display.finish()
        return try machine.bootLoader(of: found)
    }
}

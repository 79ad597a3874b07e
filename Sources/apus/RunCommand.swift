// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// `apus run`: a machine on this terminal, from its start to its end.
struct RunCommand: SignalledCommand {
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
            thrown away; with --name it is kept, with the configuration, and the same
            command starts that guest again.

            With a COMMAND the guest runs that instead of a shell: stdin, stdout and
            stderr are the command's, and so is the exit status.

            On a terminal, Ctrl-A X ends the machine, Ctrl-A C leads to the monitor and
            back, Ctrl-A H helps. SIGTERM asks the guest to switch off, a second one
            ends it; SIGUSR1 prints what each vCPU is doing.

            EXAMPLES
              apus run debian-micro
              apus run debian-micro -- sh -c 'cat; exit 7' <input
              apus run --name web debian-micro
              apus run --detach --name web debian-micro && apus console web
              apus run debian-micro --cpus 4 --disk data.img
              apus run debian-micro --net user,forward=tcp:8080:80
              apus run --kernel Image --initrd initrd.gz --append "console=ttyS0"
              apus run --firmware none --kernel program.elf --gdb tcp:1234,wait
            """)

    @Argument(help: ArgumentHelp("The image to run (apus image list).", valueName: "image"))
    var image: String?

    @Argument(parsing: .postTerminator, help: ArgumentHelp("What the guest runs.", valueName: "command"))
    var command: [String] = []

    @Option(name: .long, help: ArgumentHelp("Keep its configuration and its disk under this name.", valueName: "name"))
    var name: String?

    @Flag(name: .shortAndLong, help: "Leave it to itself, and print its ID.")
    var detach = false

    @OptionGroup(title: "Machine")
    var machine: MachineOptions

    @OptionGroup(title: "Command in the guest")
    var guest: GuestOptions

    @OptionGroup(title: "Run")
    var conduct: ConductOptions

    @OptionGroup(title: "Logging")
    var logging: LoggingOptions

    static func takeSignals() throws(VirtualMachineError) -> RunSignals { try RunSignals() }

    func run(under signals: RunSignals) async throws {
        signals.listen()
        try logging.bootstrap()
        let environment = try guest.environment()
        guard !detach || command.isEmpty else {
            throw VirtualMachineError(
                .configuration,
                "a command's streams are this terminal's: leave out --detach, or run it with apus exec later")
        }
        let run = try await PreparedRun(self)
        defer { run.discard() }
        var options = run.options
        options.controlPath = try conduct.controlPath()
        options.log = logging.forMachine
        if detach {
            let id = try await Guests.startDetached(run.configuration, options)
            return Message.print("\(id)\n")
        }
        let session = RunSession(
            configuration: run.configuration, options: options, command: command, environment: environment,
            conduct: conduct)
        throw ExitCode(try await session.run(under: signals))
    }
}

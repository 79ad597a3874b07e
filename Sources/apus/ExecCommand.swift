// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// `apus exec`.
struct ExecCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec",
        abstract: "Runs a command in a guest that runs.",
        usage: "apus exec [-i] [-e NAME=VALUE]… GUEST -- COMMAND…",
        discussion: """
            Stdout and stderr are the command's, byte for byte, and so is the exit status.
            With -i stdin is, too. The guest's agent is waited for where it is still coming up.

            EXAMPLES
              apus exec web -- uname -a
              apus exec -i web -- sh -c 'cat >/tmp/file' <file
              apus exec -e LANG=C web -- env
            """)

    @OptionGroup var guest: GuestArgument

    @Argument(parsing: .postTerminator, help: ArgumentHelp("What the guest runs.", valueName: "command"))
    var command: [String] = []

    @Flag(name: [.customShort("i"), .customLong("interactive")], help: "Pass stdin on to the command.")
    var isInteractive = false

    @OptionGroup var variables: GuestOptions

    /// How long a guest may take until its agent answers.
    private static let agentTimeout = Duration.seconds(60)

    func run() async throws {
        guard !command.isEmpty else {
            throw VirtualMachineError(.configuration, "no command; write apus exec \(guest.guest) -- COMMAND")
        }
        let guestCommand = GuestCommand(command, environment: try variables.environment())
        let running = try guest.running()
        guard try await running.connect().waitForAgent(timeout: ExecCommand.agentTimeout) else {
            throw VirtualMachineError(
                .guest, "no agent answers in guest '\(running.title)'; use an image that has one, such as debian-micro")
        }
        if !isInteractive { StandardStreams.closeInput() }
        let end = try await running.execute(guestCommand).run()
        if let reason = end.reason { Message.failure("'\(command[0])' did not start in the guest: \(reason)") }
        throw ExitCode(end.status)
    }
}

// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// `apus wait`.
struct WaitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait",
        abstract: "Waits for a guest's end; the exit status is the guest's.",
        discussion: """
            It prints the status as well. Of a guest that is kept and does not run, it is the
            one of the last run. A guest whose process was killed has 137.

            EXAMPLES
              apus wait web
            """)

    @OptionGroup var guest: GuestArgument

    @Flag(name: .long, help: "Print, as JSON, how it ended.")
    var json = false

    /// What a process has that SIGKILL ended (signal 9).
    private static let killed = ExitStatus.signal + 9

    /// What `--json` prints.
    private struct Ending: Encodable {
        var ended: String
        var code: Int32
    }

    func run() async throws {
        let end = try await Guests().wait(guest.guest)
        let ending = Ending(ended: end?.word ?? "lost", code: end?.exitStatus ?? WaitCommand.killed)
        Message.print(json ? JSONText.line(ending) : "\(ending.code)\n")
        if end == nil { Message.failure("the process of guest '\(guest.guest)' went without saying how it ended") }
        throw ExitCode(ending.code)
    }
}

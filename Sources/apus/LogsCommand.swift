// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// `apus logs`.
struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Prints what a guest wrote to its console.",
        discussion: """
            The log of a guest that is kept stays when it ends; each holds the last 1 to 2 MiB.

            EXAMPLES
              apus logs web
              apus logs --follow --tail 20 web
            """)

    @OptionGroup var guest: GuestArgument

    @Flag(name: .shortAndLong, help: "Go on until the guest ends.")
    var follow = false

    @Option(name: [.customShort("n"), .long], help: ArgumentHelp("Begin with the last N lines.", valueName: "n"))
    var tail: String?

    func run() async throws {
        let tail = try tail.map { text throws(VirtualMachineError) in
            guard let lines = Int(text), lines >= 0 else {
                throw VirtualMachineError(.configuration, "number of lines '\(text)' is not a whole number from 0 on")
            }
            return lines
        }
        var log = try await Guests().log(guest.guest, tail: tail, follows: follow)
        while let bytes = await log.next() {
            // A reader that is gone wants no more.
            guard StandardStreams.writeOutput(bytes) else { return }
        }
    }
}

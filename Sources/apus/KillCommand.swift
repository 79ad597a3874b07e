// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// `apus kill`.
struct KillCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kill",
        abstract: "Ends guests without asking them, as pulling the plug does.",
        discussion: """
            What a guest had not yet written to its disks is lost. A process that does not
            answer is killed.

            EXAMPLES
              apus kill web
            """)

    @OptionGroup var guests: GuestArguments

    func run() async throws {
        let all = try Guests()
        try await guests.forEach { name throws(VirtualMachineError) in try await all.guest(name).kill() }
    }
}

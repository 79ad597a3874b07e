// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// `apus remove`.
struct RemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Forgets guests that are kept, with their disks.",
        discussion: """
            Disks that were given by --disk are not theirs, and stay.

            EXAMPLES
              apus remove web
              apus remove --force web       also where it runs
            """)

    @OptionGroup var guests: GuestArguments

    @Flag(name: .shortAndLong, help: "End those that run first, without asking them.")
    var force = false

    func run() async throws {
        let all = try Guests()
        let force = force
        try await guests.forEach { name throws(VirtualMachineError) in try await all.remove(name, force: force) }
    }
}

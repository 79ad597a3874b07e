// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// `apus stop`.
struct StopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "Asks guests to switch off, and ends those that do not.",
        discussion: """
            The guest's agent is asked, which ends its programs and writes its disks. A guest
            that still runs after the timeout is ended. One with nobody to ask is left as it
            is, with a sentence: end it with apus kill.

            EXAMPLES
              apus stop web
              apus stop --timeout 1m web db
            """)

    @OptionGroup var guests: GuestArguments

    @Option(name: .shortAndLong, help: ArgumentHelp("How long they may take (90, 90s, 5m).", valueName: "time"))
    var timeout = "10"

    func run() async throws {
        let timeout = try Duration.parse(timeout)
        let all = try Guests()
        try await guests.forEach { name throws(VirtualMachineError) in
            try await all.guest(name).stop(timeout: timeout)
        }
    }
}

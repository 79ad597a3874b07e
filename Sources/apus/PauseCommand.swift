// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// `apus pause`.
struct PauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Stops guests' CPUs, devices and clock.",
        discussion: """
            EXAMPLES
              apus pause web
            """)

    @OptionGroup var guests: GuestArguments

    func run() async throws {
        let all = try Guests()
        try await guests.forEach { name throws(VirtualMachineError) in _ = try await all.guest(name).perform(.pause) }
    }
}

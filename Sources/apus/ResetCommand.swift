// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// `apus reset`.
struct ResetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset",
        abstract: "Begins guests again from reset, without asking them.",
        discussion: """
            EXAMPLES
              apus reset web
            """)

    @OptionGroup var guests: GuestArguments

    func run() async throws {
        let all = try Guests()
        try await guests.forEach { name throws(VirtualMachineError) in _ = try await all.guest(name).perform(.reset) }
    }
}

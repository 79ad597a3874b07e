// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// `apus resume`.
struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Lets paused guests go on.",
        discussion: """
            EXAMPLES
              apus resume web
            """)

    @OptionGroup var guests: GuestArguments

    func run() async throws {
        let all = try Guests()
        try await guests.forEach { name throws(VirtualMachineError) in _ = try await all.guest(name).perform(.resume) }
    }
}

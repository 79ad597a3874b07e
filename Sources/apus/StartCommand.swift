// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// `apus start`.
struct StartCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "Starts guests that are kept, and leaves them to themselves.",
        discussion: """
            They go on when this terminal is gone. It prints the ID of each.

            EXAMPLES
              apus start web
              apus start web && apus console web
            """)

    @OptionGroup var guests: GuestArguments

    @OptionGroup(title: "Logging")
    var logging: LoggingOptions

    func run() async throws {
        try logging.bootstrap()
        let all = try Guests()
        let log = logging.forMachine
        try await guests.forEach { name throws(VirtualMachineError) in
            Message.print("\(try await all.start(try all.kept(name), log: log))\n")
        }
    }
}

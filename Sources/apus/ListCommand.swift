// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// `apus list`.
struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists the guests that run.",
        discussion: """
            A guest whose process does not answer within 2 seconds is unresponsive.

            EXAMPLES
              apus list
              apus list --all               those that are kept and do not run, too
              apus stop $(apus list -q)     all of them
            """)

    @Flag(name: .shortAndLong, help: "Also those that are kept and do not run.")
    var all = false

    @Flag(name: .shortAndLong, help: "Print IDs alone, of guests that do not run the names.")
    var quiet = false

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    func run() async throws {
        let guests = try await Guests().list(all: all)
        if json { return Message.print(JSONText.encode(guests)) }
        if quiet { return Message.print(guests.map { ($0.id?.rawValue ?? $0.title) + "\n" }.joined()) }
        Message.print(GuestSummary.table(guests))
    }
}

// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// `apus inspect`.
struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Prints all that is known of a guest, as JSON.",
        discussion: """
            With --config it prints the configuration of a guest that is kept, to be edited
            and given back.

            EXAMPLES
              apus inspect web
              apus inspect --config web >web.json
              apus create --config web.json
            """)

    @OptionGroup var guest: GuestArgument

    @Flag(name: .long, help: "Print the kept configuration alone.")
    var config = false

    func run() async throws {
        let guests = try Guests()
        if config { return Message.print(try guests.kept(guest.guest).text) }
        Message.print(JSONText.encode(try await guests.inspect(guest.guest)))
    }
}

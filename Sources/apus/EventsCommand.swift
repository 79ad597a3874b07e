// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// `apus events`.
struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Tells what happens to guests, until Ctrl-C.",
        discussion: """
            started, paused, resumed, restarted, panicked, ended (how, and with which status)
            and lost (its process was killed).

            EXAMPLES
              apus events
              apus events --since 1h --json
              apus events --since 5m --until-now
            """)

    @Option(name: .long, help: ArgumentHelp("Begin so long ago (90, 90s, 5m, 1h).", valueName: "time"))
    var since: String?

    @Flag(name: .long, help: "End with what has happened so far.")
    var untilNow = false

    @Flag(name: .long, help: "Print a line of JSON each.")
    var json = false

    func run() async throws {
        let past = try since.map { text throws(VirtualMachineError) in try Duration.parse(text) } ?? .zero
        var reader = try GuestJournalReader(last: past, follows: !untilNow)
        while let event = await reader.next() {
            guard StandardStreams.writeOutput(json ? JSONText.line(event) : event.text) else { return }
        }
    }
}

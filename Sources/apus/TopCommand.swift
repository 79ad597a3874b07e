// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// `apus top`.
struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Shows what the guests that run use, again and again.",
        discussion: """
            CPU is in percent of one of the host's CPUs; memory is what the guest's processes
            hold of the host's, and what the guest believes to have; EXITS counts how often
            an engine returned control. A guest's user network is a process of its own, which
            is counted with it. Ctrl-C ends it.

            EXAMPLES
              apus top
              apus top --once --json
            """)

    @Flag(name: .long, help: "Print one table, of one second, and end.")
    var once = false

    @Flag(name: .long, help: "Print a line of JSON each time.")
    var json = false

    @Option(name: .long, help: ArgumentHelp("The time between two looks, in seconds.", valueName: "seconds"))
    var interval = "2"

    func run() async throws {
        guard let seconds = Int(interval), (1...3600).contains(seconds) else {
            throw VirtualMachineError(.configuration, "interval '\(interval)' is not a whole number from 1 to 3600")
        }
        var meter = GuestMeter(try Guests())
        _ = try await meter.look()
        repeat {
            try await Task.sleep(for: .seconds(once ? 1 : seconds))
            let loads = try await meter.look()
            let text = json ? JSONText.line(loads) : GuestLoad.table(loads)
            // ECMA-48: to the first cell, then erase what was below.
            let isLive = StandardStreams.isOutputTerminal && !once && !json
            guard StandardStreams.writeOutput(isLive ? "\u{1B}[H\u{1B}[J" + text : text) else { return }
        } while !once
    }
}

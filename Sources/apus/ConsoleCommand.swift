// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// `apus console`.
struct ConsoleCommand: SignalledCommand {
    static let configuration = CommandConfiguration(
        commandName: "console",
        abstract: "Puts a guest's console on this terminal.",
        discussion: """
            Ctrl-A D leaves it, and the guest goes on; Ctrl-A X ends the guest, Ctrl-A H
            helps. Several may look at one console, and whoever looks may type. The last of
            what the guest wrote comes first.

            EXAMPLES
              apus console web
              echo poweroff | apus console web
            """)

    @OptionGroup var guest: GuestArgument

    @Flag(name: .long, help: "Begin with what comes, not with the last of what was.")
    var noReplay = false

    static func takeSignals() throws(VirtualMachineError) -> ProcessSignals { try .resizes() }

    func run(under signals: ProcessSignals) async throws {
        let running = try guest.running()
        let console = try await running.console(replay: !noReplay)
        console.terminalResized()
        let listener = Task {
            for await _ in signals.signals { console.terminalResized() }
        }
        defer { listener.cancel() }
        let ending = try await console.run()
        guard StandardStreams.isErrorTerminal else { return }
        let outcome = ending == .detached ? "goes on" : "has ended"
        Message.note("guest '\(running.title)' \(outcome)")
    }
}

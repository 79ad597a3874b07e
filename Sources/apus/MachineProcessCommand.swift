// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// `apus machine`: the process that a machine runs in. Other commands start it, and tell it what to run.
struct MachineProcessCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "machine", abstract: "Runs one machine, for the command that starts this.", shouldDisplay: false)

    func run() async throws { try await run(under: ProcessSignals()) }

    /// Runs the machine that the starter describes; `signals` were taken over on the main thread.
    func run(under signals: ProcessSignals) async throws {
        let host = try MachineHost()
        try LoggingOptions.bootstrap(level: host.log.level, file: host.log.file)
        throw ExitCode(await host.run(signals))
    }
}

// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// `apus machine`: the process that a machine runs in. Other commands start it, and tell it what to run.
struct MachineProcessCommand: SignalledCommand {
    static let configuration = CommandConfiguration(
        commandName: "machine", abstract: "Runs one machine, for the command that starts this.", shouldDisplay: false)

    static func takeSignals() throws(VirtualMachineError) -> ProcessSignals { try ProcessSignals() }

    /// Runs the machine that the starter describes.
    func run(under signals: ProcessSignals) async throws {
        let host = try MachineHost()
        try LoggingOptions.bootstrap(level: host.log.level, file: host.log.file)
        throw ExitCode(await host.run(signals))
    }
}

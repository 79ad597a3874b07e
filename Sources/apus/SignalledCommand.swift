// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// A command that minds signals. They are taken over on the process's first thread, before there is another: a signal
/// is taken by any thread that does not block it.
protocol SignalledCommand: AsyncParsableCommand {
    associatedtype Signals: Sendable

    /// Takes over the signals that the command minds.
    static func takeSignals() throws(VirtualMachineError) -> Signals

    /// Does what the command is for; `signals` were taken over on the first thread.
    func run(under signals: Signals) async throws
}

extension SignalledCommand {
    func run() async throws { try await run(under: Self.takeSignals()) }

    /// Takes over the signals now; what is to be done with them.
    func takingSignals() throws(VirtualMachineError) -> () async throws -> Void {
        let signals = try Self.takeSignals()
        return { try await run(under: signals) }
    }
}

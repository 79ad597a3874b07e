// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser
import Synchronization

/// What a run does about signals: ends the process while there is no machine yet, and minds the machine afterwards.
final class RunSignals: Sendable {
    private struct State {
        var machine: VirtualMachine?
        var interruptCommand: (@Sendable () -> Void)?
        var ends = 0
    }

    private let source: ProcessSignals
    private let state = Mutex(State())

    /// Takes the signals over; called on the main thread before anything else runs.
    init() throws(VirtualMachineError) {
        source = try ProcessSignals()
    }

    /// Begins to hear them.
    func listen() {
        Task { [self] in
            for await signal in source.signals { await hear(signal) }
        }
    }

    /// From now on signals concern `machine`.
    func attach(_ machine: VirtualMachine) { state.withLock { $0.machine = machine } }

    /// The first SIGINT goes to the command in the guest.
    func onInterrupt(_ action: @escaping @Sendable () -> Void) { state.withLock { $0.interruptCommand = action } }

    private func hear(_ signal: ProcessSignals.Signal) async {
        switch signal {
        case .report: await report()
        case .resized: state.withLock(\.machine)?.terminalResized()
        case .end(let number): await end(number)
        }
    }

    private func end(_ number: Int32) async {
        let (machine, ends, interrupt) = state.withLock { state in
            state.ends += 1
            defer { state.interruptCommand = nil }
            // SIGINT
            return (state.machine, state.ends, number == 2 ? state.interruptCommand : nil)
        }
        guard let machine else { Apus.exit(withError: ExitCode(ExitStatus.signal + number)) }
        if let interrupt { return interrupt() }
        // SIGQUIT asks nobody, and neither does a second signal.
        if number == 3 || ends > 1 { return machine.stop(.signal(number)) }
        await machine.requestStop(.signal(number))
    }

    private func report() async {
        guard let machine = state.withLock(\.machine), let vcpus = try? await machine.vcpus() else { return }
        // The terminal may be raw: go back to the first column, too.
        let end = StandardStreams.isErrorTerminal ? "\r\n" : "\n"
        Message.write(vcpus.map { "apus: \($0.line)\(end)" }.joined())
    }
}

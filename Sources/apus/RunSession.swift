// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// One run of a machine: from its start to what is said at its end.
struct RunSession {
    let configuration: VirtualMachineConfiguration
    /// How the guest appears on this host.
    let options: LaunchOptions
    /// What the guest runs; empty: its own shell on the console.
    let command: [String]
    /// `NAME=VALUE` for the command.
    let environment: [String]
    let conduct: ConductOptions

    /// How long a guest may take until its agent answers.
    private static let agentTimeout = Duration.seconds(300)
    /// How long a guest whose agent is gone may take to switch off.
    private static let endTimeout = Duration.seconds(10)

    /// Runs the machine; the exit status.
    func run(under signals: RunSignals) async throws(VirtualMachineError) -> Int32 {
        let machine = try await VirtualMachine(configuration, options: options)
        signals.attach(machine)
        sayStart(of: machine)
        let listener = watch(machine)
        try await machine.start()
        if !command.isEmpty { try await runCommand(in: machine, signals) }
        let end = await machine.wait()
        await listener.value
        await sayEnd(end, of: machine)
        return end.exitStatus
    }

    // MARK: The command

    /// Runs the command and ends the machine with its status.
    private func runCommand(in machine: VirtualMachine, _ signals: RunSignals) async throws(VirtualMachineError) {
        guard await machine.waitForAgent(timeout: RunSession.agentTimeout) else {
            return await giveUp(on: machine)
        }
        do {
            let process = try await machine.prepare(
                GuestCommand(command, environment: environment, waitsForNetwork: !configuration.networkDevices.isEmpty))
            signals.onInterrupt { process.signal(2) }
            let end = try await process.run()
            if let reason = end.reason { Message.failure("'\(command[0])' did not start in the guest: \(reason)") }
            await finish(machine, status: end.status)
        } catch {
            // A guest that switches off ends its agent first, then writes what its disks are still to get: the machine's
            // own end, if it comes to that, says more than the broken connection.
            let isLost = !(await machine.waitForAgent(timeout: .zero))
            if isLost, await hasEnded(machine, within: RunSession.endTimeout) {
                guard case .poweredOff = machine.end?.reason else { return }
                throw VirtualMachineError(.guest, "the guest switched off before '\(command[0])' ended")
            }
            machine.stop(.command(status: ExitStatus.failure))
            _ = await machine.wait()
            throw isLost ? VirtualMachineError(.guest, "the guest's agent ended before '\(command[0])' did") : error
        }
    }

    private func hasEnded(_ machine: VirtualMachine, within time: Duration) async -> Bool {
        await withTaskGroup { group in
            group.addTask { _ = await machine.wait() }
            group.addTask { try? await Task.sleep(for: time) }
            await group.next()
            group.cancelAll()
        }
        return machine.end != nil
    }

    /// The machine is thrown away, but what it wrote to a disk of the user's is not.
    private func finish(_ machine: VirtualMachine, status: Int32) async {
        if configuration.storageDevices.contains(where: { !$0.isReadOnly }) {
            await machine.requestStop(.command(status: status))
        } else {
            machine.stop(.command(status: status))
        }
    }

    private func giveUp(on machine: VirtualMachine) async {
        let hasEnded = machine.state == .ended
        if !hasEnded { machine.stop(.command(status: ExitStatus.failure)) }
        let end = await machine.wait()
        // A crash, a timeout or a signal has its own sentence.
        if hasEnded, case .poweredOff = end.reason {} else if hasEnded { return }
        Message.failure(
            hasEnded
                ? "the guest switched off before its agent answered"
                : "the guest's agent did not answer within \(RunSession.agentTimeout.components.seconds) seconds")
        let lines = await machine.consoleTail()
        if !lines.isEmpty {
            Message.write("apus: the console's last lines:\n" + lines.map { "  \($0)\n" }.joined())
        }
    }

    // MARK: What is said

    private func sayStart(of machine: VirtualMachine) {
        guard conduct.verbose || StandardStreams.isErrorTerminal && command.isEmpty else { return }
        let cpus = configuration.cpuCount == 1 ? "1 CPU" : "\(configuration.cpuCount) CPUs"
        Message.note(
            "\(configuration.platform.rawValue) on the \(machine.engine.rawValue) (\(configuration.engineReason)), \(cpus), "
                + "\(ByteSize(configuration.memorySize)) of memory, \(machine.sandbox)")
    }

    /// Says what happens meanwhile.
    private func watch(_ machine: VirtualMachine) -> Task<Void, Never> {
        let events = machine.events
        let action = configuration.onPanic
        return Task {
            for await event in events {
                switch event {
                case .console(let place): Message.note("the console is at \(place)")
                case .panicked(let text) where action != .exit:
                    Message.note("the guest's system crashed: \(text) (--on-panic \(action.rawValue))")
                default: break
                }
            }
        }
    }

    private func sayEnd(_ end: VirtualMachineEnd, of machine: VirtualMachine) async {
        switch end.reason {
        case .panicked(let text): Message.failure("the guest's system crashed: \(text)")
        case .failed(let reason): Message.failure(reason)
        case .stopped(.timeout):
            let seconds = configuration.timeout?.components.seconds ?? 0
            Message.failure("the machine was ended after the \(seconds) second\(seconds == 1 ? "" : "s") of --timeout")
        default: break
        }
        guard conduct.json || conduct.stats else { return }
        // A machine whose process died has none.
        let statistics = try? await machine.statistics()
        if conduct.json {
            let report = RunReport(end, of: machine, statistics: statistics, hasCounters: conduct.stats)
            Message.write(JSONText.line(report))
        } else if let statistics {
            Message.write(statistics.text)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import Host
import MachineCore
import Machines
import Synchronization

/// A console on the user's terminal: between the host's stream and the guest, it picks out the escapes and runs the
/// monitor. Where there is no terminal it only passes bytes on.
final class ConsoleRelay: StreamBackend {
    /// What the relay does for the user besides passing bytes.
    struct Actions: Sendable {
        var quit: @Sendable () -> Void
        var perform: @Sendable (MachineCommand) async -> MachineReply
        /// Leaves the machine to itself; nil where it would not go on.
        var detach: (@Sendable () -> Void)?
    }

    private struct State {
        var delivery: StreamAttachment.Delivery?
        var actions: Actions?
        var escape = ConsoleEscape()
        var monitor: MonitorLine?
        /// The monitor's last command.
        var underWay: Task<Void, Never>?
        /// Typed, and not taken by the guest yet.
        var pending: [UInt8] = []
        var isDelivering = false
        var mustDeliverAgain = false
    }

    /// What is typed ahead of a guest that does not read; more is lost, so that the escapes are always heard.
    private static let typedAhead = 4096

    private let stream: any StreamBackend
    private let hasEscapes: Bool
    private let state = Mutex(State())

    /// A relay over `stream`, whose delivery is `receive`. With escapes where a person types.
    init(_ stream: any StreamBackend, hasEscapes: Bool) {
        self.stream = stream
        self.hasEscapes = hasEscapes
    }

    /// Sets what the escapes do; until then they do nothing.
    func setActions(_ actions: Actions) { state.withLock { $0.actions = actions } }

    /// Sets where the guest's input goes.
    func connect(_ delivery: @escaping StreamAttachment.Delivery) { state.withLock { $0.delivery = delivery } }

    // MARK: From the guest

    func send(_ bytes: [UInt8]) -> Int { stream.send(bytes) }

    func resume() {
        if hasEscapes { deliverPending() } else { stream.resume() }
    }

    // MARK: From the host

    /// Takes what came from the host's stream; answers how much.
    func receive(_ bytes: [UInt8]) -> Int {
        guard hasEscapes else { return state.withLock(\.delivery)?(bytes) ?? 0 }
        let inputs = state.withLock { $0.escape.take(bytes) }
        for input in inputs {
            switch input {
            case .guest(let typed): take(typed)
            case .quit: state.withLock(\.actions)?.quit()
            case .monitor: toggleMonitor()
            case .detach: detach()
            case .help: print(ConsoleEscape.helpText)
            }
        }
        return bytes.count
    }

    private func detach() {
        guard let detach = state.withLock(\.actions)?.detach else {
            return print("\napus: this guest ends with its terminal; one that was started detached can be left\n")
        }
        detach()
    }

    private func take(_ typed: [UInt8]) {
        let outcomes = state.withLock { state -> [MonitorLine.Outcome]? in
            if let outcomes = state.monitor?.take(typed) { return outcomes }
            state.pending += typed.prefix(max(0, ConsoleRelay.typedAhead - state.pending.count))
            return nil
        }
        guard let outcomes else { return deliverPending() }
        for outcome in outcomes {
            switch outcome {
            case .echo(let bytes): _ = stream.send(bytes)
            case .leave: toggleMonitor()
            case .line(let line): perform(line)
            }
        }
    }

    private func deliverPending() {
        while true {
            let next = state.withLock { state -> (StreamAttachment.Delivery, [UInt8])? in
                guard !state.isDelivering else {
                    state.mustDeliverAgain = true
                    return nil
                }
                guard let delivery = state.delivery, !state.pending.isEmpty else { return nil }
                state.isDelivering = true
                state.mustDeliverAgain = false
                return (delivery, state.pending)
            }
            guard let (delivery, bytes) = next else { return }
            // No lock is held: the device may call back.
            let taken = delivery(bytes)
            let goesOn = state.withLock { state in
                state.isDelivering = false
                state.pending.removeFirst(min(taken, state.pending.count))
                return taken == bytes.count || state.mustDeliverAgain
            }
            if !goesOn { return }
        }
    }

    // MARK: The monitor

    private func toggleMonitor() {
        let isOn = state.withLock { state in
            state.monitor = state.monitor == nil ? MonitorLine() : nil
            return state.monitor != nil
        }
        print(isOn ? "\nmonitor: help lists the commands, Ctrl-A C leads back\n\(MonitorLine.prompt)" : "\n")
    }

    private func perform(_ line: String) {
        print("\n")
        guard line.contains(where: { !$0.isWhitespace }), let actions = state.withLock(\.actions) else {
            return print(MonitorLine.prompt)
        }
        do throws(VirtualMachineError) {
            let command = try MachineCommand(parsing: line)
            // Commands typed ahead are carried out in their order.
            state.withLock { state in
                let before = state.underWay
                state.underWay = Task(executorPreference: ServiceExecutor.shared) {
                    await before?.value
                    let reply = await actions.perform(command)
                    self.print(reply.text)
                    if self.state.withLock({ $0.monitor != nil }) { self.print(MonitorLine.prompt) }
                }
            }
        } catch {
            print(MachineReply.failed(error.description).text + MonitorLine.prompt)
        }
    }

    /// Writes to a raw terminal, where a line feed alone does not go back to the first column.
    private func print(_ text: String) {
        _ = stream.send(Array(text.utf8).flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] })
    }
}

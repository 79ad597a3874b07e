// SPDX-License-Identifier: Apache-2.0

import Host
import MachineCore

/// A command for a guest.
public struct GuestCommand: Equatable, Sendable {
    /// The program, looked for on the guest's PATH unless it has a slash, and its arguments.
    public var arguments: [String]
    /// `NAME=VALUE`, over the few variables that every command gets.
    public var environment: [String]
    /// Whether it waits, a bounded time, for a network that is coming up.
    public var waitsForNetwork: Bool

    public init(_ arguments: [String], environment: [String] = [], waitsForNetwork: Bool = false) {
        self.arguments = arguments
        self.environment = environment
        self.waitsForNetwork = waitsForNetwork
    }

    /// How long a command waits for the network, in milliseconds.
    private static let networkWait: UInt32 = 20_000

    var agentCommand: AgentCommand {
        AgentCommand(
            arguments, environment: environment, networkWait: waitsForNetwork ? GuestCommand.networkWait : nil)
    }
}

/// A command in a guest on this process's stdin, stdout and stderr.
public final class GuestProcess: Sendable {
    private let command: GuestCommand
    private let execution: GuestExecution

    init(_ command: GuestCommand, _ execution: GuestExecution) {
        self.command = command
        self.execution = execution
    }

    /// Runs the command to its end; what it wrote has been written then.
    public func run() async throws(VirtualMachineError) -> GuestCommandEnd {
        try await execution.run(command.agentCommand)
    }

    /// Sends a signal to it, by the guest's number.
    public func signal(_ number: Int32) { execution.signal(number) }
}

extension VirtualMachine {
    /// A command to run in the guest, whose agent has answered.
    public func prepare(_ command: GuestCommand) throws(VirtualMachineError) -> GuestProcess {
        guard let agent else {
            throw VirtualMachineError(
                .configuration, "this machine has no port for an agent; use an image that has one")
        }
        return GuestProcess(command, GuestExecution(agent: agent, loop: devices.loop))
    }
}

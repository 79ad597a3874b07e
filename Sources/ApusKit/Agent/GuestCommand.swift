// SPDX-License-Identifier: Apache-2.0

import Host
import MachineCore

/// A command for a guest.
public struct GuestCommand: Equatable, Codable, Sendable {
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

    private enum CodingKeys: String, CodingKey, CaseIterable { case arguments, environment, waitsForNetwork }

    /// `{"arguments": […], "environment": ["NAME=VALUE"], "waitsForNetwork": true}`; the last two may be left out.
    public init(from decoder: any Decoder) throws {
        let object = try decoder.strictContainer(keyedBy: CodingKeys.self, of: "'exec'")
        self.init(
            try object.decode([String].self, forKey: .arguments),
            environment: try object.value(.environment, default: []),
            waitsForNetwork: try object.value(.waitsForNetwork, default: false))
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
    /// Serves the streams of a command in another process's machine.
    private let ownLoop: EventLoop?

    init(_ command: GuestCommand, _ execution: GuestExecution, ownLoop: EventLoop? = nil) {
        self.command = command
        self.execution = execution
        self.ownLoop = ownLoop
    }

    deinit { ownLoop?.stop() }

    /// Runs the command to its end; what it wrote has been written then.
    public func run() async throws(VirtualMachineError) -> GuestCommandEnd {
        try await execution.run(command)
    }

    /// Sends a signal to it, by the guest's number.
    public func signal(_ number: Int32) { execution.signal(number) }
}

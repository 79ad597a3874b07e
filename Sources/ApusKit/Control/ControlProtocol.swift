// SPDX-License-Identifier: Apache-2.0

/// The numbers of the control protocol: `docs/control-protocol.md`.
public enum ControlProtocol {
    /// The version of both sides here.
    public static let version = 1
    /// Bytes of a line that a client sends.
    public static let longestLine = 64 << 10
    /// Bytes of a line that a client is sent.
    static let longestAnswer = 1 << 20
    /// Connections at once.
    public static let clientLimit = 128
    /// Commands of one connection that are under way at once.
    static let commandsAtOnce = 16
    /// Bytes kept for a client that does not read; with more it is let go.
    static let outputLimit = 1 << 20
    /// Bytes of the console that a reader is shown at first, and kept for a reader that does not keep up.
    static let consoleBacklog = 64 << 10
}

/// Who answers at a control socket.
public struct ControlGreeting: Codable, Equatable, Sendable {
    /// The protocol's.
    public var version: Int
    /// The process that runs the machine.
    public var processID: Int32
    public var state: VirtualMachine.State
    /// What the process's sandbox is, in a few words, from the machine's start on; nil where the process is not its own.
    public var sandbox: String?

    /// The greeting of a machine in `state` in this process or another.
    package init(
        version: Int = ControlProtocol.version, processID: Int32, state: VirtualMachine.State, sandbox: String? = nil
    ) {
        self.version = version
        self.processID = processID
        self.state = state
        self.sandbox = sandbox
    }
}

/// What a machine that was started tells its owner.
package struct StartReport: Codable, Equatable, Sendable {
    /// Where a debugger may connect.
    var debugPort: UInt16?
    /// Names of pseudo-terminals.
    var consoles: [String]
}

/// What a connection asks for.
package enum ControlCommand: Equatable, Sendable {
    /// Comes first, with the version of the protocol that the client speaks.
    case hello(version: Int)
    /// Events follow from now on.
    case subscribe
    /// The connection becomes the console: bytes both ways.
    case attach(replay: Bool)
    /// The connection becomes the command's streams, in frames.
    case execute(GuestCommand)
    /// Answers once the guest's agent has, or has not within this time.
    case awaitAgent(seconds: Int)
    /// The size of the terminal that the console is on.
    case resize(columns: UInt16, rows: UInt16)
    /// The last lines of a console that is kept in memory.
    case consoleTail
    case machine(MachineCommand)
    // The owner's alone.
    /// Switch on.
    case start
    /// End the machine: at once, or after asking the guest and waiting for so long.
    case end(StopCause, graceSeconds: Int?)
    /// The machine outlives this connection.
    case detach

    /// Whether only who made the machine may ask for it.
    package var isOwners: Bool {
        switch self {
        case .start, .end, .detach: true
        default: false
        }
    }
}

/// What came of a `ControlCommand`.
package enum ControlReply: Equatable, Sendable {
    case machine(MachineReply)
    case hello(ControlGreeting)
    /// The machine was started.
    case started(StartReport)
    /// Whether the agent answered.
    case agent(isReady: Bool)
    case lines([String])
    /// The connection is the console now.
    case attached
    /// The connection is the command's streams now.
    case executing

    static func done(_ sentence: String) -> ControlReply { .machine(.done(sentence)) }
    static func failed(_ sentence: String) -> ControlReply { .machine(.failed(sentence)) }
}

/// A line of a client.
package struct ControlRequest: Codable, Equatable, Sendable {
    package var id: Int64
    package var command: ControlCommand

    package init(id: Int64, command: ControlCommand) {
        self.id = id
        self.command = command
    }

    /// The request in a line of a client's, without its end.
    package init(line: [UInt8]) throws(VirtualMachineError) {
        self = try JSONText.decode(ControlRequest.self, from: line, of: "the request")
    }
}

/// A line of the machine's: the reply to a request, or an event.
struct ControlAnswer: Codable, Equatable, Sendable {
    /// The request's; nil where it could not be read.
    var id: Int64?
    var reply: ControlReply?
    var event: VirtualMachine.Event?
}

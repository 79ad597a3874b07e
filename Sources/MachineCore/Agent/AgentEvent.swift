// SPDX-License-Identifier: Apache-2.0

/// A command that runs in a guest, as its host calls it.
public struct AgentExecution: Hashable, Sendable {
    /// Never 0.
    public let number: UInt32
}

/// The two streams that a command writes to.
public enum AgentStream: UInt32, Sendable {
    case stdout = 1
    case stderr = 2
}

/// Whether commands in the guest can reach a network.
public enum AgentNetwork: UInt32, Sendable {
    /// No interface is up.
    case none = 0
    /// An interface is up and waits for its address.
    case coming = 1
    /// There is a default route.
    case ready = 2
}

/// What the agent says of itself.
public struct AgentGreeting: Equatable, Sendable {
    /// The guest's network when the session began.
    public let network: AgentNetwork
    /// How many commands may run at once.
    public let executionLimit: UInt32
    /// Bytes of stdin that may be on the way to each.
    public let stdinWindow: UInt32

    public init(network: AgentNetwork, executionLimit: UInt32, stdinWindow: UInt32) {
        self.network = network
        self.executionLimit = executionLimit
        self.stdinWindow = stdinWindow
    }
}

/// How a command ended.
public enum AgentExit: Equatable, Sendable {
    /// It exited with this status, 0 to 255.
    case code(Int32)
    /// A signal ended it.
    case signal(Int32)
    /// It never ran: what failed, and the guest's error number.
    case notStarted(Stage, errno: Int32)

    /// What failed before a command ran.
    public enum Stage: UInt32, Sendable {
        /// The program itself: not there, or not a program.
        case program = 0
        /// Its folder.
        case directory = 1
        /// A pipe or a process.
        case resources = 2
    }

    /// The status for a shell, as container tools have it: 125 the guest had no means, 126 the command cannot be
    /// invoked, 127 it was not found, 128 + N signal N.
    public var status: Int32 {
        switch self {
        case .code(let code): code
        case .signal(let number): 128 + number
        // ENOENT of Linux.
        case .notStarted(.program, errno: 2): 127
        case .notStarted(.resources, errno: _): 125
        case .notStarted: 126
        }
    }
}

/// What happens on an agent's port.
public enum AgentEvent: Equatable, Sendable {
    /// The agent answered: commands may be sent.
    case ready(AgentGreeting)
    /// The program runs, with this process number in the guest.
    case started(AgentExecution, process: UInt32)
    /// The command wrote these bytes. `AgentClient.consumed` makes room for more.
    case output(AgentExecution, AgentStream, [UInt8])
    /// More stdin may be written than before.
    case stdinWritable(AgentExecution)
    /// The command closed its stdin: what is written now goes to nobody.
    case stdinClosed(AgentExecution)
    /// The command ended; all it wrote has come before.
    case ended(AgentExecution, AgentExit)
    /// The answer to a ping.
    case pong(cookie: UInt64, network: AgentNetwork)
}

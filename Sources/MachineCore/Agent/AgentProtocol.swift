// SPDX-License-Identifier: Apache-2.0

/// The numbers of the protocol between the host and the agent inside a guest: `docs/agent-protocol.md`. The guest's
/// side is `Guest/agent/protocol.h`.
public enum AgentProtocol {
    /// The name of the virtio-console port that the agent serves.
    public static let portName = "org.apus.agent.0"
    /// The version of both sides here.
    public static let version: UInt32 = 1
    /// Payload bytes of every frame but EXEC.
    public static let dataLimit = 64 * 1024
    /// Payload bytes of EXEC: a command's directory, arguments and environment.
    public static let commandLimit = 1024 * 1024
    /// Bytes of each output stream that may be on the way to a host that has not consumed them.
    public static let outputWindow: UInt32 = 1024 * 1024
    /// The longest that a command waits for the guest's network, in milliseconds.
    public static let networkWaitLimit: UInt32 = 60_000

    static let headerSize = 12
    /// Bytes that no text stream has by chance: they mark the first frame after any mess.
    static let magic: [UInt8] = [
        0x00, 0x61, 0x70, 0x75, 0x73, 0x20, 0x61, 0x67, 0x65, 0x6E, 0x74, 0x0D, 0x0A, 0x1A, 0x01, 0xFF,
    ]

    /// Frames of the host.
    enum Request: UInt16 {
        case hello = 0x01
        case execute = 0x02
        case stdin = 0x03
        case closeStdin = 0x04
        case signal = 0x05
        case credit = 0x06
        case power = 0x07
        case ping = 0x08
    }

    /// Frames of the agent.
    enum Reply: UInt16 {
        case welcome = 0x81
        case started = 0x82
        case stdout = 0x83
        case stderr = 0x84
        case exit = 0x85
        case stdinCredit = 0x86
        case stdinClosed = 0x87
        case error = 0x88
        case pong = 0x89
    }
}

/// What went wrong with an agent's port, or with a request to it.
public enum AgentError: Error, Equatable {
    /// The guest sent what the protocol does not allow: the session is over.
    case malformed(StaticString, UInt64)
    /// The agent refused a request and ended the session, for this reason of its own.
    case refused([UInt8])
    /// The agent speaks another version.
    case version(UInt32)
    /// No agent has answered yet.
    case notReady
    /// As many commands run as the agent takes.
    case tooManyExecutions(UInt32)
    /// A command without arguments, with a zero byte in a string, or with a variable without a name.
    case invalidCommand
    /// A command's strings are larger than `AgentProtocol.commandLimit`.
    case commandTooLong(Int)

    public static func == (a: AgentError, b: AgentError) -> Bool {
        switch (a, b) {
        case (.malformed(let x, let v), .malformed(let y, let w)): x.description == y.description && v == w
        case (.refused(let x), .refused(let y)): x == y
        case (.version(let x), .version(let y)): x == y
        case (.notReady, .notReady), (.invalidCommand, .invalidCommand): true
        case (.tooManyExecutions(let x), .tooManyExecutions(let y)): x == y
        case (.commandTooLong(let x), .commandTooLong(let y)): x == y
        default: false
        }
    }
}

extension AgentError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .malformed(let what, let value):
            "the guest's agent broke the protocol: \(what) (\(value)); restart the guest"
        case .refused(let reason):
            "the guest's agent refused a request: \(Self.printable(reason))"
        case .version(let version):
            "the guest's agent speaks version \(version) of the protocol and Apus \(AgentProtocol.version); build the "
                + "image again"
        case .notReady:
            "no agent answers in the guest; use an image that has one, or wait until the guest has started"
        case .tooManyExecutions(let limit):
            "\(limit) commands run in the guest already, which is the most that its agent takes"
        case .invalidCommand:
            "a command needs an argument, strings without zero bytes and variables of the form NAME=VALUE"
        case .commandTooLong(let size):
            "the command's strings take \(size) bytes and at most \(AgentProtocol.commandLimit) are allowed"
        }
    }

    /// A guest's text, without what would steer the host's terminal.
    private static func printable(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.prefix(200).map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }
}

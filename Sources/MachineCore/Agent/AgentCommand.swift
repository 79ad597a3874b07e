// SPDX-License-Identifier: Apache-2.0

/// A command for a guest. Strings are bytes: a guest's file names need not be UTF-8.
public struct AgentCommand: Equatable, Sendable {
    /// The program, looked for on the guest's PATH unless it has a slash, and its arguments.
    public var arguments: [[UInt8]]
    /// `NAME=VALUE`, over the few variables that every command gets (PATH, HOME, USER, TERM).
    public var environment: [[UInt8]]
    /// Where it starts; empty means the agent's own folder, the root.
    public var directory: [UInt8]
    /// How long the command waits for a network that is coming up, in milliseconds; nil starts it at once.
    public var networkWait: UInt32?

    public init(
        arguments: [[UInt8]], environment: [[UInt8]] = [], directory: [UInt8] = [], networkWait: UInt32? = nil
    ) {
        self.arguments = arguments
        self.environment = environment
        self.directory = directory
        self.networkWait = networkWait
    }

    /// A command given as text.
    public init(_ arguments: [String], environment: [String] = [], directory: String = "", networkWait: UInt32? = nil) {
        self.init(
            arguments: arguments.map { Array($0.utf8) }, environment: environment.map { Array($0.utf8) },
            directory: Array(directory.utf8), networkWait: networkWait)
    }

    /// The payload of EXEC.
    func payload() throws(AgentError) -> [UInt8] {
        let strings = [directory] + arguments + environment
        let size = strings.reduce(20) { $0 + $1.count + 1 }
        guard size <= AgentProtocol.commandLimit else { throw .commandTooLong(size) }
        let equals = UInt8(ascii: "=")
        let named = environment.allSatisfy { $0.first != equals && $0.contains(equals) }
        guard !arguments.isEmpty, named, !strings.contains(where: { $0.contains(0) }) else { throw .invalidCommand }

        var payload: [UInt8] = []
        payload.reserveCapacity(size)
        payload.append32(networkWait == nil ? 0 : 2)
        payload.append32(min(networkWait ?? 0, AgentProtocol.networkWaitLimit))
        payload.append32(AgentProtocol.outputWindow)
        payload.append32(UInt32(arguments.count))
        payload.append32(UInt32(environment.count))
        for string in strings {
            payload += string
            payload.append(0)
        }
        return payload
    }
}

extension [UInt8] {
    /// Appends a value in little-endian order.
    mutating func append32(_ value: UInt32) {
        for shift in stride(from: UInt32(0), to: 32, by: 8) { append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    /// The little-endian value at `offset`, which the caller has checked.
    func load32(at offset: Int) -> UInt32 {
        (0..<4).reversed().reduce(0) { $0 << 8 | UInt32(self[offset + $1]) }
    }
}

// SPDX-License-Identifier: Apache-2.0
import Glibc
import MachineCore
import Subprocess
import SystemPackage

/// The guest's agent, compiled for this host: the same sources, another compiler.
enum AgentProgram {
    /// Built once for all tests.
    static let path = Task { () throws -> FilePath in
        let root = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
            .removingLastComponent()
        let output = root.appending("Guest/agent/build/apus-agent-host")
        let result = try await Subprocess.run(
            .name("make"),
            arguments: ["-C", root.appending("Guest/agent").string, "CC=gcc", "OUT=\(output)"],
            output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
        guard result.terminationStatus.isSuccess else {
            throw Failure(text: "the agent does not compile: \(result.standardError)")
        }
        return output
    }

    struct Failure: Error {
        let text: String
    }
}

extension AgentEvent {
    var isEnd: Bool {
        if case .ended = self { true } else { false }
    }

    var isStart: Bool {
        if case .started = self { true } else { false }
    }

    var outputCount: Int {
        if case .output(_, _, let bytes) = self { bytes.count } else { 0 }
    }

    /// The first word of output.
    var text: String? {
        guard case .output(_, _, let bytes) = self else { return nil }
        return String(decoding: bytes.prefix { $0 > 0x20 }, as: UTF8.self)
    }

    var cookie: UInt64? {
        if case .pong(let cookie, _) = self { cookie } else { nil }
    }
}

/// A session with an agent at the other end of a socket.
struct AgentSession {
    struct Result {
        var stdout: [UInt8] = []
        var stderr: [UInt8] = []
        var exit: AgentExit?
        var stdinClosed = false
    }

    let socket: FileDescriptor
    var client: AgentClient

    init(socket: FileDescriptor, nonce: UInt64 = .random(in: 1 ... .max)) throws {
        self.socket = socket
        client = AgentClient(nonce: nonce)
    }

    /// Runs `body` with the agent at the other end, which must end with status 0 when its stream does.
    static func with<Value: Sendable>(_ body: @Sendable (FileDescriptor) throws -> Value) async throws -> Value {
        let agent = try await AgentProgram.path.value
        var ends: [CInt] = [0, 0]
        guard socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw Errno(rawValue: errno)
        }
        let (ours, theirs) = (FileDescriptor(rawValue: ends[0]), FileDescriptor(rawValue: ends[1]))
        let result = try await Subprocess.run(
            .path(agent), arguments: ["--stdin"],
            input: .fileDescriptor(theirs, closeAfterSpawningProcess: true), output: .discarded, error: .discarded
        ) { _ in
            defer { try? ours.close() }
            return try body(ours)
        }
        guard result.terminationStatus.isSuccess else {
            throw AgentProgram.Failure(text: "the agent \(result.terminationStatus)")
        }
        return result.closureResult
    }

    /// Moves bytes until something happens. Throws when nothing does for a minute.
    mutating func next() throws -> AgentEvent {
        while true {
            if let event = try client.next() { return event }
            var entry = pollfd(fd: socket.rawValue, events: Int16(POLLIN), revents: 0)
            if client.hasOutput { entry.events |= Int16(POLLOUT) }
            guard poll(&entry, 1, 60_000) > 0 else { throw AgentProgram.Failure(text: "nothing for a minute") }
            if entry.revents & Int16(POLLOUT) != 0 {
                let bytes = client.takeOutput(atMost: 4096)
                _ = try socket.writeAll(bytes)
            }
            if entry.revents & Int16(POLLIN | POLLHUP) != 0 {
                var buffer = [UInt8](repeating: 0, count: 1 << 16)
                let count = try buffer.withUnsafeMutableBytes { try socket.read(into: $0) }
                guard count > 0 else { throw AgentProgram.Failure(text: "the agent is gone") }
                client.receive(buffer[..<count])
            }
        }
    }

    /// Every event up to the first that `isLast` takes, that one included; `react` hears each.
    mutating func events(
        react: (AgentEvent, inout AgentClient) -> Void = { _, _ in }, until isLast: (AgentEvent) -> Bool
    ) throws -> [AgentEvent] {
        var events: [AgentEvent] = []
        while true {
            let event = try next()
            events.append(event)
            react(event, &client)
            if isLast(event) { return events }
        }
    }

    /// Writes stdin until neither the command's pipe nor the agent takes more.
    mutating func fillStdin(_ execution: AgentExecution) throws {
        var full = 0
        // The agent may answer a ping before it has moved what came just ahead of it.
        while full < 3 {
            let room = client.stdinRoom(execution)
            full = room == 0 ? full + 1 : 0
            _ = client.writeStdin(execution, [UInt8](repeating: 0, count: room)[...])
            client.ping(cookie: 0)
            _ = try events { $0.cookie != nil }
        }
    }

    /// Sends what waits.
    mutating func flush() throws {
        while client.hasOutput { _ = try socket.writeAll(client.takeOutput(atMost: 4096)) }
    }

    mutating func greet() throws -> AgentGreeting {
        guard case .ready(let greeting) = try next() else { throw AgentProgram.Failure(text: "no welcome") }
        return greeting
    }

    /// Runs a command with `stdin` to its end.
    mutating func run(_ command: AgentCommand, stdin: [UInt8] = []) throws -> Result {
        let execution = try client.execute(command)
        var result = Result()
        var rest = stdin[...]
        while result.exit == nil {
            rest = rest.dropFirst(client.writeStdin(execution, rest))
            if rest.isEmpty { client.closeStdin(execution) }
            switch try next() {
            case .output(_, .stdout, let bytes):
                result.stdout += bytes
                client.consumed(execution, .stdout, bytes.count)
            case .output(_, .stderr, let bytes):
                result.stderr += bytes
                client.consumed(execution, .stderr, bytes.count)
            case .stdinClosed:
                result.stdinClosed = true
                rest = []
            case .ended(_, let exit): result.exit = exit
            default: break
            }
        }
        return result
    }
}

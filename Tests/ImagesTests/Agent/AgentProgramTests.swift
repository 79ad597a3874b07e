// SPDX-License-Identifier: Apache-2.0
import MachineCore
import SystemPackage
import Testing

@Suite("The guest's agent, run on this host", .timeLimit(.minutes(10)))
struct AgentProgramTests {
    /// The result of one command in a session of its own.
    private func run(_ command: AgentCommand, stdin: [UInt8] = []) async throws -> AgentSession.Result {
        try await AgentSession.with { socket in
            var session = try AgentSession(socket: socket)
            _ = try session.greet()
            return try session.run(command, stdin: stdin)
        }
    }

    @Test("passes 16 MiB through cat byte for byte, stderr apart, and the exit status")
    func passesStreams() async throws {
        let stdin = (0..<16 << 20).map { UInt8(truncatingIfNeeded: ($0 &* 40503) >> 7) }
        let result = try await run(AgentCommand(["sh", "-c", "cat; echo e >&2; exit 7"]), stdin: stdin)
        #expect(result.stdout == stdin)
        #expect(result.stderr == Array("e\n".utf8))
        #expect(result.exit == .code(7))
    }

    @Test("passes arguments exactly, spaces, quotes, line ends and bytes that are no UTF-8 included")
    func passesArguments() async throws {
        let arguments: [[UInt8]] = [Array("printf".utf8), Array("%s|".utf8), [], Array(" '\"$x\n".utf8), [0xFF, 0xC0]]
        let result = try await run(AgentCommand(arguments: arguments))
        #expect(result.stdout == Array("| '\"$x\n|".utf8) + [0xFF, 0xC0] + Array("|".utf8))
    }

    @Test(
        "reports how a command ended",
        arguments: [
            (["sh", "-c", "exit 255"], AgentExit.code(255)), (["sh", "-c", "kill -9 $$"], .signal(9)),
            (["no-such-command"], .notStarted(.program, errno: 2)), (["/etc"], .notStarted(.program, errno: 13)),
            (["/etc/passwd"], .notStarted(.program, errno: 13)),
        ])
    func reportsEnd(arguments: [String], exit: AgentExit) async throws {
        #expect(try await run(AgentCommand(arguments)).exit == exit)
    }

    @Test("starts a command in its folder, or says that it cannot")
    func startsInFolder() async throws {
        #expect(try await run(AgentCommand(["pwd"], directory: "/usr")).stdout == Array("/usr\n".utf8))
        let missing = try await run(AgentCommand(["pwd"], directory: "/no/such/folder"))
        #expect(missing.exit == .notStarted(.directory, errno: 2))
    }

    @Test("gives a command its variables and the usual defaults, and nothing of the agent's own")
    func givesEnvironment() async throws {
        let result = try await run(AgentCommand(["env"], environment: ["A=1", "HOME=/somewhere"]))
        let lines = String(decoding: result.stdout, as: UTF8.self).split(separator: "\n").map(String.init).sorted()
        #expect(
            lines == [
                "A=1", "HOME=/somewhere", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "TERM=dumb", "USER=root",
            ])
    }

    @Test("leaves a command no descriptor but its three")
    func leavesNoDescriptors() async throws {
        let script = "for n in 0 1 2 3 4 5 6 7 8 9 10 11 12 20 30; do readlink /proc/self/fd/$n >&2; done"
        let result = try await run(AgentCommand(["sh", "-c", script]))
        #expect(result.stderr.filter { $0 == UInt8(ascii: "\n") }.count == 3)
    }

    @Test("ends a command's wait for stdin when it closes it, and drops the rest")
    func dropsStdin() async throws {
        let result = try await run(AgentCommand(["true"]), stdin: [UInt8](repeating: 0, count: 4 << 20))
        #expect(result.exit == .code(0))
    }

    @Test("does not wait for a process left in the background")
    func leavesBackground() async throws {
        let result = try await run(AgentCommand(["sh", "-c", "sleep 30 & echo done"]))
        #expect(result.stdout == Array("done\n".utf8))
        #expect(result.exit == .code(0))
    }

    @Test("delivers a signal to the command and its children")
    func deliversSignal() async throws {
        let last = try await AgentSession.with { socket in
            var session = try AgentSession(socket: socket)
            _ = try session.greet()
            let execution = try session.client.execute(AgentCommand(["sh", "-c", "sleep 60; exit 3"]))
            _ = try session.events(until: \.isStart)
            session.client.signal(execution, 15)
            return try session.events(until: \.isEnd).last == .ended(execution, .signal(15))
        }
        #expect(last)
    }

    @Test("runs commands side by side, each with its own streams")
    func runsSideBySide() async throws {
        try await AgentSession.with { socket in
            var session = try AgentSession(socket: socket)
            _ = try session.greet()
            // The first waits for its stdin; the second comes and goes meanwhile.
            let first = try session.client.execute(AgentCommand(["cat"]))
            let second = try session.client.execute(AgentCommand(["echo", "second"]))
            let before = try session.events(until: \.isEnd)
            _ = session.client.writeStdin(first, Array("first\n".utf8)[...])
            session.client.closeStdin(first)
            let after = try session.events(until: \.isEnd)
            #expect(before.contains(.output(second, .stdout, Array("second\n".utf8))))
            #expect(before.last == .ended(second, .code(0)))
            #expect(after.contains(.output(first, .stdout, Array("first\n".utf8))))
            #expect(after.last == .ended(first, .code(0)))
        }
    }

    @Test("holds a command that writes without end to its window, and goes on answering")
    func holdsToWindow() async throws {
        try await AgentSession.with { socket in
            var session = try AgentSession(socket: socket)
            _ = try session.greet()
            let execution = try session.client.execute(AgentCommand(["cat", "/dev/zero"]))
            var received = 0
            _ = try session.events { event in
                received += event.outputCount
                return received == Int(AgentProtocol.outputWindow)
            }
            // Nothing was consumed: a byte more would end the session with an error. The answers to pings are all.
            session.client.ping(cookie: 1)
            #expect(try session.next().cookie == 1)
            session.client.consumed(execution, .stdout, received)
            #expect(try session.next().outputCount > 0)
        }
    }

    @Test("refuses what the protocol does not allow and serves the next session", arguments: Self.garbage)
    func survivesGarbage(name: String, bytes: [UInt8], refusal: String) async throws {
        try await AgentSession.with { socket in
            var session = try AgentSession(socket: socket)
            _ = try session.greet()
            _ = try socket.writeAll(bytes)
            #expect(throws: AgentError.refused(Array(refusal.utf8))) { try session.next() }
            var second = try AgentSession(socket: socket)
            _ = try second.greet()
            #expect(try second.run(AgentCommand(["echo", "again"])).stdout == Array("again\n".utf8))
        }
    }

    static let garbage: [(String, [UInt8], String)] = [
        ("an unknown type", frame(0x63), "unknown frame"),
        ("reserved bits", frame(0x8_0008, 0, word(1) + word(2)), "malformed header"),
        ("a frame of 4 GiB", word(.max) + word(1) + word(0x03), "malformed header"),
        ("a command of 2 MiB", word(2 << 20) + word(1) + word(0x02), "malformed header"),
        ("a command without its counts", frame(0x02, 1, [0]), "EXEC is too short"),
        ("a command without a number", frame(0x02, 0, counts(1, 0) + [0, 0]), "EXEC without a number"),
        ("a command without arguments", frame(0x02, 1, counts(0, 0) + [0]), "EXEC has a wrong number of arguments"),
        ("arguments without end", frame(0x02, 1, counts(.max, 0) + [0]), "EXEC has a wrong number of arguments"),
        ("more arguments than strings", frame(0x02, 1, counts(3, 0) + [0, 65, 0]), "EXEC ends inside a string"),
        ("a string without its zero", frame(0x02, 1, counts(1, 0) + [0, 65]), "EXEC ends inside a string"),
        (
            "bytes after the strings", frame(0x02, 1, counts(1, 0) + [0, 65, 0, 1]),
            "EXEC has bytes after its last string"
        ),
        (
            "a variable without a name", frame(0x02, 1, counts(1, 1) + [0, 65, 0, 61, 0]),
            "EXEC has a variable without a name"
        ),
        (
            "a terminal", frame(0x02, 1, word(1) + counts(1, 0).dropFirst(4) + [0, 65, 0]),
            "EXEC has flags this agent does not know"
        ),
        ("stdin without bytes", frame(0x03, 1), "STDIN without data"),
        ("signal 0", frame(0x05, 1, word(0)), "SIGNAL without a signal's number"),
        ("credit for stream 3", frame(0x06, 1, word(3) + word(1)), "CREDIT without a stream"),
        ("a power action of no kind", frame(0x07, 0, word(2)), "POWER without an action"),
        ("a ping without a cookie", frame(0x08), "PING without a cookie"),
    ]

    private static func word(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    private static func frame(_ type: UInt32, _ number: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
        word(UInt32(payload.count)) + word(number) + word(type) + payload
    }

    private static func counts(_ arguments: UInt32, _ variables: UInt32) -> [UInt8] {
        word(0) + word(0) + word(1024) + word(arguments) + word(variables)
    }

    @Test("refuses stdin past its window")
    func refusesStdinPastWindow() async throws {
        try await AgentSession.with { socket in
            var session = try AgentSession(socket: socket)
            _ = try session.greet()
            let execution = try session.client.execute(AgentCommand(["sleep", "60"]))
            _ = try session.events(until: \.isStart)
            try session.fillStdin(execution)
            _ = try socket.writeAll(Self.frame(0x03, execution.number, [0]))
            #expect(throws: AgentError.refused(Array("STDIN past its window".utf8))) { try session.next() }
        }
    }

    @Test("hangs up on a session's commands when the next one begins")
    func hangsUp() async throws {
        try await AgentSession.with { socket in
            var session = try AgentSession(socket: socket)
            _ = try session.greet()
            let command = AgentCommand(["sh", "-c", "echo $$; sleep 60"])
            let execution = try session.client.execute(command)
            let process = try session.events { $0.outputCount > 0 }.compactMap(\.text).first
            var second = try AgentSession(socket: socket)
            _ = try second.greet()
            // The number is the second session's to use again.
            #expect(execution.number == 1)
            let probe = "for i in $(seq 100); do kill -0 \(process ?? "1") || exit 9; sleep 0.1; done"
            #expect(try second.run(AgentCommand(["sh", "-c", probe])).exit == .code(9))
        }
    }

    @Test("ends after a power request; in a guest it powers off")
    func endsOnPower() async throws {
        try await AgentSession.with { socket in
            var session = try AgentSession(socket: socket)
            _ = try session.greet()
            session.client.powerOff()
            try session.flush()
        }
    }
}

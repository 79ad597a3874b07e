// SPDX-License-Identifier: Apache-2.0
import MachineCore
import Testing

@Suite("AgentClient")
struct AgentClientTests {
    @Test("greets with the magic, the version and its nonce")
    func greets() {
        var client = AgentClient(nonce: AgentWire.nonce)
        let expected = AgentWire.magic + AgentWire.word(1) + AgentWire.word(0x5566_7788) + AgentWire.word(0x1122_3344)
        #expect(client.takeOutput(atMost: .max) == AgentWire.frame(0x01, 0, expected))
        #expect(!client.hasOutput)
    }

    @Test("is ready once its own welcome comes, whatever came before", arguments: [1, 7, 4096])
    func skipsEarlierSessions(pieces: Int) throws {
        var client = AgentClient(nonce: AgentWire.nonce)
        let earlier = AgentWire.frame(0x83, 4, Array("left over".utf8)) + AgentWire.welcome(nonce: 5)
        let events = try AgentWire.events(&client, earlier + AgentWire.welcome(network: 1), piecesOf: pieces)
        #expect(events == [.ready(AgentGreeting(network: .coming, executionLimit: 2, stdinWindow: 100_000))])
    }

    @Test("refuses to run a command before the agent answered")
    func notReady() {
        var client = AgentClient(nonce: 1)
        #expect(throws: AgentError.notReady) { try client.execute(AgentCommand(["true"])) }
    }

    @Test("sends a command as one frame of counts and zero-terminated strings")
    func sendsCommand() throws {
        var client = try AgentWire.readyClient()
        let command = AgentCommand(["ls", "a b"], environment: ["X=1"], directory: "/usr", networkWait: 500)
        let execution = try client.execute(command)
        let counts: [UInt8] = [2, 500, AgentProtocol.outputWindow, 2, 1].flatMap { AgentWire.word($0) }
        let expected = AgentWire.frame(0x02, execution.number, counts + Array("/usr\0ls\0a b\0X=1\0".utf8))
        #expect(client.takeOutput(atMost: .max) == expected)
    }

    @Test(
        "refuses a command that no guest could take",
        arguments: [
            AgentCommand([]), AgentCommand(["a\0b"]), AgentCommand(["a"], environment: ["=x"]),
            AgentCommand(["a"], environment: ["x"]), AgentCommand(["a"], directory: "\0"),
        ])
    func refusesInvalidCommand(command: AgentCommand) throws {
        var client = try AgentWire.readyClient()
        #expect(throws: AgentError.invalidCommand) { try client.execute(command) }
        #expect(!client.hasOutput)
    }

    @Test("refuses a command larger than a frame")
    func refusesLongCommand() throws {
        var client = try AgentWire.readyClient()
        let size = AgentProtocol.commandLimit
        let command = AgentCommand(arguments: [[UInt8](repeating: 65, count: size)])
        #expect(throws: AgentError.commandTooLong(size + 22)) { try client.execute(command) }
    }

    @Test("runs as many commands as the agent takes, and again one when one ended")
    func limitsExecutions() throws {
        var client = try AgentWire.readyClient()
        let first = try client.execute(AgentCommand(["a"]))
        _ = try client.execute(AgentCommand(["b"]))
        #expect(throws: AgentError.tooManyExecutions(2)) { try client.execute(AgentCommand(["c"])) }
        _ = try AgentWire.events(&client, AgentWire.frame(0x85, first.number, words: 0, 0, 0))
        let third = try client.execute(AgentCommand(["c"]))
        #expect(third != first)
    }

    @Test("tells a command's story in order, however its bytes are cut", arguments: [1, 5, 4096])
    func tellsStory(pieces: Int) throws {
        var (client, execution) = try AgentWire.runningClient()
        let number = execution.number
        let bytes =
            AgentWire.frame(0x82, number, words: 42) + AgentWire.frame(0x83, number, [1, 2])
            + AgentWire.frame(0x84, number, [3]) + AgentWire.frame(0x87, number)
            + AgentWire.frame(0x85, number, words: 0, 7, 0)
        let events = try AgentWire.events(&client, bytes, piecesOf: pieces)
        #expect(
            events == [
                .started(execution, process: 42), .output(execution, .stdout, [1, 2]), .output(execution, .stderr, [3]),
                .stdinClosed(execution), .ended(execution, .code(7)),
            ])
    }

    @Test("takes no more stdin than the window, and more when the agent gives room back")
    func windowsStdin() throws {
        var (client, execution) = try AgentWire.runningClient()
        let bytes = [UInt8](repeating: 9, count: 150_000)
        #expect(client.writeStdin(execution, bytes[...]) == 100_000)
        #expect(client.stdinRoom(execution) == 0)
        // Two frames: a payload is at most 64 KiB.
        #expect(client.takeOutput(atMost: .max).count == 100_000 + 2 * 12)
        let events = try AgentWire.events(&client, AgentWire.frame(0x86, execution.number, words: 30_000))
        #expect(events == [.stdinWritable(execution)])
        #expect(client.stdinRoom(execution) == 30_000)
    }

    @Test("ends stdin once and takes nothing after it")
    func closesStdin() throws {
        var (client, execution) = try AgentWire.runningClient()
        client.closeStdin(execution)
        client.closeStdin(execution)
        #expect(client.writeStdin(execution, [1]) == 0)
        #expect(client.takeOutput(atMost: .max) == AgentWire.frame(0x04, execution.number))
    }

    @Test("gives credit back for what was consumed, a quarter of the window at a time")
    func givesCredit() throws {
        var (client, execution) = try AgentWire.runningClient()
        let chunk = [UInt8](repeating: 0, count: AgentProtocol.dataLimit)
        let quarter = Int(AgentProtocol.outputWindow) / 4
        for _ in 0..<quarter / chunk.count {
            _ = try AgentWire.events(&client, AgentWire.frame(0x83, execution.number, chunk))
        }
        client.consumed(execution, .stdout, quarter - 1)
        #expect(!client.hasOutput)
        client.consumed(execution, .stdout, 1)
        #expect(
            client.takeOutput(atMost: .max)
                == AgentWire.frame(0x06, execution.number, words: 1, UInt32(quarter)))
    }

    @Test("gives no credit for what never came")
    func creditIsBounded() throws {
        var (client, execution) = try AgentWire.runningClient()
        client.consumed(execution, .stderr, .max)
        #expect(!client.hasOutput)
    }

    @Test("hands out its bytes in pieces as small as asked")
    func outputInPieces() throws {
        var client = AgentClient(nonce: 1)
        var bytes: [UInt8] = []
        while client.hasOutput { bytes += client.takeOutput(atMost: 3) }
        #expect(bytes.count == 40)
        #expect(client.takeOutput(atMost: 3).isEmpty)
    }

    @Test("sends signals, power requests and pings")
    func sendsOthers() throws {
        var (client, execution) = try AgentWire.runningClient()
        client.signal(execution, 15)
        client.signal(execution, 0)
        client.powerOff()
        client.powerOff(reboot: true)
        client.ping(cookie: 0x1_0000_0002)
        let number = execution.number
        #expect(
            client.takeOutput(atMost: .max)
                == AgentWire.frame(0x05, number, words: 15) + AgentWire.frame(0x07, 0, words: 0)
                + AgentWire.frame(0x07, 0, words: 1) + AgentWire.frame(0x08, 0, words: 2, 1))
        let events = try AgentWire.events(&client, AgentWire.frame(0x89, 0, words: 2, 1, 0))
        #expect(events == [.pong(cookie: 0x1_0000_0002, network: .none)])
    }

    @Test(
        "has the status that shells expect",
        arguments: [
            (AgentExit.code(7), 7), (.signal(9), 137), (.notStarted(.program, errno: 2), 127),
            (.notStarted(.program, errno: 13), 126), (.notStarted(.directory, errno: 2), 126),
            (.notStarted(.resources, errno: 11), 125),
        ] as [(AgentExit, Int32)])
    func status(exit: AgentExit, status: Int32) {
        #expect(exit.status == status)
    }
}

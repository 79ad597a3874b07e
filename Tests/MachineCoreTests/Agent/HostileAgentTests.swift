// SPDX-License-Identifier: Apache-2.0
import MachineCore
import Testing

@Suite("AgentClient against a hostile guest")
struct HostileAgentTests {
    /// What no honest agent sends in a session with one running command, number 1.
    static let lies: [(String, [UInt8])] = [
        ("a frame that is too long", AgentWire.word(65_537) + AgentWire.word(1) + AgentWire.word(0x83)),
        ("a frame of 4 GiB", AgentWire.word(.max) + AgentWire.word(1) + AgentWire.word(0x83)),
        ("an unknown type", AgentWire.frame(0x70)),
        ("a request of the host", AgentWire.frame(0x02, 1)),
        ("reserved bits", AgentWire.word(0) + AgentWire.word(1) + AgentWire.word(0x1_0087)),
        ("a second welcome", AgentWire.welcome()),
        ("output of no command", AgentWire.frame(0x83, 2, [1])),
        ("output without bytes", AgentWire.frame(0x83, 1)),
        ("a second start", AgentWire.frame(0x82, 1, words: 5) + AgentWire.frame(0x82, 1, words: 5)),
        ("a start of a wrong size", AgentWire.frame(0x82, 1, [1])),
        ("room for stdin that was not taken", AgentWire.frame(0x86, 1, words: 1)),
        ("no room for stdin", AgentWire.frame(0x86, 1, words: 0)),
        ("stdin closed twice", AgentWire.frame(0x87, 1) + AgentWire.frame(0x87, 1)),
        ("an exit code above 255", AgentWire.frame(0x85, 1, words: 0, 256, 0)),
        ("signal 0", AgentWire.frame(0x85, 1, words: 1, 0, 0)),
        ("an unknown kind of end", AgentWire.frame(0x85, 1, words: 3, 0, 0)),
        ("an unknown stage", AgentWire.frame(0x85, 1, words: 2, 2, 9)),
        ("an end of a wrong size", AgentWire.frame(0x85, 1, words: 0, 0)),
        ("two ends", AgentWire.frame(0x85, 1, words: 0, 0, 0) + AgentWire.frame(0x85, 1, words: 0, 0, 0)),
        ("an answer to no ping", AgentWire.frame(0x89, 0, words: 0, 0, 0)),
    ]

    @Test("ends the session with an error for each lie", arguments: lies)
    func refusesLie(name: String, bytes: [UInt8]) throws {
        var (client, _) = try AgentWire.runningClient()
        #expect(throws: AgentError.self) { try AgentWire.events(&client, bytes) }
    }

    @Test("stays ended after an error")
    func staysEnded() throws {
        var (client, execution) = try AgentWire.runningClient()
        #expect(throws: AgentError.self) { try AgentWire.events(&client, AgentWire.frame(0x70)) }
        client.receive(AgentWire.frame(0x83, 1, [1]))
        #expect(throws: AgentError.self) { try client.next() }
        #expect(throws: AgentError.self) { try client.execute(AgentCommand(["true"])) }
        #expect(client.writeStdin(execution, [1]) == 0)
    }

    @Test("ends the session when output passes its window")
    func windowHolds() throws {
        var (client, execution) = try AgentWire.runningClient()
        let chunk = [UInt8](repeating: 0, count: AgentProtocol.dataLimit)
        let whole = Int(AgentProtocol.outputWindow) / chunk.count
        for _ in 0..<whole { _ = try AgentWire.events(&client, AgentWire.frame(0x84, execution.number, chunk)) }
        #expect(throws: AgentError.malformed("output past its window", 1)) {
            try AgentWire.events(&client, AgentWire.frame(0x84, execution.number, [1]))
        }
    }

    @Test(
        "refuses a welcome with numbers that no agent has",
        arguments: [
            AgentWire.welcome(version: 2), AgentWire.welcome(network: 3), AgentWire.welcome(limit: 0),
            AgentWire.welcome(limit: 100_000), AgentWire.welcome(window: 0), AgentWire.welcome(window: .max),
        ])
    func refusesWelcome(bytes: [UInt8]) {
        var client = AgentClient(nonce: AgentWire.nonce)
        #expect(throws: AgentError.self) { try AgentWire.events(&client, bytes) }
    }

    @Test("says what the agent refused without passing control characters on")
    func printsRefusal() throws {
        var (client, _) = try AgentWire.runningClient()
        let error = #expect(throws: AgentError.self) {
            try AgentWire.events(&client, AgentWire.frame(0x88, 0, Array("bad \u{1B}[2J".utf8)))
        }
        #expect(error?.description == "the guest's agent refused a request: bad ?[2J")
    }

    @Test("survives random bytes in a session, cut anywhere", arguments: 0..<200)
    func survivesRandomBytes(seed: Int) throws {
        var generator = SplitMix64(state: UInt64(seed))
        var (client, _) = try AgentWire.runningClient()
        // Mostly frames that look right, so that more than the header is reached.
        var bytes: [UInt8] = []
        for _ in 0..<50 {
            let type = UInt16(0x80 + Int.random(in: 0...10, using: &generator))
            let number = UInt32.random(in: 0...2, using: &generator)
            let count = Int.random(in: 0...24, using: &generator)
            bytes += AgentWire.frame(type, number, (0..<count).map { _ in UInt8.random(in: 0...3, using: &generator) })
        }
        let outcome = Result {
            try AgentWire.events(&client, bytes, piecesOf: Int.random(in: 1...40, using: &generator))
        }
        #expect(throws: AgentError.self) { try outcome.get() }
    }

    @Test("waits for its welcome through any amount of noise", arguments: 0..<20)
    func survivesNoise(seed: Int) throws {
        var generator = SplitMix64(state: UInt64(seed))
        var client = AgentClient(nonce: AgentWire.nonce)
        let noise = (0..<10_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let events = try AgentWire.events(&client, noise + AgentWire.magic + AgentWire.welcome(), piecesOf: 97)
        #expect(events.count == 1)
    }
}

/// A small generator with a seed, so that a failure can be seen again.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

// SPDX-License-Identifier: Apache-2.0
import MachineCore

/// Frames as a guest would write them, and a client that has been welcomed.
enum AgentWire {
    static let nonce: UInt64 = 0x1122_3344_5566_7788
    static let magic: [UInt8] = Array("\0apus agent\r\n".utf8) + [0x1A, 0x01, 0xFF]

    static func word(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    static func frame(_ type: UInt16, _ number: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
        word(UInt32(payload.count)) + word(number) + word(UInt32(type)) + payload
    }

    static func frame(_ type: UInt16, _ number: UInt32, words: UInt32...) -> [UInt8] {
        frame(type, number, words.flatMap(word))
    }

    static func welcome(
        nonce: UInt64 = nonce, version: UInt32 = 1, network: UInt32 = 2, limit: UInt32 = 2, window: UInt32 = 100_000
    ) -> [UInt8] {
        let identity = word(version) + word(UInt32(truncatingIfNeeded: nonce)) + word(UInt32(nonce >> 32))
        return frame(0x81, 0, magic + identity + word(network) + word(limit) + word(window))
    }

    /// A client in a session, its greeting sent and gone.
    static func readyClient() throws -> AgentClient {
        var client = AgentClient(nonce: nonce)
        _ = client.takeOutput(atMost: .max)
        client.receive(welcome())
        _ = try client.next()
        return client
    }

    /// A client with one running command, its request sent and gone.
    static func runningClient() throws -> (AgentClient, AgentExecution) {
        var client = try readyClient()
        let execution = try client.execute(AgentCommand(["cat"]))
        _ = client.takeOutput(atMost: .max)
        return (client, execution)
    }

    /// The events in `bytes`, fed in pieces of `size`.
    static func events(_ client: inout AgentClient, _ bytes: [UInt8], piecesOf size: Int = .max) throws -> [AgentEvent]
    {
        var events: [AgentEvent] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            client.receive(rest.prefix(size))
            rest = rest.dropFirst(size)
            while let event = try client.next() { events.append(event) }
        }
        return events
    }
}

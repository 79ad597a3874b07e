// SPDX-License-Identifier: Apache-2.0

import Host
import SystemPackage
import Testing

@testable import ApusKit

/// The client's side of a command in a guest, against a machine's side that the test plays.
@Suite("Remote execution", .timeLimit(.minutes(10)))
struct RemoteExecutionTests {
    private static let frames = [
        ExecutionFrame(.started), ExecutionFrame(.stdout, Array("on\n".utf8)),
        ExecutionFrame(ended: GuestCommandEnd(status: 3)),
    ].flatMap(\.encoded)

    @Test(
        "a command that has ended, and its connection with it, before anybody listens is heard to its end",
        arguments: [0, frames.count / 2, frames.count])
    func endedBefore(framesWithTheReply early: Int) async throws {
        let pair = try Descriptor.socketPair(.stream)
        let loop = try EventLoop(name: "client")
        try loop.start()
        defer { loop.stop() }
        let machine = pair.second.take()
        let link = ControlLink(pair.first, loop: loop)
        try link.start()

        let answer = Array(JSONText.line(ControlAnswer(id: 1, reply: .executing)).utf8)
        _ = machine.transmit((answer + Self.frames.prefix(early))[...])
        let channel = RemoteExecutionChannel(link)
        try await channel.open(GuestCommand(["true"]))
        _ = machine.transmit(Self.frames[early...])
        try machine.close()
        // The loop has seen all of that before anybody listens.
        loop.barrier()

        #expect(try await heard(on: channel) == ["started", "stdout on\n", "ended 3"])
    }

    /// What becomes of a command, to its end.
    private func heard(on channel: RemoteExecutionChannel) async throws -> [String] {
        let (events, continuation) = AsyncStream.makeStream(of: GuestAgent.ExecutionEvent.self)
        try channel.start(GuestCommand(["true"])) { event in
            continuation.yield(event)
            if event.isLast { continuation.finish() }
        }
        var told: [String] = []
        for await event in events { told.append(event.text) }
        return told
    }
}

extension GuestAgent.ExecutionEvent {
    fileprivate var isLast: Bool {
        switch self {
        case .ended, .lost: true
        default: false
        }
    }

    fileprivate var text: String {
        switch self {
        case .started: "started"
        case .output(let stream, let bytes): "\(stream) \(String(decoding: bytes, as: UTF8.self))"
        case .stdinWritable: "room"
        case .stdinClosed: "stdin closed"
        case .ended(let end): "ended \(end.status)"
        case .lost(let reason): "lost: \(reason)"
        }
    }
}

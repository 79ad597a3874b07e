// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusKit

/// The machine's side of a control connection, without a connection.
@Suite("Control session")
struct ControlSessionTests {
    private static let hello = #"{"id":1,"command":{"hello":{"version":1}}}"# + "\n"

    private func makeSession(isOwner: Bool = false) -> ControlSession {
        ControlSession(
            isOwner: isOwner, greeting: ControlGreeting(version: 1, processID: 7, state: .running))
    }

    /// What a greeted session makes of `text`.
    private func actions(of text: String, isOwner: Bool = false) -> [ControlSession.Action] {
        var session = makeSession(isOwner: isOwner)
        _ = session.receive(Array(Self.hello.utf8))
        return session.receive(Array(text.utf8))
    }

    private func text(_ action: ControlSession.Action?) -> String {
        guard case .send(let bytes) = action else { return "no answer but \(String(describing: action))" }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("a client is greeted with who answers")
    func greeting() {
        var session = makeSession()
        let actions = session.receive(Array(Self.hello.utf8))
        #expect(
            text(actions.first)
                == #"{"id":1,"reply":{"hello":{"processID":7,"state":"running","version":1}}}"# + "\n")
        #expect(session.phase == .commands)
    }

    @Test(
        "a client that does not greet, or speaks another version, is told so and let go",
        arguments: [
            (#"{"id":4,"command":{"status":{}}}"#, #"{"id":4,"reply":{"failed":"say "#),
            (#"{"id":4,"command":{"hello":{"version":2}}}"#, "version 2 of the control protocol is not spoken here"),
        ])
    func refusals(_ line: String, _ sentence: String) {
        var session = makeSession()
        let actions = session.receive(Array((line + "\n").utf8))
        #expect(text(actions.first).contains(sentence))
        #expect(actions.last == .close)
        #expect(session.receive(Array(Self.hello.utf8)).isEmpty)
    }

    @Test(
        "a line is a command, whatever pieces it comes in",
        arguments: [
            (#"{"id":3,"command":{"pause":{}}}"#, ControlCommand.machine(.pause)),
            (#"{"id":3,"command":{"registers":{"vcpu":2}}}"#, .machine(.registers(vcpu: 2))),
            (#"{"command":{"stop":{"graceSeconds":5}},"id":3}"#, .machine(.stop(graceSeconds: 5))),
            (#"{"id":3,"command":{"subscribe":{}}}"#, .subscribe),
            (#"{"id":3,"command":{"attach":{}}}"#, .attach(replay: true)),
            (#"{"id":3,"command":{"exec":{"arguments":["ls"]}}}"#, .execute(GuestCommand(["ls"]))),
            (#"{"id":3,"command":{"awaitAgent":{"seconds":9}}}"#, .awaitAgent(seconds: 9)),
            (#"{"id":3,"command":{"resize":{"columns":80,"rows":24}}}"#, .resize(columns: 80, rows: 24)),
        ])
    func commands(_ line: String, _ command: ControlCommand) {
        var session = makeSession()
        _ = session.receive(Array(Self.hello.utf8))
        let actions = (line + "\r\n").utf8.flatMap { session.receive([$0]) }
        #expect(actions == [.perform(id: 3, command)])
        #expect(session.underWay == 1)
    }

    @Test(
        "what is no request is answered, and the connection goes on",
        arguments: [
            ("{", #""failed":"the request is no JSON"#), ("[]", "wrong kind"), ("{}", "lacks 'id'"),
            (#"{"id":5}"#, #"{"id":5,"reply":{"failed":"the request lacks 'command'"}}"#),
            (#"{"id":5,"command":{}}"#, "an object of one key, not of 0"),
            (#"{"id":5,"command":{"fly":{}}}"#, "command 'fly' is not known"),
            (#"{"id":5,"command":{"exec":{"arguments":["ls"],"shell":true}}}"#, "key of 'exec' 'shell' is not known"),
            (#"{"id":5,"command":{"stop":{}}}"#, "command 'stop' is not known, or its values do not fit it"),
        ])
    func nonsense(_ line: String, _ sentence: String) {
        let actions = actions(of: line + "\n" + #"{"id":9,"command":{"pause":{}}}"# + "\n")
        #expect(text(actions.first).contains(sentence), "\(text(actions.first))")
        #expect(actions.last == .perform(id: 9, .machine(.pause)))
    }

    @Test("empty lines are nothing")
    func emptyLines() { #expect(actions(of: "\n \r\n\t\n").isEmpty) }

    @Test("a line that does not end is bounded: the client is told and let go")
    func longLine() {
        let actions = actions(of: String(repeating: "x", count: ControlProtocol.longestLine + 1))
        #expect(text(actions.first).contains("a line is longer than 65536 bytes"))
        #expect(actions.last == .close)
    }

    @Test("so many commands are under way at once, and no more")
    func manyCommands() {
        let line = #"{"id":3,"command":{"pause":{}}}"# + "\n"
        let actions = actions(of: String(repeating: line, count: 17))
        #expect(actions.prefix(16).allSatisfy { $0 == .perform(id: 3, .machine(.pause)) })
        #expect(text(actions.last).contains("16 commands are under way on this connection"))
    }

    @Test(
        "what is the owner's is refused to others",
        arguments: [#"{"start":{}}"#, #"{"detach":{}}"#, #"{"end":{"cause":{"caller":true}}}"#])
    func ownersOnly(_ command: String) {
        let line = #"{"id":3,"command":"# + command + "}\n"
        #expect(text(actions(of: line).first).contains("only the process that started the machine"))
        #expect(actions(of: line, isOwner: true).count == 1)
    }

    @Test("behind an attached console's answer all bytes are typed, also those that came before it")
    func console() {
        var session = makeSession()
        _ = session.receive(Array(Self.hello.utf8))
        #expect(
            session.receive(Array("{\"id\":3,\"command\":{\"attach\":{}}}\nls\n".utf8))
                == [.perform(id: 3, .attach(replay: true))])
        let actions = session.finished(id: 3, .attached)
        #expect(text(actions.first) == #"{"id":3,"reply":{"attached":true}}"# + "\n")
        #expect(actions.dropFirst() == [.input(Array("ls\n".utf8))])
        #expect(session.receive([0, 255]) == [.input([0, 255])])
        #expect(session.tell(.restarted) == nil)
    }

    @Test("where a stream is refused, the lines behind the request are commands still")
    func refusedStream() {
        var session = makeSession()
        _ = session.receive(Array(Self.hello.utf8))
        let lines = "{\"id\":3,\"command\":{\"attach\":{}}}\n{\"id\":4,\"command\":{\"pause\":{}}}\n"
        #expect(session.receive(Array(lines.utf8)).count == 1)
        #expect(session.finished(id: 3, .failed("no console")).last == .perform(id: 4, .machine(.pause)))
    }

    @Test("a frame that a client does not send ends the connection")
    func wrongFrame() {
        var session = makeSession()
        _ = session.receive(Array((Self.hello + #"{"id":3,"command":{"exec":{"arguments":["ls"]}}}"# + "\n").utf8))
        _ = session.finished(id: 3, .executing)
        #expect(session.receive(ExecutionFrame(.stdin, [1, 2]).encoded) == [.frame(ExecutionFrame(.stdin, [1, 2]))])
        #expect(session.receive(ExecutionFrame(.stdout, [1]).encoded).last == .close)
        #expect(session.phase == .over)
    }

    @Test("events are lines with the event's name")
    func events() throws {
        var session = makeSession()
        _ = session.receive(Array(Self.hello.utf8))
        let line = try #require(session.tell(.ended(VirtualMachineEnd(reason: .stopped(.signal(15))))))
        #expect(
            String(decoding: line, as: UTF8.self)
                == #"{"event":{"ended":{"reason":{"stopped":{"signal":15}}}}}"# + "\n")
    }
}

/// Frames of a command's streams.
@Suite("Execution frames")
struct ExecutionFrameTests {
    @Test("frames come out as they went in, whatever pieces they come in", arguments: [1, 3, 7, 100])
    func pieces(_ size: Int) throws {
        let frames = [
            ExecutionFrame(.stdin, [1, 2, 3]), ExecutionFrame(.closeStdin), ExecutionFrame(.consumed, byte: 1, 70_000),
            ExecutionFrame(.stdout, [UInt8](repeating: 7, count: 200)),
        ]
        let bytes = frames.flatMap(\.encoded)
        var framer = ExecutionFramer()
        var found: [ExecutionFrame] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            framer.append(bytes[start..<min(start + size, bytes.count)])
            while let frame = try framer.next() { found.append(frame) }
        }
        #expect(found == frames)
        #expect(found[2].number(at: 1) == 70_000)
    }

    @Test(
        "what is no frame is refused", arguments: [[0, 0, 0, 0, 0], [1, 1, 0, 1, 0], [99, 0, 0, 0, 0]] as [[UInt8]])
    func refusals(_ bytes: [UInt8]) {
        var framer = ExecutionFramer()
        framer.append(bytes)
        #expect(throws: VirtualMachineError.self) { try framer.next() }
    }

    @Test("how a command ended survives the way", arguments: [nil, "No such file or directory"])
    func end(_ reason: String?) {
        let end = GuestCommandEnd(status: 127, reason: reason)
        #expect(ExecutionFrame(ended: end).end == end)
    }
}

// SPDX-License-Identifier: Apache-2.0

import ApusKit
import FuzzSupport

/// A client that may send anything at a control socket, and a machine that carries out what is asked, when it likes.
struct HostileClient {
    private static let greeting = ControlGreeting(processID: 1, state: .running)
    /// More of these are not under way at once.
    private static let mostUnderWay = 16
    /// No answer that the session itself makes is longer: a sentence with a few words of the client's.
    private static let longestAnswer = 8192

    private var input: FuzzInput
    private let isOwner: Bool
    private var session: ControlSession
    private var underWay: [Int64] = []
    private var isClosed = false

    init(_ input: FuzzInput) {
        var input = input
        isOwner = input.byte() & 1 != 0
        self.input = input
        session = ControlSession(isOwner: isOwner, greeting: Self.greeting)
    }

    /// Plays the input to its end.
    mutating func run() {
        while !input.isEmpty { step() }
    }

    private mutating func step() {
        switch input.byte() % 11 {
        case 0: receive(input.bytes(upTo: 0x0A) + [0x0A])
        case 1: receive(input.bytes(Int(input.byte())))
        case 2: receive(Array(#"{"id":1,"command":{"hello":{"version":1}}}"#.utf8) + [0x0A])
        case 3:
            receive(Array("{\"id\":\(input.byte()),\"command\":".utf8) + input.bytes(upTo: 0x0A) + Array("}\n".utf8))
        case 4: finish(.machine(.done("done")))
        case 5: finish(.attached)
        case 6: finish(.executing)
        case 7:
            let payload = input.bytes(Int(input.byte()))
            receive(ExecutionFrame(ExecutionFrame.Kind(rawValue: input.byte() % 24) ?? .stdin, payload).encoded)
        case 8: receive([UInt8](repeating: input.byte(), count: Int(input.integer(UInt16.self))))
        case 10: receive(wellFormed())
        default:
            let line = session.tell(.panicked(String(decoding: input.bytes(Int(input.byte())), as: UTF8.self)))
            require(line == nil || session.phase == .commands, "an event in a stream")
            require(line?.last ?? 0x0A == 0x0A, "an event that is no line")
        }
    }

    /// A line with a command as a client of ours would write it.
    private mutating func wellFormed() -> [UInt8] {
        let id = Int64(input.byte())
        return Array(JSONText.line(ControlRequest(id: id, command: ControlCommand(&input))).utf8) + [0x0A]
    }

    private mutating func receive(_ bytes: [UInt8]) { check(session.receive(bytes)) }

    private mutating func finish(_ reply: ControlReply) {
        guard !underWay.isEmpty else { return }
        // What was asked last may be done first.
        let id = underWay.remove(at: Int(input.byte()) % underWay.count)
        check(session.finished(id: id, reply))
    }

    private mutating func check(_ actions: [ControlSession.Action]) {
        for action in actions {
            require(!isClosed, "something is to be done after the end")
            switch action {
            case .send(let bytes):
                require(bytes.count <= Self.longestAnswer, "\(bytes.count) bytes of an answer")
            case .perform(let id, let command): perform(id, command)
            case .input: require(session.phase == .console, "input without a console")
            case .frame(let frame):
                require(frame.payload.count <= ExecutionFrame.limit, "a frame of \(frame.payload.count) bytes")
                require(frame.kind.rawValue < 16, "a client sends \(frame.kind)")
            case .close: isClosed = true
            }
        }
        require(session.underWay <= Self.mostUnderWay, "\(session.underWay) commands are under way")
        require(isClosed == (session.phase == .over), "the end without an end")
        require(session.held <= 3 * ControlProtocol.longestLine, "\(session.held) bytes are kept")
    }

    private mutating func perform(_ id: Int64, _ command: ControlCommand) {
        require(isOwner || !command.isOwners, "a stranger may ask for \(command)")
        if case .execute(let guest) = command {
            plantedBug(guest.arguments.count > 1 && guest.waitsForNetwork && underWay.count > 1)
        }
        let text = JSONText.line(ControlRequest(id: id, command: command))
        let again = try? ControlRequest(line: Array(text.utf8))
        require(again == ControlRequest(id: id, command: command), "\(command) is read as something else: \(text)")
        underWay.append(id)
    }
}

/// The harness for libFuzzer: steps of a client and of the machine behind the session.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzControl(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var client = HostileClient(FuzzInput(start, count))
    client.run()
    return 0
}

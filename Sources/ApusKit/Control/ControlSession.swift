// SPDX-License-Identifier: Apache-2.0

/// The machine's side of one control connection: bytes in, what to do out. No descriptor, no thread and no machine
/// inside. Whatever a client sends, memory stays bounded and the result is an answer or the end of the connection.
package struct ControlSession: Sendable {
    /// What the connection is.
    package enum Phase: Equatable, Sendable {
        /// The client has not said which version it speaks.
        case greeting
        case commands
        /// A stream was asked for and is being opened; what comes meanwhile belongs to it.
        case opening
        case console
        case execution
        case over
    }

    /// What is to be done, in order.
    package enum Action: Equatable, Sendable {
        case send([UInt8])
        /// Carry this out, and say so by `finished`.
        case perform(id: Int64, ControlCommand)
        /// Typed for the guest.
        case input([UInt8])
        /// For the command.
        case frame(ExecutionFrame)
        /// Write out what was sent, and hang up.
        case close
    }

    package private(set) var phase: Phase
    /// Commands that are under way.
    package private(set) var underWay = 0
    private let isOwner: Bool
    private let greeting: ControlGreeting
    private var lines = LineBuffer(limit: ControlProtocol.longestLine)
    private var framer = ExecutionFramer()
    private static let longestSentence = 1000

    /// A session with a client, or with the machine's owner, who need not say hello.
    package init(isOwner: Bool = false, greeting: ControlGreeting) {
        self.isOwner = isOwner
        self.greeting = greeting
        phase = isOwner ? .commands : .greeting
    }

    /// Bytes of the client's that nothing was made of yet.
    package var held: Int { lines.held + framer.held }

    /// Takes what came from the client.
    package mutating func receive(_ bytes: [UInt8]) -> [Action] {
        switch phase {
        case .over: return []
        case .console: return bytes.isEmpty ? [] : [.input(bytes)]
        case .execution:
            framer.append(bytes)
            return frames()
        case .greeting, .commands, .opening:
            lines.append(bytes)
            return readLines()
        }
    }

    /// Command `id` is done with: answers, and goes on with what came meanwhile.
    package mutating func finished(id: Int64, _ reply: ControlReply) -> [Action] {
        guard phase != .over else { return [] }
        underWay -= 1
        var actions = [answer(id, reply)]
        switch (phase, reply) {
        case (.opening, .attached):
            phase = .console
            actions += receive(lines.takeRest())
        case (.opening, .executing):
            phase = .execution
            actions += receive(lines.takeRest())
        case (.opening, _):
            phase = .commands
            actions += readLines()
        default: break
        }
        return actions
    }

    /// A line that tells `event`, or none where the connection is a stream.
    package func tell(_ event: VirtualMachine.Event) -> [UInt8]? {
        guard phase == .commands else { return nil }
        return Array(JSONText.line(ControlAnswer(event: event)).utf8)
    }

    // MARK: Lines

    private mutating func readLines() -> [Action] {
        var actions: [Action] = []
        while phase == .greeting || phase == .commands, let line = lines.next() {
            switch line {
            case .tooLong:
                return actions + end("a line is longer than \(ControlProtocol.longestLine) bytes")
            case .line(let bytes) where bytes.allSatisfy { $0 == 0x20 || $0 == 0x09 }: continue
            case .line(let bytes): actions += read(bytes)
            }
        }
        // While a stream is being opened, what comes is kept, and not without bound.
        if phase == .opening, lines.held > ControlProtocol.longestLine {
            return actions + end("more than \(ControlProtocol.longestLine) bytes came before the stream was open")
        }
        return actions
    }

    private mutating func read(_ line: [UInt8]) -> [Action] {
        let request: ControlRequest
        do throws(VirtualMachineError) {
            request = try ControlRequest(line: line)
        } catch {
            let id = try? JSONText.decode(Identified.self, from: line, of: "").id
            // A client's own words may be in it.
            return [answer(id, .failed(String(error.description.prefix(ControlSession.longestSentence))))]
        }
        if phase == .greeting { return greet(request) }
        switch request.command {
        case .hello: return greet(request)
        case let command where command.isOwners && !isOwner:
            return [answer(request.id, .failed("only the process that started the machine may ask for this"))]
        case _ where underWay >= ControlProtocol.commandsAtOnce:
            return [
                answer(
                    request.id,
                    .failed("\(underWay) commands are under way on this connection; wait for an answer first"))
            ]
        case .attach, .execute: phase = .opening
        default: break
        }
        underWay += 1
        return [.perform(id: request.id, request.command)]
    }

    private mutating func greet(_ request: ControlRequest) -> [Action] {
        guard case .hello(let version) = request.command else {
            return [answer(request.id, .failed(#"say {"hello":{"version":\#(ControlProtocol.version)}} first"#))]
                + end(nil)
        }
        guard version == ControlProtocol.version else {
            return [
                answer(
                    request.id,
                    .failed(
                        "version \(version) of the control protocol is not spoken here, only \(ControlProtocol.version)"
                    ))
            ] + end(nil)
        }
        phase = .commands
        return [answer(request.id, .hello(greeting))]
    }

    /// The request's number, where nothing else of it can be read.
    private struct Identified: Decodable { var id: Int64 }

    private func answer(_ id: Int64?, _ reply: ControlReply) -> Action {
        .send(Array(JSONText.line(ControlAnswer(id: id, reply: reply)).utf8))
    }

    private mutating func end(_ sentence: String?) -> [Action] {
        phase = .over
        return (sentence.map { [answer(nil, .failed($0))] } ?? []) + [.close]
    }

    // MARK: Frames

    private mutating func frames() -> [Action] {
        var actions: [Action] = []
        do throws(VirtualMachineError) {
            while let frame = try framer.next() {
                // Kinds from 16 on are the machine's.
                guard frame.kind.rawValue < 16 else {
                    throw VirtualMachineError(.configuration, "a client does not send frames of kind \(frame.kind)")
                }
                actions.append(.frame(frame))
            }
        } catch {
            phase = .over
            return actions + [.send(ExecutionFrame(.lost, error.description.utf8).encoded), .close]
        }
        return actions
    }
}

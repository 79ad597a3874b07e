// SPDX-License-Identifier: Apache-2.0

import Backends
import Host
import Synchronization
import SystemPackage

/// The client's side of one control connection: requests out, answers and events in, and perhaps a stream afterwards.
final class ControlLink: Sendable {
    /// Takes bytes of the stream that the connection has become; answers how many.
    typealias StreamTaker = @Sendable ([UInt8]) -> Int

    private struct State {
        var lines = LineBuffer(limit: ControlProtocol.longestAnswer)
        var waiting: [Int64: CheckedContinuation<Result<ControlReply, VirtualMachineError>, Never>] = [:]
        var nextID: Int64 = 1
        /// Why no answer comes any more.
        var failure: VirtualMachineError?
        /// Bytes are the stream's from here on.
        var isStream = false
        var early: [UInt8] = []
        var taker: StreamTaker?
        var gone: @Sendable () -> Void = {}
        var room: @Sendable () -> Void = {}
        var isGone = false
        /// Who hears of it has been told.
        var isGoneTold = false
    }

    let loop: EventLoop
    private let socket: FileDescriptor
    private let stream: DescriptorStream
    private let relay: Relay
    private let event: @Sendable (VirtualMachine.Event) -> Void
    private let state = Mutex(State())

    private final class Relay: Sendable {
        let target = Mutex<(@Sendable (DescriptorStream.Event) -> Void)?>(nil)
    }

    /// A link over `socket`, served by `loop`, which runs. `event` hears events, `gone` that the machine's side has hung
    /// up, once; both on the loop's thread.
    init(
        _ socket: consuming Descriptor, loop: EventLoop,
        event: @escaping @Sendable (VirtualMachine.Event) -> Void = { _ in },
        gone: @escaping @Sendable () -> Void = {}
    ) {
        self.loop = loop
        self.socket = socket.take()
        self.event = event
        state.withLock { $0.gone = gone }
        let relay = Relay()
        self.relay = relay
        stream = DescriptorStream(loop: loop, socket: self.socket, bufferSize: 4 * ControlProtocol.outputLimit) {
            event in
            relay.target.withLock(\.self)?(event)
        }
    }

    deinit {
        stream.close()
        try? socket.close()
    }

    /// Begins to listen.
    func start() throws(VirtualMachineError) {
        // Where nothing more can be sent, what the machine has said may still be on its way.
        relay.target.withLock { $0 = { [weak self] event in if event == .inputEnded { self?.hangUp() } } }
        do throws(HostError) {
            try stream.connect { [weak self] bytes in
                self?.receive(bytes) ?? bytes.count
            } room: { [weak self] in
                self?.state.withLock(\.room)()
            }
        } catch {
            throw VirtualMachineError(error)
        }
    }

    /// Whether the machine's side is gone.
    var hasHungUp: Bool { state.withLock(\.isGone) }

    /// Asks for `command` and waits for the answer. A refusal is an answer; only a connection that broke throws.
    func request(_ command: ControlCommand) async throws(VirtualMachineError) -> ControlReply {
        let result = await withCheckedContinuation { continuation in
            let failure = state.withLock { state -> VirtualMachineError? in
                if let failure = state.failure { return failure }
                let line = Array(JSONText.line(ControlRequest(id: state.nextID, command: command)).utf8)
                guard line.count <= ControlProtocol.longestLine else {
                    return VirtualMachineError(
                        .configuration,
                        "the request has \(line.count) bytes, and \(ControlProtocol.longestLine) are the most")
                }
                guard stream.send(line) == line.count else {
                    return VirtualMachineError(.host, "the machine's process does not read its control connection")
                }
                state.waiting[state.nextID] = continuation
                state.nextID += 1
                return nil
            }
            if let failure { continuation.resume(returning: .failure(failure)) }
        }
        return try result.get()
    }

    /// Asks for `command`; a refusal throws.
    func ask(_ command: ControlCommand) async throws(VirtualMachineError) -> ControlReply {
        let reply = try await request(command)
        if case .machine(.failed(let sentence)) = reply { throw VirtualMachineError(.state, sentence) }
        return reply
    }

    /// Says which version is spoken, and hears who answers.
    func greet() async throws(VirtualMachineError) -> ControlGreeting {
        guard case .hello(let greeting) = try await ask(.hello(version: ControlProtocol.version)) else {
            throw VirtualMachineError(.host, "what answers at the control socket is no machine of Apus's")
        }
        return greeting
    }

    /// The connection has become a stream, whose bytes `taker` takes from now on. Behind the last of them, `gone` hears
    /// that the machine's side has hung up, instead of who was given before.
    func take(_ taker: @escaping StreamTaker, gone: @escaping @Sendable () -> Void) {
        state.withLock { ($0.taker, $0.gone) = (taker, gone) }
        loop.post { [weak self] in
            self?.deliverEarly()
            self?.stream.resume()
        }
    }

    /// `room` hears that the stream takes more, after it took less than it was given.
    func whenRoom(_ room: @escaping @Sendable () -> Void) { state.withLock { $0.room = room } }

    /// Writes to the stream; how much fitted.
    func write(_ bytes: [UInt8]) -> Int { stream.send(bytes) }

    /// The taker takes more.
    func resume() { stream.resume() }

    /// Hangs up.
    func close() {
        stream.close()
        UnixStream.shutDown(socket)
        end(VirtualMachineError(.state, "the connection to the machine was closed"))
    }

    // MARK: On the loop's thread

    private func receive(_ bytes: [UInt8]) -> Int {
        let (isStream, taker) = state.withLock { ($0.isStream, $0.early.isEmpty ? $0.taker : nil) }
        if isStream { return taker?(bytes) ?? 0 }
        state.withLock { $0.lines.append(bytes) }
        while let line = state.withLock({ $0.isStream ? nil : $0.lines.next() }) {
            guard case .line(let text) = line,
                let answer = try? JSONText.decode(ControlAnswer.self, from: text, of: "an answer")
            else {
                hangUp()
                break
            }
            hear(answer)
        }
        return bytes.count
    }

    private func hear(_ answer: ControlAnswer) {
        if let event = answer.event { self.event(event) }
        guard let reply = answer.reply else { return }
        let continuation = state.withLock { state in
            if reply == .attached || reply == .executing {
                state.isStream = true
                state.early = state.lines.takeRest()
            }
            return answer.id.flatMap { state.waiting.removeValue(forKey: $0) }
        }
        continuation?.resume(returning: .success(reply))
        // A refusal that answers no request says why the connection ends.
        if answer.id == nil, case .machine(.failed(let sentence)) = reply {
            end(VirtualMachineError(.state, sentence))
        }
    }

    private func deliverEarly() {
        while true {
            let (bytes, taker) = state.withLock { ($0.early, $0.taker) }
            guard !bytes.isEmpty, let taker else { break }
            let taken = taker(bytes)
            state.withLock { $0.early.removeFirst(min(taken, $0.early.count)) }
            // What was read with the reply is little, and takers have room for it at their start.
            if taken == 0 { return loop.post { [weak self] in self?.deliverEarly() } }
        }
        tellGone()
    }

    private func hangUp() {
        state.withLock { $0.isGone = true }
        end(VirtualMachineError(.host, "the machine's process has hung up"))
        tellGone()
    }

    /// Tells once that the machine's side has hung up. A stream's taker hears all of the stream before: a short command
    /// has ended, and its connection with it, before anybody takes what it wrote.
    private func tellGone() {
        let gone = state.withLock { state -> (@Sendable () -> Void)? in
            guard state.isGone, !state.isGoneTold, !state.isStream || state.taker != nil && state.early.isEmpty else {
                return nil
            }
            state.isGoneTold = true
            return state.gone
        }
        gone?()
    }

    private func end(_ failure: VirtualMachineError) {
        let waiting = state.withLock { state in
            defer { (state.failure, state.waiting) = (state.failure ?? failure, [:]) }
            return Array(state.waiting.values)
        }
        for continuation in waiting { continuation.resume(returning: .failure(failure)) }
    }
}

// SPDX-License-Identifier: Apache-2.0

import Backends
import Host
import Synchronization
import SystemPackage

/// One connection of a control server, on the loop of the machine's clients.
final class ControlConnection: Sendable {
    private struct State {
        var session: ControlSession
        var isSubscribed: Bool
        var execution: ControlExecution?
        /// The console's number for this reader.
        var reader: Int?
        /// What was typed is on its way to the guest: more is read afterwards.
        var isTyping = false
        /// Bytes of the console that this reader was too slow for.
        var lost = 0
        var isInputOver = false
        var isClosed = false
    }

    /// How long a connection that is over may take to read the last answer, in milliseconds.
    private static let patience: UInt64 = 2000

    private let number: Int
    private let socket: FileDescriptor
    private let owner: ControlServer.OwnerActions?
    private unowned let server: ControlServer
    private let stream: DescriptorStream
    private let events: EventRelay
    private let state: Mutex<State>

    /// What the stream tells, on its way to the connection that is made after it.
    private final class EventRelay: Sendable {
        let target = Mutex<(@Sendable (DescriptorStream.Event) -> Void)?>(nil)
    }

    init(_ number: Int, _ socket: FileDescriptor, server: ControlServer, owner: ControlServer.OwnerActions?) {
        self.number = number
        self.socket = socket
        self.server = server
        self.owner = owner
        let events = EventRelay()
        self.events = events
        state = Mutex(
            State(
                session: ControlSession(isOwner: owner != nil, greeting: server.greeting), isSubscribed: owner != nil))
        stream = DescriptorStream(
            loop: server.loop, socket: socket, bufferSize: 4 * ControlProtocol.outputLimit
        ) { event in events.target.withLock(\.self)?(event) }
    }

    deinit { try? socket.close() }

    var isOwner: Bool { owner != nil }

    /// Begins to serve: first what was read before, then what comes.
    func start(behind: [UInt8]) throws(HostError) {
        events.target.withLock { $0 = { [weak self] event in self?.hear(event) } }
        if !behind.isEmpty { carryOut(state.withLock { $0.session.receive(behind) }) }
        try stream.connect { [weak self] bytes in
            self?.receive(bytes) ?? bytes.count
        } room: { [weak self] in
            self?.reportLoss()
        }
    }

    /// Hangs up. Commands that are under way end, and nobody hears how.
    func close() {
        let (wasOpen, execution, reader) = state.withLock { state in
            defer { (state.isClosed, state.execution, state.reader) = (true, nil, nil) }
            return (!state.isClosed, state.execution, state.reader)
        }
        guard wasOpen else { return }
        execution?.abandon()
        if let reader { server.machine.devices.console?.detach(reader) }
        stream.close()
    }

    // MARK: From the client

    private func receive(_ bytes: [UInt8]) -> Int {
        let actions = state.withLock { state -> [ControlSession.Action]? in
            state.isTyping ? nil : state.session.receive(bytes)
        }
        guard let actions else { return 0 }
        carryOut(actions)
        return bytes.count
    }

    private func carryOut(_ actions: [ControlSession.Action]) {
        for action in actions {
            switch action {
            case .send(let bytes): send(bytes)
            case .perform(let id, let command): perform(id, command)
            case .input(let bytes): type(bytes)
            case .frame(let frame): state.withLock(\.execution)?.receive(frame)
            case .close: finishAndClose()
            }
        }
    }

    private func hear(_ event: DescriptorStream.Event) {
        switch event {
        case .outputFailed, .outOfSpace: drop()
        case .inputEnded:
            let mayStay = state.withLock { state in
                state.isInputOver = true
                switch state.session.phase {
                case .console: return true
                case .commands: return !isOwner && (state.isSubscribed || state.session.underWay > 0)
                default: return false
                }
            }
            // Half-closed, a client may still want its answers, or look on.
            if !mayStay || UnixStream.isHungUp(socket) { isOwner ? drop() : finishAndClose() }
        }
    }

    private func drop() {
        owner?.gone()
        server.remove(number)
    }

    private func finishAndClose() {
        stream.whenWritten { [weak self] in self?.drop() }
        server.loop.schedule(at: MonotonicTime.after(milliseconds: ControlConnection.patience)) { [weak self] in
            self?.drop()
        }
    }

    // MARK: To the client

    /// Sends an answer whole; a client that does not read is let go once its buffer is full.
    func send(_ bytes: [UInt8]) {
        guard stream.send(bytes) == bytes.count else { return drop() }
    }

    func tell(_ event: VirtualMachine.Event) {
        let line = state.withLock { state in
            state.isSubscribed && !state.isClosed ? state.session.tell(event) : nil
        }
        guard let line else { return }
        // An owner that stands still is not taken for one that is gone.
        if isOwner { _ = stream.send(line) } else { send(line) }
    }

    // MARK: Commands

    private func finish(_ id: Int64, _ reply: ControlReply) {
        let (actions, isOver) = state.withLock { state -> ([ControlSession.Action], Bool) in
            guard !state.isClosed else { return ([], false) }
            let actions = state.session.finished(id: id, reply)
            return (actions, state.isInputOver && state.session.underWay == 0 && !state.isSubscribed)
        }
        carryOut(actions)
        if isOver { finishAndClose() }
    }

    private func perform(_ id: Int64, _ command: ControlCommand) {
        switch command {
        case .attach(let replay): attach(id, replay: replay)
        case .execute(let command): execute(id, command)
        case .subscribe:
            state.withLock { $0.isSubscribed = true }
            finish(id, .done("events follow"))
        case .resize(let columns, let rows):
            server.machine.resizeConsole(columns: columns, rows: rows)
            finish(id, .done("resized"))
        case .consoleTail: finish(id, .lines(server.machine.lastLines))
        case .hello: finish(id, .hello(server.greeting))
        case .awaitAgent, .machine, .start, .end, .detach:
            let (machine, owner) = (server.machine, owner)
            Task(executorPreference: ServiceExecutor.shared) { [weak self] in
                let reply = await Self.answer(command, machine, owner)
                machine.clients.queue.post { [weak self] in self?.finish(id, reply) }
            }
        }
    }

    private static func answer(
        _ command: ControlCommand, _ machine: InProcessMachine, _ owner: ControlServer.OwnerActions?
    ) async -> ControlReply {
        switch command {
        case .machine(let command): return .machine(await machine.perform(command))
        case .awaitAgent(let seconds):
            return .agent(isReady: await machine.awaitAgent(.seconds(min(max(0, seconds), 86_400))))
        case .end(let cause, let grace?):
            await machine.requestStop(cause, grace: .seconds(min(max(0, grace), 86_400)))
            return .done("asked the guest to switch off")
        case .end(let cause, nil):
            machine.stop(cause)
            return .done("ended")
        case .detach:
            await owner?.detach()
            return .done("detached")
        case .start:
            guard let owner else { return .failed("only the process that made the machine starts it") }
            do throws(VirtualMachineError) {
                return .started(try await owner.start())
            } catch {
                return .failed(error.description)
            }
        default: return .failed("the command is none that takes time")
        }
    }

    // MARK: The console

    private func attach(_ id: Int64, replay: Bool) {
        guard let console = server.machine.devices.console else {
            return finish(id, .failed("this machine has no serial port to attach to"))
        }
        let (reader, recent) = console.attach { [weak self] bytes in self?.show(bytes) }
        state.withLock { $0.reader = reader }
        finish(id, .attached)
        if replay { show(recent) }
    }

    /// What a reader is too slow for is lost to it, and it is told.
    private func show(_ bytes: [UInt8]) {
        guard !bytes.isEmpty, state.withLock({ $0.lost == 0 }) else {
            return state.withLock { $0.lost += bytes.count }
        }
        let taken = stream.send(bytes)
        if taken < bytes.count { state.withLock { $0.lost += bytes.count - taken } }
    }

    private func reportLoss() {
        let lost = state.withLock { state in
            defer { state.lost = 0 }
            return state.lost
        }
        if lost > 0 { show(Array("\r\n[apus: \(lost) bytes lost, the reader was too slow]\r\n".utf8)) }
    }

    private func type(_ bytes: [UInt8]) {
        guard let console = server.machine.devices.console else { return }
        state.withLock { $0.isTyping = true }
        console.type(bytes) { [weak self] in
            guard let self else { return }
            self.state.withLock { $0.isTyping = false }
            self.stream.resume()
        }
    }

    // MARK: Commands in the guest

    private func execute(_ id: Int64, _ command: GuestCommand) {
        guard let agent = server.machine.agent else {
            return finish(id, .failed("this machine has no port for an agent; use an image that has one"))
        }
        let execution = ControlExecution(agent, clients: server.machine.clients.queue) { [weak self] frame in
            self?.send(frame.encoded)
        } over: { [weak self] in
            self?.finishAndClose()
        }
        do throws(VirtualMachineError) {
            state.withLock { $0.execution = execution }
            try execution.prepare(command)
            finish(id, .executing)
            execution.begin()
        } catch {
            state.withLock { $0.execution = nil }
            finish(id, .failed(error.description))
        }
    }
}

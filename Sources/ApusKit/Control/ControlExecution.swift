// SPDX-License-Identifier: Apache-2.0

import Host
import MachineCore
import Synchronization
import SystemPackage

/// A command in the guest for a control connection, between the agent and frames. On the loop of the machine's clients.
///
/// Both directions have windows: the client sends as much stdin as it was given room for, and the command writes as much
/// output as the client said it has dealt with. So the guest waits for a client that does not read, and nobody else.
final class ControlExecution: Sendable {
    private struct State {
        /// What the agent told before the client knows that its command runs.
        var early: [GuestAgent.ExecutionEvent]? = []
        /// Stdin that the client may send.
        var room = 0
        /// Output on its way to the client, by stream.
        var underWay: [AgentStream: Int] = [:]
        var isAbandoned = false
        var isOver = false
    }

    private let channel: AgentExecutionChannel
    private let clients: LoopQueue
    private let send: @Sendable (ExecutionFrame) -> Void
    private let over: @Sendable () -> Void
    private let state = Mutex(State())

    /// A command of `agent`'s. `send` is given frames for the client, `over` is called after the last one.
    init(
        _ agent: GuestAgent, clients: LoopQueue, send: @escaping @Sendable (ExecutionFrame) -> Void,
        over: @escaping @Sendable () -> Void
    ) {
        channel = AgentExecutionChannel(agent)
        self.clients = clients
        self.send = send
        self.over = over
    }

    /// Starts `command`; frames come from `begin` on.
    func prepare(_ command: GuestCommand) throws(VirtualMachineError) {
        // Held by the agent to the command's end, also where the client has gone.
        try channel.start(command) { [self] event in clients.post { self.hear(event) } }
    }

    func begin() {
        let early = state.withLock { state in
            defer { state.early = nil }
            return state.early ?? []
        }
        for event in early { tell(event) }
    }

    /// The client has gone: what a terminal's user would leave behind (signal(7): SIGHUP is 1). Output is dropped from
    /// now on, so that a command that goes on does not hang.
    func abandon() {
        let (isOver, owed) = state.withLock { state in
            defer { (state.isAbandoned, state.underWay) = (true, [:]) }
            return (state.isOver, state.underWay)
        }
        guard !isOver else { return }
        for (stream, count) in owed { channel.consumed(stream, count) }
        channel.closeStdin()
        channel.signal(1)
    }

    // MARK: From the agent

    private func hear(_ event: GuestAgent.ExecutionEvent) {
        let isEarly = state.withLock { state in
            state.early?.append(event)
            return state.early != nil
        }
        if !isEarly { tell(event) }
    }

    private func tell(_ event: GuestAgent.ExecutionEvent) {
        switch event {
        case .started:
            frame(ExecutionFrame(.started))
            giveRoom()
        case .output(let stream, let bytes): output(stream, bytes)
        case .stdinWritable: giveRoom()
        case .stdinClosed: frame(ExecutionFrame(.stdinClosed))
        case .ended(let end):
            frame(ExecutionFrame(ended: end))
            finish()
        case .lost(let reason):
            frame(ExecutionFrame(.lost, reason.utf8.prefix(ExecutionFrame.limit)))
            finish()
        }
    }

    private func finish() {
        let isAbandoned = state.withLock { state in
            state.isOver = true
            return state.isAbandoned
        }
        if !isAbandoned { over() }
    }

    private func frame(_ frame: ExecutionFrame) {
        if !state.withLock(\.isAbandoned) { send(frame) }
    }

    private func output(_ stream: AgentStream, _ bytes: [UInt8]) {
        let isAbandoned = state.withLock { state in
            if !state.isAbandoned { state.underWay[stream, default: 0] += bytes.count }
            return state.isAbandoned
        }
        guard !isAbandoned else { return channel.consumed(stream, bytes.count) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(ExecutionFrame.limit)
            frame(ExecutionFrame(stream == .stdout ? .stdout : .stderr, piece))
            rest = rest.dropFirst(piece.count)
        }
    }

    /// Tells the client of room that it does not know of.
    private func giveRoom() {
        let room = channel.stdinRoom
        let more = state.withLock { state in
            defer { state.room = max(state.room, room) }
            return room - state.room
        }
        if more > 0 { frame(ExecutionFrame(.stdinRoom, UInt32(clamping: more))) }
    }

    // MARK: From the client

    /// Does what a frame says; one that says what cannot be is without effect.
    func receive(_ frame: ExecutionFrame) {
        switch frame.kind {
        case .stdin:
            // More than there is room for cannot be kept.
            let count = state.withLock { state in
                let count = min(frame.payload.count, state.room)
                state.room -= count
                return count
            }
            if count > 0 { channel.writeStdin(frame.payload[..<count]) }
            giveRoom()
        case .closeStdin: channel.closeStdin()
        case .signal:
            if let number = frame.number(), (1...64).contains(number) { channel.signal(Int32(number)) }
        case .consumed:
            guard let first = frame.payload.first, let count = frame.number(at: 1),
                let stream = first == 1 ? AgentStream.stdout : first == 2 ? .stderr : nil
            else { return }
            // No more than was sent: the window is the bound of what is kept here.
            let owed = state.withLock { state in
                let owed = min(Int(count), state.underWay[stream] ?? 0)
                state.underWay[stream]? -= owed
                return owed
            }
            if owed > 0 { channel.consumed(stream, owed) }
        default: break
        }
    }
}

extension ExecutionFrame {
    /// How a command ended.
    init(ended end: GuestCommandEnd) {
        self.init(.ended, UInt32(bitPattern: end.status))
        payload += (end.reason ?? "").utf8.prefix(4096)
    }

    /// How the command ended, where the frame says so.
    var end: GuestCommandEnd? {
        guard kind == .ended, let status = number() else { return nil }
        let reason = payload.count > 4 ? String(decoding: payload[4...], as: UTF8.self) : nil
        return GuestCommandEnd(status: Int32(bitPattern: status), reason: reason)
    }
}

extension GuestCommandEnd {
    init(_ exit: AgentExit) {
        status = exit.status
        // The generic error numbers of Linux are the same on every platform here.
        if case .notStarted(_, let number) = exit { reason = Errno(rawValue: number).description }
    }
}

// SPDX-License-Identifier: Apache-2.0

import Host
import Logging
import Synchronization
import SystemPackage

/// Serves the control connections of a machine in this process, on the loop of the machine's clients.
///
/// No vCPU and no device ever waits for a client: nothing here takes a lock that they take, what takes time is done in
/// tasks and on the machine's control thread, and what a client does not read is bounded.
final class ControlServer: Sendable {
    /// What only the machine's owner may ask for, besides what everybody may.
    struct OwnerActions: Sendable {
        var start: @Sendable () async throws(VirtualMachineError) -> StartReport
        var detach: @Sendable () async -> Void
        /// The owner's connection broke.
        var gone: @Sendable () -> Void
    }

    private struct State {
        var listeners: [(socket: ListeningSocket, watch: EventLoop.Watch)] = []
        var connections: [Int: ControlConnection] = [:]
        var clients = 0
        var next = 0
        var isClosed = false
    }

    /// Connections taken before other work of the loop has its turn.
    private static let acceptsPerTurn = 16

    let machine: InProcessMachine
    private let userID: UInt32
    private let sandbox: String?
    private let state = Mutex(State())
    private let log = Logger(label: "apus.control")

    /// A server of `machine` for `userID` and root. `sandbox` says how the process is confined.
    init(_ machine: InProcessMachine, userID: UInt32, sandbox: String? = nil) {
        self.machine = machine
        self.userID = userID
        self.sandbox = sandbox
        // Events for who has subscribed.
        let events = machine.events
        Task(executorPreference: ServiceExecutor.shared) { [weak self] in
            for await event in events {
                guard let self else { return }
                machine.clients.queue.post { self.tell(event) }
            }
        }
    }

    /// How many are connected, the owner aside.
    var clientCount: Int { state.withLock(\.clients) }

    var loop: EventLoop { machine.clients.loop }

    /// Listens at `path`, for the user alone.
    func listen(at path: FilePath) throws(HostError) {
        let socket = try ListeningSocket(path, backlog: ControlProtocol.clientLimit, leavesFile: true)
        let watch = try loop.watch(socket.descriptor, for: .readable) { [weak self] _ in self?.accept(from: socket) }
        state.withLock { $0.listeners.append((socket, watch)) }
    }

    /// Serves the machine's owner at the other end of `socket`, behind the bytes that were read from it before.
    func serve(owner socket: consuming Descriptor, _ actions: OwnerActions, behind: [UInt8]) throws(HostError) {
        try add(socket.take(), owner: actions, behind: behind)
    }

    /// Who is at the socket: how the machine introduces itself.
    var greeting: ControlGreeting {
        ControlGreeting(
            version: ControlProtocol.version, processID: HostProcess.number, state: machine.state, sandbox: sandbox)
    }

    /// Lets everybody go and stops listening. The sockets' files stay: a confined process cannot remove them.
    func close() {
        let (listeners, connections) = state.withLock { state in
            state.isClosed = true
            defer { (state.listeners, state.connections) = ([], [:]) }
            return (state.listeners, Array(state.connections.values))
        }
        for connection in connections { connection.close() }
        for listener in listeners {
            listener.watch.cancel()
            listener.socket.close()
        }
    }

    // MARK: On the loop's thread

    private func accept(from listener: ListeningSocket) {
        for _ in 0..<ControlServer.acceptsPerTurn {
            guard let socket = listener.accept() else { return }
            if let refusal = refusal(of: UnixStream.peer(of: socket)) {
                let line = JSONText.line(ControlAnswer(reply: .failed(refusal)))
                _ = socket.transmit(Array(line.utf8)[...])
                try? socket.close()
                continue
            }
            do throws(HostError) {
                try add(socket)
            } catch {
                log.error("a control connection cannot be served", metadata: ["reason": "\(error)"])
            }
        }
    }

    /// Why this client is not served; nil where it is.
    func refusal(of peer: UnixStream.Peer?) -> String? {
        guard let peer, peer.userID == userID || peer.userID == 0 else {
            log.warning("a control connection of another user was turned away")
            return "this machine belongs to user \(userID), and nobody else but root controls it"
        }
        guard clientCount < ControlProtocol.clientLimit else {
            return "\(ControlProtocol.clientLimit) clients are connected, which is the most; try again later"
        }
        return nil
    }

    private func add(_ socket: FileDescriptor, owner: OwnerActions? = nil, behind: [UInt8] = []) throws(HostError) {
        let number = state.withLock { state in
            defer { state.next += 1 }
            return state.next
        }
        let connection = ControlConnection(number, socket, server: self, owner: owner)
        let isClosed = state.withLock { state in
            guard !state.isClosed else { return true }
            state.connections[number] = connection
            if owner == nil { state.clients += 1 }
            return false
        }
        if isClosed { return connection.close() }
        do throws(HostError) {
            try connection.start(behind: behind)
        } catch {
            remove(number)
            throw error
        }
    }

    /// A connection is over.
    func remove(_ number: Int) {
        let connection = state.withLock { state in
            let connection = state.connections.removeValue(forKey: number)
            if let connection, !connection.isOwner { state.clients -= 1 }
            return connection
        }
        connection?.close()
    }

    private func tell(_ event: VirtualMachine.Event) {
        for connection in state.withLock({ Array($0.connections.values) }) { connection.tell(event) }
    }
}

// SPDX-License-Identifier: Apache-2.0

import Host
import Logging
import MachineCore
import Synchronization
import SystemPackage

/// Serves one debugger at a time on a TCP port of 127.0.0.1, on a thread of its own: looking at a machine waits for its
/// vCPUs, which the machine's I/O must not do.
final class GDBServer: Sendable {
    private struct Connection {
        let descriptor: FileDescriptor
        let watch: EventLoop.Watch
        var session: GDBSession
        /// What the socket has not taken yet.
        var pending: [UInt8] = []
    }

    private struct State {
        var listening: EventLoop.Watch?
        var connection: Connection?
        /// The next debugger finds the machine stopped by this.
        var lastEvent = DebugEvent.interrupted(thread: 0)
    }

    private let log = Logger(label: "apus.gdb")
    private let loop: EventLoop
    private let target: MachineDebugTarget
    private let listener: TCPListener
    private let state = Mutex(State())

    /// The port that it listens on.
    var port: UInt16 { listener.port }

    /// Listens as `server` says, for debuggers of `machine`.
    init(_ server: DebugServer, machine: InProcessMachine) throws(VirtualMachineError) {
        target = MachineDebugTarget(machine)
        do {
            listener = try TCPListener(port: server.port)
            loop = try EventLoop(name: "gdb")
            let watch = try loop.watch(listener.socket.raw, for: .readable) { [weak self] _ in self?.accept() }
            state.withLock { $0.listening = watch }
            try loop.start()
        } catch {
            throw VirtualMachineError(.host, "gdb: \(error)")
        }
        target.setReporter { [weak self] event in self?.report(event) }
    }

    // MARK: What the machine tells, from its threads

    func machineStopped(hart: Int, _ stop: DebugStop) { report(.stopped(thread: hart, stop)) }

    func machinePanicked() {
        guard target.pausesOnPanic else { return }
        report(.panicked(thread: 0))
    }

    /// The machine is over: says so to the debugger, and closes.
    func machineEnded(status: UInt8) {
        report(.ended(code: status))
        loop.barrier()
        loop.stop()
        let connection = state.withLock { state in
            state.listening = nil
            defer { state.connection = nil }
            return state.connection
        }
        close(connection)
    }

    private func report(_ event: DebugEvent) {
        loop.post { [weak self] in self?.deliver(event) }
    }

    private func deliver(_ event: DebugEvent) {
        let isHeard = state.withLock { state in
            guard state.connection != nil else {
                state.lastEvent = event
                return false
            }
            let reply = state.connection?.session.targetReported(event) ?? []
            send(reply, &state)
            return true
        }
        // A stop that came after the debugger had gone holds nobody.
        if !isHeard { target.detach() }
    }

    // MARK: The connection, on the loop's thread

    private func accept() {
        guard let descriptor = listener.accept()?.take() else { return }
        guard state.withLock({ $0.connection == nil }) else {
            log.warning("a second debugger was turned away; one at a time")
            try? descriptor.close()
            return
        }
        do {
            let watch = try loop.watch(descriptor, for: .readable) { [weak self] ready in self?.hear(ready) }
            log.info("a debugger has connected")
            target.attach()
            state.withLock { state in
                state.connection = Connection(
                    descriptor: descriptor, watch: watch, session: GDBSession(target, stoppedBy: state.lastEvent))
                state.lastEvent = .interrupted(thread: 0)
            }
        } catch {
            log.error("a debugger's connection cannot be watched", metadata: ["reason": "\(error)"])
            try? descriptor.close()
        }
    }

    private func hear(_ ready: EventLoop.Readiness) {
        let gone = state.withLock { state -> Connection? in
            guard var connection = state.connection else { return nil }
            state.connection = nil
            let isAlive = serve(&connection, ready)
            if isAlive {
                state.connection = connection
                return nil
            }
            connection.session.connectionLost()
            return connection
        }
        if gone != nil { log.info("the debugger has gone") }
        close(gone)
    }

    /// Reads and answers, or writes what is pending; false where the connection is over.
    private func serve(_ connection: inout Connection, _ ready: EventLoop.Readiness) -> Bool {
        if !connection.pending.isEmpty { return flush(&connection) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        switch connection.descriptor.receive(into: &buffer) {
        case .bytes(0), .failed: return false
        case .wouldBlock: return !ready.contains(.hangUp)
        case .bytes(let count):
            connection.pending = connection.session.receive(buffer[..<count])
            return flush(&connection) && connection.session.phase != .over
        }
    }

    private func send(_ bytes: [UInt8], _ state: inout State) {
        guard var connection = state.connection else { return }
        connection.pending += bytes
        _ = flush(&connection)
        state.connection = connection
    }

    /// Writes what the socket takes. Until it has taken all, nothing more is read: a debugger that does not listen is
    /// not heard either, and the answers kept for it stay few.
    private func flush(_ connection: inout Connection) -> Bool {
        while !connection.pending.isEmpty {
            switch connection.descriptor.transmit(connection.pending[...]) {
            case .bytes(let count): connection.pending.removeFirst(count)
            case .wouldBlock:
                connection.watch.setInterest(.writable)
                return true
            case .failed: return false
            }
        }
        connection.watch.setInterest(.readable)
        return true
    }

    private func close(_ connection: Connection?) {
        guard let connection else { return }
        connection.watch.cancel()
        try? connection.descriptor.close()
    }
}

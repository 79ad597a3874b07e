// SPDX-License-Identifier: Apache-2.0

import Glibc
public import Host
import Logging
public import MachineCore
import Synchronization
public import SystemPackage

/// A console on a unix socket: one client at a time, the next one is told that the console is in use. Only the user
/// may connect (mode 0600). Without a client, output is thrown away.
public final class UnixConsole: StreamBackend {
    private final class Client: Sendable {
        let socket: FileDescriptor
        let stream: DescriptorStream

        init(_ socket: FileDescriptor, loop: EventLoop, event: @escaping @Sendable (DescriptorStream.Event) -> Void) {
            self.socket = socket
            stream = DescriptorStream(
                loop: loop, input: socket, output: OutputDescriptor(nonBlocking: socket), bufferSize: 1 << 20,
                overflow: .refuse, event: event)
        }

        deinit { try? socket.close() }
    }

    private struct State {
        var client: Client?
        /// The client sends nothing more: it may be displaced by the next one.
        var isHalfClosed = false
        var delivery: DescriptorStream.Delivery?
        var room: (@Sendable () -> Void)?
        var listening: EventLoop.Watch?
        var isClosed = false
    }

    private let state = Mutex(State())
    private let loop: EventLoop
    private let listener: ListeningSocket
    private let logger = Logger(label: "apus.console")

    /// The socket's path.
    public var path: FilePath { listener.path }

    /// Listens at `path`. A socket that a process left behind is replaced; anything else that is there is refused.
    public init(_ path: FilePath, loop: EventLoop) throws(HostError) {
        self.loop = loop
        listener = try ListeningSocket(path)
        let watch = try loop.watch(listener.descriptor, for: .readable) { [weak self] _ in self?.accept() }
        state.withLock { $0.listening = watch }
    }

    /// Sets who takes what the client sends. Once.
    public func connect(_ delivery: @escaping DescriptorStream.Delivery, room: (@Sendable () -> Void)? = nil) {
        let client = state.withLock { state in
            precondition(state.delivery == nil, "a console is connected once")
            state.delivery = delivery
            state.room = room
            return state.client
        }
        if let client { attach(client, delivery, room) }
    }

    public func send(_ bytes: [UInt8]) -> Int {
        state.withLock { $0.client }?.stream.send(bytes) ?? bytes.count
    }

    public func resume() { state.withLock { $0.client }?.stream.resume() }

    /// Whether somebody is connected.
    public var hasClient: Bool { state.withLock { $0.client != nil } }

    /// Lets the client go, stops listening and removes the socket.
    public func close() {
        let (client, watch) = state.withLock { state in
            state.isClosed = true
            defer { (state.client, state.listening) = (nil, nil) }
            return (state.client, state.listening)
        }
        watch?.cancel()
        client?.stream.close()
        loop.barrier()
        listener.close()
    }

    // MARK: On the loop's thread

    private func accept() {
        guard let socket = listener.accept() else { return }
        let (old, isRefused) = state.withLock { state -> (Client?, Bool) in
            if state.isClosed || state.client != nil && !state.isHalfClosed { return (nil, true) }
            defer { state.client = nil }
            return (state.client, false)
        }
        if isRefused {
            _ = socket.transmit(Array("apus: the console is in use by another client\r\n".utf8)[...])
            try? socket.close()
            return
        }
        old?.stream.close()
        let client = Client(socket, loop: loop) { [weak self] event in self?.clientEvent(event, socket) }
        let connection = state.withLock { state in
            (state.client, state.isHalfClosed) = (client, false)
            return (state.delivery, state.room)
        }
        if let delivery = connection.0 { attach(client, delivery, connection.1) }
    }

    private func attach(
        _ client: Client, _ delivery: @escaping DescriptorStream.Delivery, _ room: (@Sendable () -> Void)?
    ) {
        do throws(HostError) {
            try client.stream.connect(delivery, room: room)
        } catch {
            logger.error("the console's client is let go: \(error)")
            drop(client.socket)
        }
    }

    private func clientEvent(_ event: DescriptorStream.Event, _ socket: FileDescriptor) {
        var entry = pollfd(fd: socket.rawValue, events: 0, revents: 0)
        // SAFETY: one entry, the local.
        let isGone = unsafe poll(&entry, 1, 0) > 0 && entry.revents & Int16(POLLHUP | POLLERR) != 0
        if event == .inputEnded, !isGone {
            state.withLock { if $0.client?.socket == socket { $0.isHalfClosed = true } }
        } else {
            drop(socket)
        }
    }

    private func drop(_ socket: FileDescriptor) {
        let (client, room) = state.withLock { state -> (Client?, (@Sendable () -> Void)?) in
            guard state.client?.socket == socket else { return (nil, nil) }
            defer { state.client = nil }
            return (state.client, state.room)
        }
        client?.stream.close()
        // What waited for the client need not wait any more.
        if client != nil { room?() }
    }
}

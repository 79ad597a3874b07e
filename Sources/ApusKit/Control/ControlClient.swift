// SPDX-License-Identifier: Apache-2.0

import Host
import Synchronization
import SystemPackage

/// A connection to a machine that runs in another process, by its control socket.
public final class ControlClient: Sendable {
    private struct Listeners {
        var streams: [AsyncStream<VirtualMachine.Event>.Continuation] = []
        var end: VirtualMachineEnd?
        var isGone = false
    }

    /// Who answered.
    public let greeting: ControlGreeting
    private let loop: EventLoop
    private let link: ControlLink
    private let listeners: Listener

    /// Where events of the connection go.
    private final class Listener: Sendable {
        let state = Mutex(Listeners())

        func hear(_ event: VirtualMachine.Event) {
            let streams = state.withLock { state in
                if case .ended(let end) = event { state.end = end }
                return state.streams
            }
            for stream in streams { stream.yield(event) }
            if case .ended = event { finish() }
        }

        func finish() {
            let streams = state.withLock { state in
                state.isGone = true
                defer { state.streams = [] }
                return state.streams
            }
            for stream in streams { stream.finish() }
        }
    }

    /// Connects to the control socket at `path`.
    public init(path: String) async throws(VirtualMachineError) {
        let listeners = Listener()
        let (loop, link) = try ControlClient.connect(path) {
            listeners.hear($0)
        } gone: {
            listeners.finish()
        }
        self.listeners = listeners
        self.loop = loop
        self.link = link
        do throws(VirtualMachineError) {
            greeting = try await ControlClient.endingWithTask(link) { () throws(VirtualMachineError) in
                try await link.greet()
            }
        } catch {
            loop.stop()
            throw error
        }
    }

    /// Does `work`; where the caller's task is cancelled meanwhile, the connection is closed. A process that does not
    /// answer would hold it, with its thread, for ever.
    private static func endingWithTask<T: Sendable>(
        _ link: ControlLink, _ work: @Sendable () async throws(VirtualMachineError) -> T
    ) async throws(VirtualMachineError) -> T {
        let result = await withTaskCancellationHandler { () -> Result<T, VirtualMachineError> in
            do throws(VirtualMachineError) {
                return .success(try await work())
            } catch {
                return .failure(error)
            }
        } onCancel: {
            link.close()
        }
        return try result.get()
    }

    deinit {
        link.close()
        loop.stop()
    }

    /// A link to the socket at `path`, and the loop that serves it.
    static func connect(
        _ path: String, event: @escaping @Sendable (VirtualMachine.Event) -> Void = { _ in },
        gone: @escaping @Sendable () -> Void = {}
    ) throws(VirtualMachineError) -> (EventLoop, ControlLink) {
        do throws(HostError) {
            let socket = try UnixStream.connect(FilePath(path))
            let loop = try EventLoop(name: "control")
            try loop.start()
            let link = ControlLink(socket, loop: loop, event: event, gone: gone)
            do throws(VirtualMachineError) {
                try link.start()
            } catch {
                loop.stop()
                throw HostError(error.description)
            }
            return (loop, link)
        } catch {
            let isDead = error.errno == .connectionRefused || error.errno == .noSuchFileOrDirectory
            throw VirtualMachineError(
                .state, isDead ? "no machine answers at the control socket '\(path)'" : error.description)
        }
    }

    /// Carries out `command` there. What the machine refuses is a reply; a connection that broke throws. A task that is
    /// cancelled meanwhile closes the connection.
    public func perform(_ command: MachineCommand) async throws(VirtualMachineError) -> MachineReply {
        let link = link
        let reply = try await ControlClient.endingWithTask(link) { () throws(VirtualMachineError) in
            try await link.request(.machine(command))
        }
        guard case .machine(let reply) = reply else {
            throw .misunderstood
        }
        return reply
    }

    /// Tells the guest the size of the terminal that its virtio console is on.
    func resize(columns: UInt16, rows: UInt16) async {
        _ = try? await link.request(.resize(columns: columns, rows: rows))
    }

    /// Waits until the agent in the guest answers; false if it has not after `timeout`.
    public func waitForAgent(timeout: Duration) async throws(VirtualMachineError) -> Bool {
        let reply = try await link.ask(.awaitAgent(seconds: Int(timeout.components.seconds)))
        return reply == .agent(isReady: true)
    }

    /// What happens from now on; ends with the machine or with the connection.
    public func events() async throws(VirtualMachineError) -> AsyncStream<VirtualMachine.Event> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: VirtualMachine.Event.self, bufferingPolicy: .bufferingNewest(256))
        let isGone = listeners.state.withLock { state in
            if !state.isGone { state.streams.append(continuation) }
            return state.isGone
        }
        if isGone {
            continuation.finish()
        } else {
            _ = try await link.ask(.subscribe)
        }
        return stream
    }

    /// Waits for the machine's end; nil where its process went without saying how.
    public func waitForEnd() async -> VirtualMachineEnd? {
        if let events = try? await events() {
            for await event in events {
                if case .ended(let end) = event { return end }
            }
        }
        return listeners.state.withLock(\.end)
    }

    /// Hangs up.
    public func close() { link.close() }

    /// Starts `command` in the guest whose machine is controlled at `path`, on a connection of its own.
    public static func execute(
        path: String, _ command: GuestCommand
    ) async throws(VirtualMachineError) -> GuestProcess {
        let (loop, link) = try connect(path)
        do throws(VirtualMachineError) {
            _ = try await link.greet()
            let channel = RemoteExecutionChannel(link)
            try await channel.open(command)
            return GuestProcess(command, GuestExecution(channel: channel, loop: loop), ownLoop: loop)
        } catch {
            link.close()
            loop.stop()
            throw error
        }
    }
}

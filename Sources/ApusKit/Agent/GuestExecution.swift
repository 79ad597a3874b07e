// SPDX-License-Identifier: Apache-2.0

import Host
import MachineCore
import Synchronization
import SystemPackage

/// How a command in a guest ended.
public struct GuestCommandEnd: Equatable, Sendable {
    /// For a shell: the command's own, 126 or 127 where it did not start, 128 and more for signals.
    public var status: Int32
    /// Why it did not start: the guest's reason.
    public var reason: String?
}

/// The way to a command in a guest: the agent's of a machine in this process, or a control connection.
protocol ExecutionChannel: AnyObject, Sendable {
    /// Starts `command`, once; `handler` hears what becomes of it, in order, on a thread that must not wait.
    func start(
        _ command: GuestCommand, _ handler: @escaping @Sendable (GuestAgent.ExecutionEvent) -> Void
    ) throws(VirtualMachineError)
    /// How many bytes of stdin the command takes now.
    var stdinRoom: Int { get }
    /// Writes to its stdin: all of `bytes`, for which there was room.
    func writeStdin(_ bytes: ArraySlice<UInt8>)
    func closeStdin()
    /// Sends a signal, by the guest's number.
    func signal(_ number: Int32)
    /// `count` bytes of output were dealt with: the command may write as many more.
    func consumed(_ stream: AgentStream, _ count: Int)
}

/// A command of the agent's of a machine in this process.
final class AgentExecutionChannel: ExecutionChannel {
    private let agent: GuestAgent
    private let execution = Mutex<AgentExecution?>(nil)

    init(_ agent: GuestAgent) { self.agent = agent }

    private var number: AgentExecution? { execution.withLock(\.self) }

    func start(
        _ command: GuestCommand, _ handler: @escaping @Sendable (GuestAgent.ExecutionEvent) -> Void
    ) throws(VirtualMachineError) {
        do throws(AgentError) {
            // Events come on the loop's thread, and find the number: they wait for it here.
            try execution.withLock { execution throws(AgentError) in
                execution = try agent.execute(command.agentCommand, handler)
            }
        } catch {
            throw VirtualMachineError(.guest, error.description)
        }
    }

    var stdinRoom: Int { number.map { agent.stdinRoom($0) } ?? 0 }
    func writeStdin(_ bytes: ArraySlice<UInt8>) { if let number { agent.writeStdin(number, bytes) } }
    func closeStdin() { if let number { agent.closeStdin(number) } }
    func signal(_ number: Int32) { if let execution = self.number { agent.signal(execution, number) } }
    func consumed(_ stream: AgentStream, _ count: Int) { if let number { agent.consumed(number, stream, count) } }
}

/// A command in a guest whose streams are this process's: runs it to its end.
final class GuestExecution: Sendable {
    private struct State {
        var watch: EventLoop.Watch?
        var isStdinOver = false
        var finish: CheckedContinuation<Result<GuestCommandEnd, VirtualMachineError>, Never>?
        var result: Result<GuestCommandEnd, VirtualMachineError>?
    }

    private static let stdinPiece = 64 << 10

    private let channel: any ExecutionChannel
    private let loop: EventLoop
    private let stdout: StreamWriter
    private let stderr: StreamWriter
    private let state = Mutex(State())

    init(channel: any ExecutionChannel, loop: EventLoop) {
        self.channel = channel
        self.loop = loop
        stdout = StreamWriter(.standardOutput, name: "stdout")
        stderr = StreamWriter(.standardError, name: "stderr")
    }

    /// Runs `command` to its end. What it wrote has been written when this returns.
    func run(_ command: GuestCommand) async throws(VirtualMachineError) -> GuestCommandEnd {
        connect(stdout, .stdout)
        connect(stderr, .stderr)
        do throws(VirtualMachineError) {
            try channel.start(command) { [weak self] event in self?.hear(event) }
        } catch {
            await stdout.close()
            await stderr.close()
            throw error
        }
        let result = await withCheckedContinuation { continuation in
            let known = state.withLock { state in
                if state.result == nil { state.finish = continuation }
                return state.result
            }
            if let known { continuation.resume(returning: known) }
        }
        stopStdin()
        // Whoever reads our stdout may be slow, and gets everything all the same.
        await stdout.close()
        await stderr.close()
        if let failure = stdout.failure ?? stderr.failure, failure != .brokenPipe {
            throw VirtualMachineError(.host, "cannot write what the command wrote: \(failure)")
        }
        return try result.get()
    }

    /// Sends a signal to the command.
    func signal(_ number: Int32) {
        channel.signal(number)
    }

    private func connect(_ writer: StreamWriter, _ stream: AgentStream) {
        writer.start { [channel] written in
            channel.consumed(stream, written)
        } failed: { [channel] failure in
            // What a local program would get that writes to a closed pipe (signal(7): SIGPIPE is 13).
            if failure == .brokenPipe { channel.signal(13) }
        }
    }

    private func hear(_ event: GuestAgent.ExecutionEvent) {
        switch event {
        case .started: loop.post { [weak self] in self?.startStdin() }
        case .output(.stdout, let bytes): stdout.write(bytes)
        case .output(.stderr, let bytes): stderr.write(bytes)
        case .stdinWritable: loop.post { [weak self] in self?.watchStdin() }
        case .stdinClosed: stopStdin()
        case .ended(let end): finish(.success(end))
        case .lost(let reason): finish(.failure(VirtualMachineError(.guest, reason)))
        }
    }

    private func finish(_ result: Result<GuestCommandEnd, VirtualMachineError>) {
        let continuation = state.withLock { state in
            state.result = result
            defer { state.finish = nil }
            return state.finish
        }
        continuation?.resume(returning: result)
    }

    // MARK: Stdin, on the loop's thread

    private func startStdin() {
        do {
            let watch = try loop.watch(.standardInput, for: .readable) { [weak self] _ in self?.readStdin() }
            state.withLock { $0.watch = watch }
        } catch {
            // No stdin at all: the command's ends at once.
            endStdin()
        }
    }

    private func readStdin() {
        guard state.withLock({ !$0.isStdinOver }) else { return }
        let room = min(channel.stdinRoom, GuestExecution.stdinPiece)
        guard room > 0 else {
            state.withLock(\.watch)?.setInterest([])
            return
        }
        var buffer = [UInt8](repeating: 0, count: room)
        switch FileDescriptor.standardInput.receive(into: &buffer) {
        case .bytes(0), .failed: endStdin()
        case .bytes(let count): channel.writeStdin(buffer[..<count])
        case .wouldBlock: break
        }
    }

    private func watchStdin() {
        let watch = state.withLock { $0.isStdinOver ? nil : $0.watch }
        watch?.setInterest(.readable)
    }

    private func endStdin() {
        stopStdin()
        channel.closeStdin()
    }

    private func stopStdin() {
        let watch = state.withLock { state in
            state.isStdinOver = true
            defer { state.watch = nil }
            return state.watch
        }
        watch?.cancel()
    }
}

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

/// A command in a guest whose streams are this process's: runs it to its end.
final class GuestExecution: Sendable {
    private struct State {
        var execution: AgentExecution?
        var watch: EventLoop.Watch?
        var isStdinOver = false
        var finish: CheckedContinuation<Result<GuestCommandEnd, VirtualMachineError>, Never>?
        var result: Result<GuestCommandEnd, VirtualMachineError>?
    }

    private static let stdinPiece = 64 << 10

    private let agent: GuestAgent
    private let loop: EventLoop
    private let stdout: StreamWriter
    private let stderr: StreamWriter
    private let state = Mutex(State())

    init(agent: GuestAgent, loop: EventLoop) {
        self.agent = agent
        self.loop = loop
        stdout = StreamWriter(.standardOutput, name: "stdout")
        stderr = StreamWriter(.standardError, name: "stderr")
    }

    /// Runs `command` to its end. What it wrote has been written when this returns.
    func run(_ command: AgentCommand) async throws(VirtualMachineError) -> GuestCommandEnd {
        do throws(AgentError) {
            let execution = try agent.execute(command) { [weak self] event in self?.hear(event) }
            connect(stdout, execution, .stdout)
            connect(stderr, execution, .stderr)
            state.withLock { $0.execution = execution }
        } catch {
            throw VirtualMachineError(.guest, error.description)
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
        if let execution = state.withLock(\.execution) { agent.signal(execution, number) }
    }

    private func connect(_ writer: StreamWriter, _ execution: AgentExecution, _ stream: AgentStream) {
        writer.start { [agent] written in
            agent.consumed(execution, stream, written)
        } failed: { [agent] failure in
            // What a local program would get that writes to a closed pipe (signal(7): SIGPIPE is 13).
            if failure == .brokenPipe { agent.signal(execution, 13) }
        }
    }

    private func hear(_ event: GuestAgent.ExecutionEvent) {
        switch event {
        case .started: loop.post { [weak self] in self?.startStdin() }
        case .output(.stdout, let bytes): stdout.write(bytes)
        case .output(.stderr, let bytes): stderr.write(bytes)
        case .stdinWritable: loop.post { [weak self] in self?.watchStdin() }
        case .stdinClosed: stopStdin()
        case .ended(let exit):
            var end = GuestCommandEnd(status: exit.status)
            // The generic error numbers of Linux are the same on every platform here.
            if case .notStarted(_, let number) = exit { end.reason = Errno(rawValue: number).description }
            finish(.success(end))
        case .lost(let error): finish(.failure(VirtualMachineError(.guest, error.description)))
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
        guard let execution = state.withLock({ $0.isStdinOver ? nil : $0.execution }) else { return }
        let room = min(agent.stdinRoom(execution), GuestExecution.stdinPiece)
        guard room > 0 else {
            state.withLock(\.watch)?.setInterest([])
            return
        }
        var buffer = [UInt8](repeating: 0, count: room)
        switch FileDescriptor.standardInput.receive(into: &buffer) {
        case .bytes(0), .failed: endStdin()
        case .bytes(let count): agent.writeStdin(execution, buffer[..<count])
        case .wouldBlock: break
        }
    }

    private func watchStdin() {
        let watch = state.withLock { $0.isStdinOver ? nil : $0.watch }
        watch?.setInterest(.readable)
    }

    private func endStdin() {
        stopStdin()
        if let execution = state.withLock(\.execution) { agent.closeStdin(execution) }
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

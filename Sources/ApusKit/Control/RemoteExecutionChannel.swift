// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Synchronization

/// A command in the guest of a machine in another process, over a control connection of its own.
final class RemoteExecutionChannel: ExecutionChannel {
    private struct State {
        var framer = ExecutionFramer()
        var handler: (@Sendable (GuestAgent.ExecutionEvent) -> Void)?
        var room = 0
        var isStdinOver = false
        var isOver = false
    }

    private let link: ControlLink
    private let state = Mutex(State())

    /// A channel over `link`, which has been greeted.
    init(_ link: ControlLink) { self.link = link }

    deinit { link.close() }

    /// Asks the machine for the command; what becomes of it is told after `start`.
    func open(_ command: GuestCommand) async throws(VirtualMachineError) {
        guard try await link.ask(.execute(command)) == .executing else {
            throw .misunderstood
        }
    }

    func start(
        _ command: GuestCommand, _ handler: @escaping @Sendable (GuestAgent.ExecutionEvent) -> Void
    ) throws(VirtualMachineError) {
        state.withLock { $0.handler = handler }
        link.take { [weak self] bytes in
            self?.receive(bytes)
            return bytes.count
        } gone: { [weak self] in
            self?.lose("the machine's process has hung up")
        }
    }

    // MARK: To the machine

    var stdinRoom: Int { state.withLock { $0.isStdinOver ? 0 : $0.room } }

    func writeStdin(_ bytes: ArraySlice<UInt8>) {
        state.withLock { $0.room -= bytes.count }
        var rest = bytes
        while !rest.isEmpty {
            let piece = rest.prefix(ExecutionFrame.limit)
            send(ExecutionFrame(.stdin, piece))
            rest = rest.dropFirst(piece.count)
        }
    }

    func closeStdin() { send(ExecutionFrame(.closeStdin)) }

    func signal(_ number: Int32) { send(ExecutionFrame(.signal, UInt32(bitPattern: number))) }

    func consumed(_ stream: AgentStream, _ count: Int) {
        send(ExecutionFrame(.consumed, byte: UInt8(truncatingIfNeeded: stream.rawValue), UInt32(clamping: count)))
    }

    /// What is under way to the machine is bounded by its windows, which the link has room for.
    private func send(_ frame: ExecutionFrame) { _ = link.write(frame.encoded) }

    // MARK: From the machine, on the link's loop

    private func receive(_ bytes: [UInt8]) {
        state.withLock { $0.framer.append(bytes) }
        while true {
            do throws(VirtualMachineError) {
                let next = try state.withLock { state throws(VirtualMachineError) in try state.framer.next() }
                guard let frame = next else { return }
                hear(frame)
            } catch {
                return lose(error.description)
            }
        }
    }

    private func hear(_ frame: ExecutionFrame) {
        switch frame.kind {
        case .started: tell(.started)
        case .stdout: tell(.output(.stdout, frame.payload))
        case .stderr: tell(.output(.stderr, frame.payload))
        case .stdinRoom:
            let more = Int(frame.number() ?? 0)
            state.withLock { $0.room += more }
            tell(.stdinWritable)
        case .stdinClosed:
            state.withLock { $0.isStdinOver = true }
            tell(.stdinClosed)
        case .ended:
            guard let end = frame.end else { return lose("the machine's process did not say how the command ended") }
            finish(.ended(end))
        case .lost: lose(String(decoding: frame.payload, as: UTF8.self))
        case .stdin, .closeStdin, .signal, .consumed: break
        }
    }

    private func lose(_ reason: String) { finish(.lost(reason)) }

    private func finish(_ event: GuestAgent.ExecutionEvent) {
        let isFirst = state.withLock { state in
            defer { state.isOver = true }
            return !state.isOver
        }
        if isFirst { tell(event) }
    }

    private func tell(_ event: GuestAgent.ExecutionEvent) { state.withLock(\.handler)?(event) }
}

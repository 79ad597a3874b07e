// SPDX-License-Identifier: Apache-2.0

import Host
import Synchronization
import SystemPackage

/// Writes to a descriptor that may block, on a thread of its own. What is queued is bounded by whoever writes: a
/// command's output by the agent's window.
final class StreamWriter: Sendable {
    private struct State {
        var queue: [[UInt8]] = []
        var isClosing = false
        var isIdle = false
        var failure: Errno?
        var closed: CheckedContinuation<Void, Never>?
        var isEnded = false
        var thread: HostThread?
    }

    private let descriptor: FileDescriptor
    private let name: String
    private let gate = WaitGate()
    private let state = Mutex(State())

    init(_ descriptor: FileDescriptor, name: String) {
        self.descriptor = descriptor
        self.name = name
    }

    /// Why writing failed, once it has; what came afterwards was dropped.
    var failure: Errno? { state.withLock(\.failure) }

    /// Begins to write. `written` hears how many bytes of the queue are done with, `failed` of the first failure.
    func start(written: @escaping @Sendable (Int) -> Void, failed: @escaping @Sendable (Errno) -> Void) {
        let thread = try? HostThread(name: name) { self.run(written, failed) }
        state.withLock { state in
            state.thread = thread
            if thread == nil {
                state.failure = .resourceTemporarilyUnavailable
                state.isEnded = true
            }
        }
    }

    /// Queues bytes.
    func write(_ bytes: [UInt8]) {
        state.withLock { $0.queue.append(bytes) }
        gate.wake()
    }

    /// Waits until everything is written, or has failed.
    func close() async {
        await withCheckedContinuation { continuation in
            let isEnded = state.withLock { state in
                state.isClosing = true
                if !state.isEnded { state.closed = continuation }
                return state.isEnded
            }
            if isEnded { continuation.resume() }
            gate.wake()
        }
    }

    private func run(_ written: @Sendable (Int) -> Void, _ failed: @Sendable (Errno) -> Void) {
        while true {
            let (batch, isClosing) = state.withLock { state in
                defer { state.queue = [] }
                return (state.queue, state.isClosing)
            }
            if batch.isEmpty {
                if isClosing { break }
                gate.wait()
                continue
            }
            for bytes in batch {
                if failure == nil, let error = writeAll(bytes) {
                    state.withLock { $0.failure = error }
                    failed(error)
                }
                // After a failure too: the command shall not hang on a reader that is gone.
                written(bytes.count)
            }
        }
        let continuation = state.withLock { state in
            state.isEnded = true
            defer { state.closed = nil }
            return state.closed
        }
        continuation?.resume()
    }

    private func writeAll(_ bytes: [UInt8]) -> Errno? {
        var rest = bytes[...]
        while !rest.isEmpty {
            switch descriptor.transmit(rest) {
            case .bytes(let count): rest = rest.dropFirst(count)
            case .wouldBlock:
                // Someone else made the open file non-blocking: wait as write(2) would have.
                gate.wait(untilMonotonic: MonotonicTime.after(milliseconds: 5))
            case .failed(let error): return error
            }
        }
        return nil
    }
}

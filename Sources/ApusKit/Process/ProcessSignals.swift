// SPDX-License-Identifier: Apache-2.0

import Host

/// Signals of the process as events. Made on the main thread, before anything else runs.
public final class ProcessSignals: Sendable {
    /// What a process that runs a machine is told.
    public enum Signal: Sendable {
        /// SIGTERM, SIGINT, SIGHUP or SIGQUIT, by number.
        case end(Int32)
        /// SIGUSR1: print what the vCPUs do.
        case report
        /// SIGWINCH: the terminal has another size.
        case resized
    }

    private let loop: EventLoop
    private let source: SignalSource
    /// The signals, in order.
    public let signals: AsyncStream<Signal>

    /// Takes over the signals that a run answers to.
    public convenience init() throws(VirtualMachineError) {
        try self.init([.hangUp, .interrupt, .quit, .user1, .terminate, .windowChange])
    }

    /// Takes over the terminal's change of size alone: `resized` is all that comes.
    public static func resizes() throws(VirtualMachineError) -> ProcessSignals { try ProcessSignals([.windowChange]) }

    private init(_ taken: [SignalSource.Signal]) throws(VirtualMachineError) {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Signal.self, bufferingPolicy: .bufferingOldest(64))
        signals = stream
        do {
            loop = try EventLoop(name: "signals")
            source = try SignalSource(taken, on: loop) { signal in
                switch signal {
                case .user1: continuation.yield(.report)
                case .windowChange: continuation.yield(.resized)
                default: continuation.yield(.end(signal.rawValue))
                }
            }
            try loop.start()
        } catch {
            throw VirtualMachineError(.host, error.description)
        }
    }
}

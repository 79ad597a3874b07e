// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
import Synchronization
import SystemPackage

/// Signals of the process as events of an event loop, so that no code runs in a signal handler.
///
/// Make it on the main thread before other threads start: a signal is taken by any thread that does not block it, and
/// threads inherit what is blocked.
public final class SignalSource: Sendable {
    /// What a process can be told by a signal here.
    public enum Signal: CInt, Sendable, CaseIterable {
        case hangUp = 1
        case interrupt = 2
        case quit = 3
        case user1 = 10
        case terminate = 15
        case child = 17
        case windowChange = 28
    }

    private let descriptor: Descriptor
    private let watch: EventLoop.Watch
    private let previous: SignalMask

    /// Blocks `signals` on this thread and calls `handler` on the loop's thread for each that arrives. Equal signals
    /// that arrive close together count once.
    public init(
        _ signals: [Signal], on loop: EventLoop, _ handler: @escaping @Sendable (Signal) -> Void
    ) throws(HostError) {
        previous = SignalMask.block(signals.map(\.rawValue))
        var set = SignalMask.makeSet(signals.map(\.rawValue))
        // SAFETY: reads the local set.
        let number = unsafe signalfd(-1, &set, CInt(SFD_CLOEXEC) | CInt(SFD_NONBLOCK))
        guard number >= 0 else { throw HostError("cannot receive signals", .current) }
        let file = Descriptor(owning: FileDescriptor(rawValue: number))
        let raw = file.raw
        descriptor = file
        watch = try loop.watch(raw, for: .readable) { _ in
            var record = [UInt8](repeating: 0, count: MemoryLayout<signalfd_siginfo>.size)
            while case .bytes(let count) = raw.receive(into: &record), count == record.count {
                // signalfd(2): the signal's number is the first field, 32 bits.
                let number = record[0..<4].reversed().reduce(0) { $0 << 8 | CInt($1) }
                if let signal = Signal(rawValue: number) { handler(signal) }
            }
        }
    }

    deinit {
        watch.cancel()
        previous.restore()
    }

    /// Makes a write to a closed pipe or socket answer EPIPE instead of ending the process.
    public static func ignoreBrokenPipes() {
        _ = signal(SIGPIPE, SIG_IGN)
    }
}

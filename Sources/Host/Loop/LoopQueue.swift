// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
import Synchronization
import SystemPackage

/// Work for an event loop from threads that must not wait, not even for the loop's lock: a vCPU's thread, or the loop
/// of another kind of work. Unlike `EventLoop.post` it takes no lock.
public final class LoopQueue: Sendable {
    private let work = Handoff<@Sendable () -> Void>()
    private let waker: Descriptor
    private let watch = Mutex<EventLoop.Watch?>(nil)

    /// A queue whose work `loop` does, in the order of the posts of each thread.
    public init(_ loop: EventLoop) throws(HostError) {
        let number = eventfd(0, CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK))
        guard number >= 0 else {
            throw HostError("cannot make an eventfd", .current, remedy: "raise the limit on open files (ulimit -n)")
        }
        let made = Descriptor(owning: FileDescriptor(rawValue: number))
        let raw = made.raw
        waker = made
        let watching = try loop.watch(raw, for: .readable) { [weak self] _ in
            var count = [UInt8](repeating: 0, count: 8)
            _ = raw.receive(into: &count)
            self?.run()
        }
        watch.withLock { $0 = watching }
    }

    /// Calls `item` on the loop's thread. Never waits.
    public func post(_ item: @escaping @Sendable () -> Void) {
        guard work.put(item) else { return }
        var one: UInt64 = 1
        // SAFETY: eight bytes of the local. A full counter wakes as well.
        unsafe _ = Glibc.write(waker.number, &one, 8)
    }

    /// No work is done any more but what is under way.
    public func close() {
        watch.withLock { watch in
            defer { watch = nil }
            return watch
        }?.cancel()
    }

    private func run() { for item in work.take() { item() } }
}

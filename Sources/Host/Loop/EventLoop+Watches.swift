// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
public import SystemPackage
import Synchronization

extension EventLoop {
    /// A descriptor's registration. It ends when cancelled, or when it is let go of.
    ///
    /// The loop watches a duplicate of its own, so closing the descriptor before the watch is cancelled is harmless, and
    /// a number that is used again is never confused with the old one.
    public final class Watch: Sendable {
        private let loop: EventLoop
        private let token: UInt64

        init(_ loop: EventLoop, _ token: UInt64) {
            self.loop = loop
            self.token = token
        }

        deinit { loop.cancelWatch(token) }

        /// Waits for `interest` from now on; for an empty set nothing is heard, not even a hang-up, which would
        /// otherwise repeat for as long as nobody reads what came before it. A cancelled watch ignores it.
        public func setInterest(_ interest: Readiness) { loop.setInterest(token, interest) }

        /// Ends the watch. No call begins afterwards; one that is under way on the loop's thread ends by itself
        /// (`EventLoop.barrier()` waits for it).
        public func cancel() { loop.cancelWatch(token) }
    }

    /// Calls `handler` on the loop's thread whenever `descriptor` is ready for one of `interest`, or hung up. A hang-up
    /// repeats until the watch is cancelled. The descriptor's mode (blocking or not) is left alone.
    public func watch(
        _ descriptor: FileDescriptor, for interest: Readiness, _ handler: @escaping @Sendable (Readiness) -> Void
    ) throws(HostError) -> Watch {
        let copy = try Descriptor.duplicating(descriptor.rawValue)
        let number = copy.number
        let token = state.withLock { state in
            defer { state.nextID += 1 }
            return state.nextID
        }
        // epoll refuses what never blocks: regular files and some devices.
        let error = control(EPOLL_CTL_ADD, number, interest, token)
        guard error == nil || error == .notPermitted else {
            throw HostError("cannot watch file descriptor \(descriptor.rawValue)", error)
        }
        _ = copy.take()
        state.withLock {
            $0.watches[token] = WatchRecord(
                descriptor: number, interest: interest, isAlwaysReady: error != nil, handler: handler)
        }
        if error == nil, interest.isEmpty { control(EPOLL_CTL_DEL, number, interest, token) }
        // An event that came before the record is level-triggered and comes again; the always-ready need a round.
        if error != nil { wake() }
        return Watch(self, token)
    }

    fileprivate func setInterest(_ token: UInt64, _ interest: Readiness) {
        let needsRound = state.withLock { state in
            guard let watch = state.watches[token], watch.interest != interest else { return false }
            state.watches[token]?.interest = interest
            if !watch.isAlwaysReady {
                // A hang-up is reported whatever the mask, so a watch at rest leaves the set.
                let operation =
                    watch.interest.isEmpty ? EPOLL_CTL_ADD : interest.isEmpty ? EPOLL_CTL_DEL : EPOLL_CTL_MOD
                control(operation, watch.descriptor, interest, token)
            }
            return watch.isAlwaysReady
        }
        if needsRound { wake() }
    }

    fileprivate func cancelWatch(_ token: UInt64) {
        // The handler may own what cancels, so it is let go of outside the lock.
        let record = state.withLock { state in
            let record = state.watches.removeValue(forKey: token)
            if let record, !record.isAlwaysReady, !record.interest.isEmpty {
                control(EPOLL_CTL_DEL, record.descriptor, [], token)
            }
            if let record { close(record.descriptor) }
            return record
        }
        withExtendedLifetime(record) {}
    }
}

extension EventLoop {
    /// A deadline's registration; letting go of it does not cancel it.
    public struct Timer: Sendable, Hashable {
        let id: UInt64
    }

    /// Calls `work` once on the loop's thread, at `deadline` nanoseconds of `MonotonicTime` or as soon as possible after.
    @discardableResult
    public func schedule(at deadline: UInt64, _ work: @escaping @Sendable () -> Void) -> Timer {
        let (id, isEarliest) = state.withLock { state in
            let id = state.timers.insert(deadline, work)
            return (id, deadline < state.armed)
        }
        if isEarliest, !isOnLoop { wake() }
        return Timer(id: id)
    }

    /// Takes back a deadline; false where it has been called or is being called.
    @discardableResult
    public func cancel(_ timer: Timer) -> Bool {
        state.withLock { $0.timers.remove(timer.id) }
    }
}

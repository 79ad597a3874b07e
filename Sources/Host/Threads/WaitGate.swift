// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
import Synchronization

/// Where one thread sleeps until another wakes it or a deadline passes: a vCPU in `wfi`.
///
/// A wake-up is never lost: one that comes before the sleep ends it at once. Many wake-ups before one sleep count once.
@safe
public final class WaitGate: Sendable {
    private static let idle: UInt32 = 0
    private static let woken: UInt32 = 1
    private static let sleeping: UInt32 = 2

    // SAFETY: one word, allocated in init, freed in deinit, accessed atomically; the futex needs its address.
    private nonisolated(unsafe) let word: UnsafeMutablePointer<Atomic<UInt32>>

    /// A gate at which nobody sleeps.
    public init() {
        unsafe word = .allocate(capacity: 1)
        unsafe word.initialize(to: Atomic(Self.idle))
    }

    deinit {
        // SAFETY: allocated in init; no thread can be at a gate that is gone.
        unsafe word.deinitialize(count: 1)
        unsafe word.deallocate()
    }

    /// Sleeps until `wake()`, or until `deadline` nanoseconds of `MonotonicTime`; true if woken. One thread at a time.
    @discardableResult
    public func wait(untilMonotonic deadline: UInt64? = nil) -> Bool {
        // SAFETY: see `word`; so for all uses below.
        let state = unsafe word
        if unsafe state.pointee.exchange(Self.idle, ordering: .acquiring) == Self.woken { return true }
        let announced = unsafe state.pointee.compareExchange(
            expected: Self.idle, desired: Self.sleeping, ordering: .acquiring)
        if announced.exchanged {
            repeat {
                let reason = unsafe chost_futex_wait(
                    UnsafeRawPointer(state).assumingMemoryBound(to: UInt32.self), Self.sleeping, deadline ?? .max)
                if reason == ETIMEDOUT { break }
            } while unsafe state.pointee.load(ordering: .relaxed) == Self.sleeping
        }
        return unsafe state.pointee.exchange(Self.idle, ordering: .acquiring) == Self.woken
    }

    /// Wakes the thread at the gate, or makes its next `wait` return at once. From any thread.
    public func wake() {
        // SAFETY: see `word`.
        if unsafe word.pointee.exchange(Self.woken, ordering: .releasing) == Self.sleeping {
            unsafe chost_futex_wake(UnsafeRawPointer(word).assumingMemoryBound(to: UInt32.self), 1)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import CGuestAtomics

/// How other threads reach a running vCPU: one cache line of its own at the end of the vCPU's state.
///
/// Layout, in bytes: 0 `UInt64` requests (zero means nothing to do: all that an engine's loop looks at);
/// 8 `UInt64` the levels of the interrupt lines into the vCPU, in the architecture's own bit numbers.
/// Whoever posts a request also wakes the vCPU's thread, should it sleep.
@safe
public struct Mailbox: Sendable {
    /// What another thread may ask for.
    public struct Requests: OptionSet, Sendable {
        public let rawValue: UInt64
        @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }
        /// Leave the engine with `VMExit.requested` and stay out until the thread is let go.
        @inlinable public static var stop: Requests { Requests(rawValue: 1) }
        /// The interrupt lines, or a timer of the vCPU's own, changed: look at what is pending.
        @inlinable public static var interrupt: Requests { Requests(rawValue: 2) }
        /// Forget all cached translations (a remote TLB shootdown).
        @inlinable public static var flushTranslations: Requests { Requests(rawValue: 4) }
        /// Fetch instructions anew (a remote instruction-cache flush).
        @inlinable public static var flushInstructions: Requests { Requests(rawValue: 8) }
        /// A page got a mark in the write hook: forget what is cached as writable.
        @inlinable public static var forgetWrites: Requests { Requests(rawValue: 16) }
        /// The time counter was set: arm the vCPU's own timer anew.
        @inlinable public static var timeMoved: Requests { Requests(rawValue: 32) }
    }

    /// The size in bytes: a cache line.
    public static var size: Int { 64 }

    // SAFETY: 64 aligned bytes that the vCPU's state owns; whoever holds a mailbox holds the vCPU. Atomic accesses only.
    nonisolated(unsafe) let base: UnsafeMutableRawPointer

    /// The mailbox in 64 zeroed bytes at `base`, aligned to 64, which outlive it.
    public init(at base: UnsafeMutableRawPointer) {
        // SAFETY: stored; the caller's promise is the rest.
        unsafe self.base = base
    }

    /// Where the requests lie, for an engine's loop and for generated code.
    public var requestsAddress: UnsafeMutableRawPointer { unsafe base }  // SAFETY: handed on, not dereferenced.

    /// Whether anything is asked. Relaxed: the loop that reads it will read it again.
    @inlinable @inline(__always)
    public var isEmpty: Bool { requestBits == 0 }

    // SAFETY: within the 64 bytes, aligned, atomic; so for all that follow.
    @usableFromInline var requestBits: UInt64 { unsafe ga_load_64(base) }

    /// Asks for `requests`. Full fence: what the caller wrote before is seen by who takes them.
    public func post(_ requests: Requests) {
        // SAFETY: see `base`.
        _ = unsafe ga_fetch_or_64(base, requests.rawValue)
    }

    /// Takes all that was asked, leaving none. Full fence.
    public func take() -> Requests {
        // SAFETY: see `base`.
        Requests(rawValue: unsafe ga_exchange_64(base, 0))
    }

    /// What is asked and not yet taken. Relaxed.
    public var pending: Requests { Requests(rawValue: requestBits) }

    /// Takes back a request, if it is still there.
    public func withdraw(_ requests: Requests) {
        // SAFETY: see `base`.
        _ = unsafe ga_fetch_and_64(base, ~requests.rawValue)
    }

    /// The levels of the interrupt lines, bit n for line n of the architecture.
    public var lines: UInt64 {
        // SAFETY: see `base`.
        unsafe ga_load_acquire_64(base + 8)
    }

    /// Drives line `bit`; true if its level changed, in which case `interrupt` was posted too.
    @discardableResult
    public func setLine(_ bit: Int, level: Bool) -> Bool {
        let mask = UInt64(1) << UInt64(bit)
        // SAFETY: see `base`.
        let before = unsafe level ? ga_fetch_or_64(base + 8, mask) : ga_fetch_and_64(base + 8, ~mask)
        guard (before & mask != 0) != level else { return false }
        post(.interrupt)
        return true
    }
}

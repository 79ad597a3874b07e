// SPDX-License-Identifier: Apache-2.0

public import Host

/// How much a device may move: a rate for each unit that is limited, and how much may go at once after a rest.
public struct RateLimits: Equatable, Sendable {
    /// A rate, and what may go at once after a rest.
    public struct Rate: Equatable, Sendable {
        public var perSecond: UInt64
        public var burst: UInt64

        /// `perSecond` units, at least one; `burst` is what a tenth of a second brings unless told.
        public init(perSecond: UInt64, burst: UInt64? = nil) {
            precondition(perSecond > 0, "a rate of nothing would hold requests for ever")
            self.perSecond = perSecond
            self.burst = max(1, burst ?? perSecond / 10)
        }
    }

    /// Bytes of data.
    public var bytes: Rate?
    /// Requests of a disk, frames of a network.
    public var operations: Rate?

    /// Limits of what is given; no limit of what is not.
    public init(bytes: Rate? = nil, operations: Rate? = nil) {
        self.bytes = bytes
        self.operations = operations
    }

    var isNone: Bool { bytes == nil && operations == nil }
}

/// What a limit did.
public struct LimitCounts: Equatable, Sendable {
    /// Requests or frames that had to wait.
    public var delayed: UInt64 = 0
    /// How long they waited, together.
    public var delayNanoseconds: UInt64 = 0

    /// Nothing waited yet.
    public init() {}
}

/// The time by which limits are kept, and calls at a later time.
public struct LimitTimer: Sendable {
    let now: @Sendable () -> UInt64
    let schedule: @Sendable (_ deadline: UInt64, _ work: @escaping @Sendable () -> Void) -> Void

    /// `now` in nanoseconds; `schedule` calls its work once, at or after the deadline, on any thread, never at once.
    public init(
        now: @escaping @Sendable () -> UInt64,
        schedule: @escaping @Sendable (_ deadline: UInt64, _ work: @escaping @Sendable () -> Void) -> Void
    ) {
        self.now = now
        self.schedule = schedule
    }

    /// The host's monotonic clock and the timers of `loop`.
    public init(_ loop: EventLoop) {
        self.init(now: { MonotonicTime.now }, schedule: { deadline, work in loop.schedule(at: deadline, work) })
    }
}

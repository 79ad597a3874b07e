// SPDX-License-Identifier: Apache-2.0

/// A bucket that fills at a rate up to its burst. A request goes when there is enough for it; one larger than the burst
/// goes when the bucket is full, and leaves a debt that the rate pays before the next one. So no request waits for
/// ever, and over time no more than the rate goes.
///
/// The level is kept as one moment, at which the bucket is full again (the generic cell rate algorithm, ITU-T I.371
/// annex A.1).
struct TokenBucket {
    let rate: RateLimits.Rate
    /// When the bucket is full; in the past while it is.
    private var fullAt: UInt64 = 0
    /// Nanoseconds from empty to full.
    private let span: UInt64

    /// A bucket that is full, or with `emptyAt` one that is empty at that time.
    init(_ rate: RateLimits.Rate, emptyAt now: UInt64? = nil) {
        self.rate = rate
        span = Self.nanoseconds(rate.burst, at: rate.perSecond)
        if let now { fullAt = now.saturatingAdd(span) }
    }

    /// The first moment at which a request of `cost` may go.
    func readyAt(for cost: UInt64) -> UInt64 {
        let moment = fullAt.saturatingAdd(Self.nanoseconds(min(cost, rate.burst), at: rate.perSecond))
        return moment < span ? 0 : moment - span
    }

    /// Takes `cost` out at `now`.
    mutating func take(_ cost: UInt64, at now: UInt64) {
        fullAt = max(fullAt, now).saturatingAdd(Self.nanoseconds(cost, at: rate.perSecond))
    }

    /// How long `cost` takes, rounded up; saturates.
    private static func nanoseconds(_ cost: UInt64, at perSecond: UInt64) -> UInt64 {
        let (high, low) = cost.multipliedFullWidth(by: 1_000_000_000)
        guard high < perSecond else { return .max }
        let (quotient, remainder) = perSecond.dividingFullWidth((high, low))
        return remainder == 0 ? quotient : quotient.saturatingAdd(1)
    }
}

/// The buckets of one direction of a device.
struct RateLimiter {
    private var bytes: TokenBucket?
    private var operations: TokenBucket?

    /// Buckets for `limits`; with `emptyAt` they start empty, so that a change of limits gives nothing away.
    init(_ limits: RateLimits, emptyAt now: UInt64? = nil) {
        bytes = limits.bytes.map { TokenBucket($0, emptyAt: now) }
        operations = limits.operations.map { TokenBucket($0, emptyAt: now) }
    }

    /// The first moment at which a request of `count` bytes may go.
    func readyAt(bytes count: UInt64) -> UInt64 {
        max(bytes?.readyAt(for: count) ?? 0, operations?.readyAt(for: 1) ?? 0)
    }

    /// Pays for a request of `count` bytes that goes at `now`.
    mutating func pay(bytes count: UInt64, at now: UInt64) {
        bytes?.take(count, at: now)
        operations?.take(1, at: now)
    }
}

extension UInt64 {
    fileprivate func saturatingAdd(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}

// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Backends

@Suite struct TokenBucketTests {
    private static let start: UInt64 = 1 << 40

    /// How many takings of `cost` go between `start` and `end`, each as soon as it may.
    private func takings(_ bucket: inout TokenBucket, of cost: UInt64, from start: UInt64, to end: UInt64) -> Int {
        var (count, now) = (0, start)
        while true {
            now = max(now, bucket.readyAt(for: cost))
            guard now <= end else { return count }
            bucket.take(cost, at: now)
            count += 1
        }
    }

    @Test("after a rest the burst goes at once, and then what the rate brings")
    func burst() {
        var bucket = TokenBucket(RateLimits.Rate(perSecond: 1000, burst: 50))
        #expect(takings(&bucket, of: 1, from: Self.start, to: Self.start) == 50)
        #expect(takings(&bucket, of: 1, from: Self.start, to: Self.start + 10 * .millisecond) == 10)
        #expect(takings(&bucket, of: 1, from: Self.start + .second, to: Self.start + .second) == 50)
    }

    @Test(
        "over ten seconds no more goes than the rate and a burst, and no less than the rate",
        arguments: [
            // The rate, its burst, the cost of each: small, equal, larger than the burst, larger than the rate.
            (1000, 100, 1), (1_000_000, 100_000, 512), (1_000_000, 1, 65_536), (10_000, 4096, 100_000),
            (7, 3, 1), (1 << 40, 1 << 30, 1 << 20), (3, 1, 1),
        ] as [(UInt64, UInt64, UInt64)])
    func rate(perSecond: UInt64, burst: UInt64, cost: UInt64) {
        var bucket = TokenBucket(RateLimits.Rate(perSecond: perSecond, burst: burst))
        let end = Self.start + 10 * .second
        let moved = UInt64(takings(&bucket, of: cost, from: Self.start, to: end)) * cost
        #expect(moved <= perSecond * 10 + burst + cost)
        // Each wait is rounded up to a nanosecond, and the last one may not be over.
        #expect(moved + cost >= perSecond * 10 - perSecond / 100)
    }

    @Test("a request larger than the burst goes, and the next one waits until it is paid for")
    func debt() {
        var bucket = TokenBucket(RateLimits.Rate(perSecond: 1000, burst: 10), emptyAt: Self.start)
        #expect(bucket.readyAt(for: 1) == Self.start + .millisecond)
        #expect(bucket.readyAt(for: 5000) == Self.start + 10 * .millisecond)
        bucket.take(5000, at: Self.start + 10 * .millisecond)
        #expect(bucket.readyAt(for: 1) == Self.start + 5 * .second + .millisecond)
    }

    @Test("no cost and no rate overflows")
    func extremes() {
        var slow = TokenBucket(RateLimits.Rate(perSecond: 1, burst: .max))
        slow.take(.max, at: .max)
        #expect(slow.readyAt(for: 1) <= .second)
        var fast = TokenBucket(RateLimits.Rate(perSecond: .max, burst: 1))
        fast.take(1, at: Self.start)
        #expect(fast.readyAt(for: 1) <= Self.start + 2)
        var plain = TokenBucket(RateLimits.Rate(perSecond: 1))
        plain.take(.max, at: Self.start)
        #expect(plain.readyAt(for: 1) > 1 << 60)
    }

    @Test("the burst is a tenth of a second's, and at least one, unless told", arguments: [(500, 50), (3, 1)])
    func standardBurst(perSecond: UInt64, burst: UInt64) {
        #expect(RateLimits.Rate(perSecond: perSecond).burst == burst)
    }
}

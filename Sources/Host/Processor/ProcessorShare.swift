// SPDX-License-Identifier: Apache-2.0

/// A guest's part of CPUs that several guests want: who has had more than its part waits while those that had less
/// would fill the CPUs.
///
/// Each guest has a virtual time: its CPU time by its shares. The rule that each of them follows on its own, from what
/// the others say of themselves: let those who are behind me have CPUs first; if none is left for a vCPU of mine, it
/// waits. Nobody waits while there are CPUs for all, and a guest that does not want to run holds nobody up. There is a
/// grain of tolerance, so that two guests do not both wait for each other.
struct ProcessorShare {
    /// Another guest, as it describes itself.
    struct Contender {
        var virtualTime: UInt64
        var shares: Int
        /// vCPUs that run, or would but for the others.
        var wanting: Int
        var cpus: CPUSet
    }

    /// What a look led to.
    struct Outcome: Equatable {
        /// How many of the vCPUs that want to run may.
        var running: Int
        /// Whether there are more vCPUs that want to run than CPUs.
        var isContended: Bool
    }

    /// How far a guest may be ahead, in nanoseconds of CPU time, and how often it looks.
    static let grain: UInt64 = 5_000_000
    /// How far one that slept may be behind when it wakes: what it did not want is not owed to it.
    static let credit: UInt64 = 20_000_000
    /// Nobody waits for longer than this before it gets a grain, whatever others say of themselves.
    static let patience: UInt64 = 1_000_000_000

    private(set) var virtualTime: UInt64 = 0
    /// CPU time by shares that is less than a nanosecond of virtual time.
    private var remainder: UInt64 = 0
    private var wanted = false
    /// When the last vCPU was held, or last got its grain.
    private var heldSince: UInt64?

    /// Counts `nanoseconds` of CPU time.
    mutating func charge(_ nanoseconds: UInt64, shares: Int) {
        let scaled = nanoseconds &* UInt64(ProcessorLimits.defaultShares) &+ remainder
        virtualTime &+= scaled / UInt64(shares)
        remainder = scaled % UInt64(shares)
    }

    /// Decides for `wanting` vCPUs on `cpus` beside `others`.
    mutating func decide(
        wanting: Int, shares: Int, cpus: CPUSet, quota: Int, others: [Contender], now: UInt64
    ) -> Outcome {
        guard wanting > 0 else {
            wanted = false
            heldSince = nil
            return Outcome(running: 0, isContended: false)
        }
        if !wanted { wake(shares, others) }
        wanted = true

        let all = others.filter { $0.wanting > 0 && !$0.cpus.isDisjoint(with: cpus) }
        for other in all { limitClaim(on: other, shares) }
        // Those who are behind first, then this one, then who is ahead: it finds room or not without them.
        let behind = all.filter { Self.distance(virtualTime, $0.virtualTime) > Self.tolerance(shares, $0.shares) }
        var matching = CPUMatching(quota: quota)
        for other in behind { _ = matching.add(other.wanting, on: other.cpus) }
        let running = matching.add(wanting, on: cpus)
        let isContended = running < wanting || all.count > behind.count && !Self.fits(all, wanting, cpus, quota)
        if !isContended {
            // There was room for all: nobody owes anything, however much more the others have had.
            for other in all where Self.distance(other.virtualTime, virtualTime) > 0 { virtualTime = other.virtualTime }
        }
        return Outcome(running: bounded(running, now), isContended: isContended)
    }

    /// What it did not want while it slept is not owed to it.
    private mutating func wake(_ shares: Int, _ others: [Contender]) {
        let times = others.lazy.filter { $0.wanting > 0 }.map(\.virtualTime)
        guard var floor = times.first else { return }
        for time in times where Self.distance(floor, time) > 0 { floor = time }
        floor &-= Self.credit * UInt64(ProcessorLimits.defaultShares) / UInt64(shares)
        if Self.distance(floor, virtualTime) > 0 { virtualTime = floor }
    }

    /// Guests that compete stay within a few grains of each other. A larger claim comes of times in which they did not.
    private mutating func limitClaim(on other: Contender, _ shares: Int) {
        let most = 10 * Self.tolerance(shares, other.shares)
        if Self.distance(other.virtualTime, virtualTime) > most { virtualTime = other.virtualTime &- UInt64(most) }
    }

    /// Others' words do not keep a guest standing for ever.
    private mutating func bounded(_ running: Int, _ now: UInt64) -> Int {
        guard running == 0 else {
            heldSince = nil
            return running
        }
        guard let since = heldSince else {
            heldSince = now
            return 0
        }
        guard now &- since >= Self.patience else { return 0 }
        heldSince = nil
        return 1
    }

    private static func fits(_ others: [Contender], _ wanting: Int, _ cpus: CPUSet, _ quota: Int) -> Bool {
        var matching = CPUMatching(quota: quota)
        return others.allSatisfy { matching.add($0.wanting, on: $0.cpus) == $0.wanting }
            && matching.add(wanting, on: cpus) == wanting
    }

    /// How far `time` is ahead of `other`; both wrap.
    private static func distance(_ time: UInt64, _ other: UInt64) -> Int64 { Int64(bitPattern: time &- other) }

    /// A grain of the one with fewer shares, in virtual time: its steps are the larger ones.
    private static func tolerance(_ shares: Int, _ other: Int) -> Int64 {
        Int64(grain) * Int64(ProcessorLimits.defaultShares) / Int64(min(shares, other))
    }
}

// SPDX-License-Identifier: Apache-2.0

/// A limit on CPU time: so much in each period, then the vCPUs wait for the next one.
///
/// What a period did not use is lost, what it used too much is taken from those that follow: over time the cap holds to
/// the nanosecond, however late its governor looks.
struct ProcessorCap: Equatable {
    /// That of cgroup v2's `cpu.max`, so that both mechanisms feel the same in the guest.
    static let period: UInt64 = 100_000_000
    /// The least time between two looks.
    private static let step: UInt64 = 500_000
    /// More than all CPUs of a host use between two looks.
    private static let most: UInt64 = 1 << 60

    /// Hundredths of one CPU.
    let percent: Int
    private var start: UInt64
    private var left: Int64

    /// Begins its first period at `now`.
    init(percent: Int, now: UInt64) {
        self.percent = percent
        start = now
        left = Self.amount(percent)
    }

    private static func amount(_ percent: Int) -> Int64 { Int64(percent) * Int64(period) / 100 }

    /// Counts `used` nanoseconds of CPU time up to `now`; whether vCPUs may run.
    mutating func allows(now: UInt64, used: UInt64) -> Bool {
        left = max(left - Int64(min(used, Self.most)), -Int64(Self.most))
        let periods = now > start ? (now - start) / Self.period : 0
        if periods > 0 {
            start += periods * Self.period
            let amount = Self.amount(percent)
            let (gain, overflow) = amount.multipliedReportingOverflow(by: Int64(clamping: periods))
            left = overflow || gain >= amount - left ? amount : left + gain
        }
        return left > 0
    }

    /// When to look again: where `running` vCPUs may have used up what is left, or where the next period begins.
    func deadline(now: UInt64, running: Int) -> UInt64 {
        guard left > 0 else { return start + Self.period }
        guard running > 0 else { return .max }
        return now + max(Self.step, UInt64(left) / UInt64(running))
    }
}

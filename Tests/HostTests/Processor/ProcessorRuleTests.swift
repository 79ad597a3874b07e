// SPDX-License-Identifier: Apache-2.0

@testable import Host
import Testing

/// What guests get of a host whose scheduler gives every thread the same.
@Suite struct ProcessorRuleTests {
    private static func share(_ shares: Int, on cpus: CPUSet = CPUSet([0]), processors: Int = 1)
        -> SimulatedHost.Guest
    {
        SimulatedHost.Guest(ProcessorLimits(shares: shares), cpus: cpus, processors: processors)
    }

    /// Parts of a second each, in hundredths.
    private static func percent(_ times: [UInt64], of seconds: UInt64) -> [Double] {
        times.map { Double($0) / Double(seconds) / 1e7 }
    }

    @Test(
        "guests on one CPU get it by their shares, all of it",
        arguments: [[1, 3], [100, 300], [100, 100], [50, 100, 350], [1, 10_000], [10_000, 10_000]])
    func oneCPU(shares: [Int]) {
        var host = SimulatedHost(shares.map { Self.share($0) })
        _ = host.run(milliseconds: 1000)
        let parts = Self.percent(host.run(milliseconds: 10_000), of: 10)
        #expect(parts.reduce(0, +) > 98)
        let all = Double(shares.reduce(0, +))
        #expect(zip(parts, shares).allSatisfy { part, share in abs(part - Double(share) / all * 100) < 1.5 })
    }

    @Test("CPUs for all vCPUs are used whole, whatever the shares")
    func uncontended() {
        var host = SimulatedHost([Self.share(1, on: CPUSet([0, 1])), Self.share(1000, on: CPUSet([0, 1]))])
        #expect(Self.percent(host.run(milliseconds: 2000), of: 2) == [100, 100])
    }

    @Test("guests of two vCPUs share two CPUs")
    func pairs() {
        let both = CPUSet([0, 1])
        var host = SimulatedHost([
            Self.share(100, on: both, processors: 2), Self.share(300, on: both, processors: 2),
        ])
        _ = host.run(milliseconds: 1000)
        let parts = Self.percent(host.run(milliseconds: 5000), of: 5)
        #expect(abs(parts[0] - 50) < 5)
        #expect(abs(parts[1] - 150) < 5)
    }

    @Test("a guest that cannot use its part leaves the rest to the others")
    func bounded() {
        // By shares the second would have 1.2 CPUs of two, and it has one vCPU.
        let both = CPUSet([0, 1])
        var host = SimulatedHost([Self.share(100, on: both), Self.share(300, on: both), Self.share(100, on: both)])
        _ = host.run(milliseconds: 1000)
        let parts = Self.percent(host.run(milliseconds: 5000), of: 5)
        #expect(parts.reduce(0, +) > 190)
        #expect(parts[1] > 90)
        #expect(abs(parts[0] - parts[2]) < 5)
    }

    @Test("guests on different CPUs do not hold each other up")
    func apart() {
        var host = SimulatedHost([Self.share(1, on: CPUSet([0])), Self.share(1000, on: CPUSet([1]))])
        #expect(Self.percent(host.run(milliseconds: 1000), of: 1) == [100, 100])
    }

    @Test("who may also run elsewhere leaves the CPU to who may not")
    func overlapping() {
        var host = SimulatedHost([
            Self.share(100, on: CPUSet([0])), Self.share(100, on: CPUSet([0, 1])), Self.share(100, on: CPUSet([1])),
        ])
        _ = host.run(milliseconds: 1000)
        let parts = Self.percent(host.run(milliseconds: 5000), of: 5)
        #expect(parts.reduce(0, +) > 190)
        // The simulated scheduler moves no thread to a better place, so that not all have their two thirds.
        #expect(parts.allSatisfy { $0 > 45 }, "\(parts)")
    }

    @Test("a guest that sleeps is owed nothing, and the other has all meanwhile")
    func sleeper() {
        var host = SimulatedHost([
            Self.share(100),
            SimulatedHost.Guest(ProcessorLimits(shares: 300), cpus: CPUSet([0])) { [$0 > 6_000_000_000] },
        ])
        let alone = Self.percent(host.run(milliseconds: 5000), of: 5)
        #expect(alone == [100, 0])
        let first = Self.percent(host.run(milliseconds: 1000), of: 1)
        #expect(first[0] > 15)
        #expect(first[1] > 65)
    }

    @Test("shares that change count from then on, and the past does not")
    func change() {
        var host = SimulatedHost([Self.share(100), Self.share(300)])
        _ = host.run(milliseconds: 3000)
        host.guests[0].rule.change(ProcessorLimits(shares: 900), now: host.now)
        _ = host.run(milliseconds: 500)
        let parts = Self.percent(host.run(milliseconds: 4000), of: 4)
        #expect(abs(parts[0] - 75) < 2)
    }

    @Test("long unequal use of free CPUs is not held against anyone")
    func history() {
        let both = CPUSet([0, 1])
        var host = SimulatedHost([
            Self.share(1, on: both), Self.share(100, on: both),
            SimulatedHost.Guest(ProcessorLimits(shares: 1), cpus: both) { [$0 > 21_000_000_000] },
        ])
        _ = host.run(milliseconds: 20_000)
        let parts = Self.percent(host.run(milliseconds: 10_000), of: 10)
        #expect(abs(parts[0] - 50) < 5)
        #expect(abs(parts[2] - 50) < 5)
    }

    @Test("a cap holds over all vCPUs", arguments: [1, 25, 50, 100, 150])
    func cap(percent: Int) {
        var host = SimulatedHost([
            SimulatedHost.Guest(ProcessorLimits(cap: percent), cpus: CPUSet([0, 1]), processors: 2)
        ])
        let parts = Self.percent(host.run(milliseconds: 10_000), of: 10)
        #expect(abs(parts[0] - Double(percent)) < 1)
    }

    @Test("what a capped guest leaves is the other's, whatever their shares")
    func capAndShares() {
        var host = SimulatedHost([
            SimulatedHost.Guest(ProcessorLimits(shares: 900, cap: 20), cpus: CPUSet([0])), Self.share(100),
        ])
        let parts = Self.percent(host.run(milliseconds: 10_000), of: 10)
        #expect(abs(parts[0] - 20) < 1)
        #expect(parts[1] > 78)
    }

    @Test("a cap that is lifted is gone")
    func uncapped() {
        var host = SimulatedHost([SimulatedHost.Guest(ProcessorLimits(cap: 10), cpus: CPUSet([0]))])
        _ = host.run(milliseconds: 1000)
        host.guests[0].rule.change(ProcessorLimits(), now: host.now)
        host.guests[0].decision.next = 0
        #expect(Self.percent(host.run(milliseconds: 1000), of: 1) == [100])
    }

    @Test("where nothing is limited nobody looks again")
    func idle() {
        var rule = ProcessorRule(limits: ProcessorLimits(), processors: 1)
        let decision = rule.look(
            [ProcessorRule.Reading(cpuTime: 5, isWanting: true)],
            ProcessorRule.Surroundings(now: 1, cpus: CPUSet([0]), quota: .max, others: [], canContend: false))
        #expect(decision == ProcessorRule.Decision(isHeld: [false], wanting: 0, next: nil, listens: false))
    }

    @Test("a limited guest that sleeps waits for its vCPUs alone")
    func asleep() {
        var rule = ProcessorRule(limits: ProcessorLimits(cap: 10), processors: 1)
        let decision = rule.look(
            [ProcessorRule.Reading(cpuTime: 5, isWanting: false)],
            ProcessorRule.Surroundings(now: 1, cpus: CPUSet([0]), quota: .max, others: [], canContend: true))
        #expect(decision == ProcessorRule.Decision(isHeld: [false], wanting: 0, next: nil, listens: true))
    }

    @Test("a guest that lies about its virtual time keeps nobody standing")
    func liar() {
        let liar = ProcessorShare.Contender(
            virtualTime: 0 &- (1 << 62), shares: 10_000, wanting: 64, cpus: CPUSet(0..<64))
        var rule = ProcessorRule(limits: ProcessorLimits(), processors: 1)
        var (cpuTime, isHeld) = (UInt64(0), false)
        for tick in 1...2000 as ClosedRange<UInt64> {
            cpuTime += isHeld ? 0 : 5_000_000
            isHeld =
                rule.look(
                    [ProcessorRule.Reading(cpuTime: cpuTime, isWanting: true)],
                    ProcessorRule.Surroundings(
                        now: tick * 5_000_000, cpus: CPUSet([0]), quota: .max, others: [liar], canContend: true)
                ).isHeld[0]
        }
        // A grain in each second of ten.
        #expect(cpuTime >= 9 * 5_000_000)
    }
}

@Suite struct ProcessorCapTests {
    /// What `cap` answers to uses of CPU time up to moments, both in milliseconds.
    private static func answers(_ cap: ProcessorCap, _ looks: [(now: UInt64, used: UInt64)]) -> [Bool] {
        var cap = cap
        return looks.map { cap.allows(now: $0.now * 1_000_000, used: $0.used * 1_000_000) }
    }

    @Test("a governor that comes late takes the excess from later periods")
    func late() {
        // 30 ms too much: three periods pass.
        #expect(
            Self.answers(
                ProcessorCap(percent: 10, now: 0), [(5, 5), (40, 35), (100, 0), (200, 0), (300, 0), (400, 0)])
                == [true, false, false, false, false, true])
    }

    @Test("what is not used is not saved up")
    func unused() {
        #expect(Self.answers(ProcessorCap(percent: 10, now: 0), [(60_000, 0), (60_010, 10)]) == [true, false])
    }

    @Test("a clock that jumps, or a use beyond all measure, overflows nothing", arguments: [0, 1, UInt64.max])
    func extremes(value: UInt64) {
        var cap = ProcessorCap(percent: 102_400, now: value)
        _ = cap.allows(now: .max, used: value)
        let isAllowed = cap.allows(now: .max, used: .max)
        #expect(!isAllowed)
    }
}

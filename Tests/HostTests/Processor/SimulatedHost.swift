// SPDX-License-Identifier: Apache-2.0

@testable import Host

/// A host whose scheduler gives each CPU's time in equal parts to the threads on it, and guests that follow their rule
/// on it: what governors do, without clocks and threads.
struct SimulatedHost {
    struct Guest {
        var rule: ProcessorRule
        var cpus: CPUSet
        let numbers: [Int]
        /// Which vCPUs want to run at a time.
        var wants: @Sendable (UInt64) -> [Bool]
        var cpuTime: [UInt64]
        var decision: ProcessorRule.Decision
        /// What it told the others last.
        var told = ProcessorShare.Contender(virtualTime: 0, shares: 100, wanting: 0, cpus: CPUSet())

        init(
            _ limits: ProcessorLimits, cpus: CPUSet, processors: Int = 1,
            wants: (@Sendable (UInt64) -> [Bool])? = nil
        ) {
            rule = ProcessorRule(limits: limits, processors: processors)
            self.cpus = cpus
            numbers = cpus.numbers
            let always = [Bool](repeating: true, count: processors)
            self.wants = wants ?? { _ in always }
            cpuTime = [UInt64](repeating: 0, count: processors)
            decision = ProcessorRule.Decision(
                isHeld: always.map { _ in false }, wanting: 0, next: 0, listens: true)
        }

        var total: UInt64 { cpuTime.reduce(0, +) }
    }

    static let step: UInt64 = 500_000
    var guests: [Guest]
    private(set) var now: UInt64 = 1_000_000_000

    init(_ guests: [Guest]) { self.guests = guests }

    /// Runs for so long; the CPU time of each guest meanwhile.
    mutating func run(milliseconds: UInt64) -> [UInt64] {
        let before = guests.map(\.total)
        let end = now + milliseconds * 1_000_000
        while now < end {
            for index in guests.indices { look(index) }
            spend()
            now += Self.step
        }
        return zip(guests, before).map { $0.total - $1 }
    }

    private mutating func look(_ index: Int) {
        let wants = guests[index].wants(now)
        let wakes = guests[index].decision.listens && wants.contains(true)
        guard wakes || guests[index].decision.next.map({ $0 <= now }) == true else { return }
        let others = guests.indices.filter { $0 != index }.map { guests[$0].told }
        let readings = zip(guests[index].cpuTime, wants).map {
            ProcessorRule.Reading(cpuTime: $0, isWanting: $1)
        }
        guests[index].decision = guests[index].rule.look(
            readings,
            ProcessorRule.Surroundings(
                now: now, cpus: guests[index].cpus, quota: .max, others: others, canContend: !others.isEmpty))
        guests[index].told = ProcessorShare.Contender(
            virtualTime: guests[index].rule.share.virtualTime, shares: guests[index].rule.limits.shares,
            wanting: guests[index].decision.wanting, cpus: guests[index].cpus)
    }

    /// One step of the host's scheduler: each thread, in turn, goes to the CPU of its set with the fewest threads.
    private mutating func spend() {
        var loads: [Int: Int] = [:]
        var places: [(guest: Int, processor: Int, cpu: Int)] = []
        for index in guests.indices {
            for (processor, wants) in guests[index].wants(now).enumerated()
            where wants && !guests[index].decision.isHeld[processor] {
                let cpu = guests[index].numbers.min { (loads[$0] ?? 0, $0) < (loads[$1] ?? 0, $1) } ?? 0
                loads[cpu, default: 0] += 1
                places.append((index, processor, cpu))
            }
        }
        for place in places {
            guests[place.guest].cpuTime[place.processor] += Self.step / UInt64(loads[place.cpu] ?? 1)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

/// What a governor decides at each look, without its thread and its clocks.
struct ProcessorRule {
    /// One vCPU's thread.
    struct Reading {
        /// Nanoseconds of CPU so far; nil where there is no thread.
        var cpuTime: UInt64?
        var isWanting: Bool
    }

    /// What surrounds the guest.
    struct Surroundings {
        var now: UInt64
        /// Where the guest's vCPUs may run, and how many CPUs' worth of time there is for all.
        var cpus: CPUSet
        var quota: Int
        var others: [ProcessorShare.Contender]
        /// Whether all vCPUs there are might want more CPUs than there are.
        var canContend: Bool
    }

    struct Decision: Equatable {
        var isHeld: [Bool]
        /// What the others are told: vCPUs that compete with theirs.
        var wanting: Int
        /// When to look again; nil: when a vCPU wakes or the surroundings change.
        var next: UInt64?
        /// Whether a vCPU that wakes matters.
        var listens: Bool
    }

    /// How long one vCPU stands for another of its guest.
    private static let turn: UInt64 = 10_000_000

    private(set) var limits: ProcessorLimits
    private(set) var share = ProcessorShare()
    private var cap: ProcessorCap?
    private var last: [UInt64?]
    /// Whether the last look counted; what was used in a time without limits is nobody's.
    private var counted = false

    init(limits: ProcessorLimits, processors: Int) {
        self.limits = limits
        last = Array(repeating: nil, count: processors)
    }

    /// Changes the limits from `now` on.
    mutating func change(_ new: ProcessorLimits, now: UInt64) {
        if new.cap != limits.cap { cap = nil }
        limits = new
    }

    mutating func look(_ readings: [Reading], _ around: Surroundings) -> Decision {
        let used = count(readings)
        let wanting = readings.count(where: \.isWanting)
        guard limits.cap != nil || around.canContend else {
            counted = false
            return Decision(
                isHeld: readings.map { _ in false }, wanting: 0, next: nil, listens: false)
        }
        share.charge(counted ? used : 0, shares: limits.shares)
        let isAllowed = allowsCap(around.now, counted ? used : 0)
        counted = true

        // Who may not run for its own cap competes with nobody.
        let competing = isAllowed && around.canContend ? wanting : 0
        let outcome = share.decide(
            wanting: competing, shares: limits.shares, cpus: around.cpus, quota: around.quota, others: around.others,
            now: around.now)
        let running = !isAllowed ? 0 : around.canContend ? outcome.running : wanting
        return Decision(
            isHeld: holds(readings, running: running, of: wanting, around.now), wanting: competing,
            next: wanting == 0 ? nil : next(around, running, competing), listens: wanting == 0)
    }

    /// CPU time since the last look.
    private mutating func count(_ readings: [Reading]) -> UInt64 {
        var used: UInt64 = 0
        for (index, reading) in readings.enumerated() {
            if let before = last[index], let time = reading.cpuTime, time > before { used &+= time - before }
            last[index] = reading.cpuTime ?? last[index]
        }
        return used
    }

    private mutating func allowsCap(_ now: UInt64, _ used: UInt64) -> Bool {
        guard let percent = limits.cap else {
            cap = nil
            return true
        }
        var rule = cap ?? ProcessorCap(percent: percent, now: now)
        defer { cap = rule }
        return rule.allows(now: now, used: used)
    }

    /// Which vCPUs stand: all, or those of the wanting whose turn it is not.
    private func holds(_ readings: [Reading], running: Int, of wanting: Int, _ now: UInt64) -> [Bool] {
        // With nothing to run, one that sleeps now would run until the next look when it wakes.
        guard running > 0 || wanting == 0 else { return readings.map { _ in true } }
        guard running < wanting else { return readings.map { _ in false } }
        let first = Int(now / Self.turn % UInt64(wanting))
        var order = -1
        return readings.map { reading in
            guard reading.isWanting else { return false }
            order += 1
            return (order + wanting - first) % wanting >= running
        }
    }

    private func next(_ around: Surroundings, _ running: Int, _ competing: Int) -> UInt64 {
        var next = UInt64.max
        if competing > 0 { next = around.now + ProcessorShare.grain }
        if let cap { next = min(next, cap.deadline(now: around.now, running: running)) }
        return next
    }
}

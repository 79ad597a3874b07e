// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Gives the vCPUs of one guest their part of the host's processors, by holding their threads back.
///
/// One thread, which sleeps for good where the guest has no cap and the CPUs are enough for the vCPUs of all guests, and
/// where all vCPUs of a limited guest sleep. After `start` it makes no system call but clock_gettime and futex, so that
/// it works in a sandbox.
public final class ProcessorGovernor: Sendable {
    /// How old what another guest says of itself may be. Governors that have something to say look every few
    /// milliseconds; a guest that was killed says nothing any more.
    private static let freshness: UInt64 = 500_000_000
    /// How long a guest that others wait for may take to get anywhere before they stop waiting for it.
    private static let stall: UInt64 = 200_000_000
    /// The least time between two looks, whoever rings.
    private static let spacing: UInt64 = 1_000_000
    /// More vCPUs than a guest can have.
    private static let mostProcessors: UInt64 = 64

    private struct State {
        var limits: ProcessorLimits
        var isChanged = true
        var isOver = false
        var thread: HostThread?
    }

    private let pool: ProcessorPool
    private let quota: Int
    /// Where this process may run; `ProcessorLimits.cpus` are some of them.
    public let allowed: CPUSet
    private let state: Mutex<State>

    /// A governor for a guest of `pool`. `quota` is how many CPUs' worth of time all guests here have together.
    public init(pool: ProcessorPool, limits: ProcessorLimits, quota: Int = .max) {
        self.pool = pool
        self.quota = quota
        allowed = CPUSet.current
        state = Mutex(State(limits: limits))
    }

    /// Begins to govern `processors`, whose threads begin afterwards. Once.
    public func start(_ processors: [ProcessorThread]) throws(HostError) {
        for processor in processors {
            processor.connect { [weak self] in self?.pool.ring() }
        }
        let limits = limits
        if let cpus = limits.cpus {
            for processor in processors { processor.setPlace(cpus) }
        }
        let thread = try HostThread(name: "governor", stackSize: 256 << 10) { self.govern(processors, placed: limits) }
        state.withLock { $0.thread = thread }
    }

    /// Ends it and lets all vCPUs go.
    public func stop() {
        let thread = state.withLock { state in
            state.isOver = true
            defer { state.thread = nil }
            return state.thread
        }
        pool.ring()
        thread?.join()
    }

    /// What the guest gets.
    public var limits: ProcessorLimits { state.withLock(\.limits) }

    /// Gives the guest other limits from now on.
    public func change(_ limits: ProcessorLimits) {
        state.withLock { state in
            state.limits = limits
            state.isChanged = true
        }
        pool.ring()
    }

    // MARK: The thread

    /// What the thread keeps about the other guests.
    private struct Neighbours {
        var changes: UInt32?
        var seats: [Int] = []
        var canContend = false
        /// Each one's virtual time when it last moved, and when that was.
        var progress: [Int: (time: UInt64, at: UInt64)] = [:]
        var isHeld = false
    }

    /// Governs until the end. `limits` are those by which `processors` were placed: they may have changed since.
    private func govern(_ processors: [ProcessorThread], placed limits: ProcessorLimits) {
        var rule = ProcessorRule(limits: limits, processors: processors.count)
        var neighbours = Neighbours()
        var cpus = allowed
        let pause = WaitGate()
        pool.store(.processors, UInt64(processors.count))
        while true {
            let bell = pool.bell
            let (new, isOver) = takeChange()
            guard !isOver else { break }
            let now = MonotonicTime.now
            if let new {
                if (new.cpus ?? allowed) != (rule.limits.cpus ?? allowed) {
                    for processor in processors { processor.setPlace(new.cpus ?? allowed) }
                }
                rule.change(new, now: now)
                cpus = new.cpus ?? allowed
                pool.store(cpus)
                pool.store(.shares, UInt64(new.shares))
                pool.announce()
                neighbours.changes = nil
            }
            look(around: &neighbours, cpus, processors.count)
            let readings = processors.map { ProcessorRule.Reading(cpuTime: $0.cpuTime, isWanting: $0.isWanting) }
            let decision = rule.look(
                readings,
                ProcessorRule.Surroundings(
                    now: now, cpus: cpus, quota: quota, others: contenders(&neighbours, now),
                    canContend: neighbours.canContend))
            publish(decision, rule, now)
            for (processor, isHeld) in zip(processors, decision.isHeld) { processor.setHeld(isHeld) }
            neighbours.isHeld = decision.isHeld.contains(true)

            for processor in processors { processor.listen(decision.listens) }
            // A vCPU that woke before it was listened to is seen here; one that wakes after rings.
            if decision.listens, processors.contains(where: \.isWanting) { continue }
            pool.wait(while: bell, untilMonotonic: decision.next)
            if decision.next == nil || MonotonicTime.now < now + Self.spacing {
                _ = pause.wait(untilMonotonic: now + Self.spacing)
            }
        }
        for processor in processors { processor.setHeld(false) }
        pool.store(.wanting, 0)
    }

    private func takeChange() -> (ProcessorLimits?, isOver: Bool) {
        state.withLock { state in
            defer { state.isChanged = false }
            return (state.isChanged ? state.limits : nil, state.isOver)
        }
    }

    private func publish(_ decision: ProcessorRule.Decision, _ rule: ProcessorRule, _ now: UInt64) {
        pool.store(.virtualTime, rule.share.virtualTime)
        pool.store(.wanting, UInt64(decision.wanting))
        pool.store(.beat, now)
    }

    // MARK: The others

    /// Looks who is there, if anyone came, went or moved.
    private func look(around neighbours: inout Neighbours, _ cpus: CPUSet, _ processors: Int) {
        let changes = pool.changes
        guard neighbours.changes != changes else { return }
        neighbours.changes = changes
        neighbours.seats = pool.takenSeats()
        neighbours.progress = neighbours.progress.filter { neighbours.seats.contains($0.key) }
        var matching = CPUMatching(quota: quota)
        var isEnough = matching.add(processors, on: cpus) == processors
        var isAlone = true
        for seat in neighbours.seats {
            let others = pool.loadCPUs(of: seat)
            guard !others.isDisjoint(with: cpus) else { continue }
            let count = Int(min(pool.load(.processors, of: seat), Self.mostProcessors))
            isAlone = isAlone && count == 0
            isEnough = isEnough && matching.add(count, on: others) == count
        }
        neighbours.canContend = !isAlone && !isEnough
    }

    /// The others that want to run, as far as they can be believed.
    private func contenders(_ neighbours: inout Neighbours, _ now: UInt64) -> [ProcessorShare.Contender] {
        guard neighbours.canContend else { return [] }
        var contenders: [ProcessorShare.Contender] = []
        for seat in neighbours.seats {
            let wanting = pool.load(.wanting, of: seat)
            let age = Int64(bitPattern: now &- pool.load(.beat, of: seat))
            guard wanting > 0, abs(age) < Int64(Self.freshness), pool.load(.state, of: seat) != 0 else {
                neighbours.progress[seat] = nil
                continue
            }
            let time = pool.load(.virtualTime, of: seat)
            let before = neighbours.progress[seat]
            if !neighbours.isHeld || before?.time != time { neighbours.progress[seat] = (time, now) }
            if let before, before.time == time, neighbours.isHeld, now - before.at > Self.stall { continue }
            let range = ProcessorLimits.shareRange
            contenders.append(
                ProcessorShare.Contender(
                    virtualTime: time,
                    shares: Int(
                        min(max(pool.load(.shares, of: seat), UInt64(range.lowerBound)), UInt64(range.upperBound))),
                    wanting: Int(min(wanting, Self.mostProcessors)), cpus: pool.loadCPUs(of: seat)))
        }
        return contenders
    }
}

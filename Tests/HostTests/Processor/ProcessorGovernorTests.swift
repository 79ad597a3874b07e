// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
@testable import Host
import Synchronization
import SystemPackage
import Testing

/// A vCPU that spins, as an engine does: it looks at its orders when it is asked to.
private final class Spinner: Sendable {
    let processor = ProcessorThread()
    private let gate = WaitGate()
    private let isAsked = Atomic<Bool>(false)
    private let isOver = Atomic<Bool>(false)
    private let sleeps = Atomic<Bool>(false)
    private let home = Mutex(CPUSet())

    init() {
        processor.connect(
            interrupt: { [weak self] in self?.isAsked.store(true, ordering: .sequentiallyConsistent) },
            release: { [gate] in gate.wake() })
    }

    /// Where the thread may run.
    var place: CPUSet { home.withLock(\.self) }

    func run() {
        processor.begin()
        processor.wakes()
        while !isOver.load(ordering: .relaxed) {
            if processor.hasOrders {
                processor.takePlace()
                home.withLock { $0 = CPUSet.current }
                while processor.isHeld, !isOver.load(ordering: .relaxed) { gate.wait() }
            }
            while sleeps.load(ordering: .relaxed), !isOver.load(ordering: .relaxed) {
                processor.sleeps()
                gate.wait()
                processor.wakes()
            }
            isAsked.store(false, ordering: .sequentiallyConsistent)
            var turns = 0
            while turns < 10_000, !isAsked.load(ordering: .relaxed) { turns += 1 }
        }
        processor.end()
    }

    func sleep(_ on: Bool) {
        sleeps.store(on, ordering: .sequentiallyConsistent)
        gate.wake()
    }

    func finish() {
        isOver.store(true, ordering: .sequentiallyConsistent)
        gate.wake()
    }
}

/// A guest of spinning vCPUs under a governor.
private struct SpinningGuest {
    let governor: ProcessorGovernor
    let spinners: [Spinner]
    let threads: [HostThread]

    init(_ limits: ProcessorLimits, pool: ProcessorPool, count: Int = 1) throws {
        governor = ProcessorGovernor(pool: pool, limits: limits)
        let spinners = (0..<count).map { _ in Spinner() }
        self.spinners = spinners
        try governor.start(spinners.map(\.processor))
        threads = try spinners.map { spinner in try HostThread(name: "spinner") { spinner.run() } }
    }

    var cpuTime: UInt64 { spinners.reduce(0) { $0 + ($1.processor.cpuTime ?? 0) } }

    /// Nanoseconds of CPU used in a time.
    func use(milliseconds: UInt32) -> UInt64 {
        let before = cpuTime
        usleep(milliseconds * 1000)
        return cpuTime - before
    }

    func end() {
        for spinner in spinners { spinner.finish() }
        for thread in threads { thread.join() }
        governor.stop()
    }
}

/// With real threads. The host may be busy, so that the bounds are wide; `ProcessorRuleTests` has the narrow ones.
@Suite(.serialized, .timeLimit(.minutes(10))) struct ProcessorGovernorTests {
    private static let first = CPUSet(CPUSet.current.numbers.prefix(1))

    @Test("a cap is not passed, and is lifted while the guest runs")
    func cap() throws {
        let guest = try SpinningGuest(ProcessorLimits(cap: 20), pool: ProcessorPool(), count: 2)
        defer { guest.end() }
        // The first period may be used whole at once.
        let capped = guest.use(milliseconds: 1500)
        #expect(capped > 15_000_000)
        #expect(capped < 400_000_000)
        guest.governor.change(ProcessorLimits())
        #expect(guest.use(milliseconds: 1500) > capped)
    }

    @Test("two guests of shares 1 and 3 on one CPU get it so")
    func shares() throws {
        var template = Array((NSTemporaryDirectory() + "/apus-pool-XXXXXX").utf8CString)
        let folder = FilePath(String(cString: try #require(mkdtemp(&template))))
        defer { try? FileManager.default.removeItem(atPath: folder.string) }
        let one = try SpinningGuest(
            ProcessorLimits(shares: 1, cpus: Self.first), pool: ProcessorPool(folder: folder))
        let three = try SpinningGuest(
            ProcessorLimits(shares: 3, cpus: Self.first), pool: ProcessorPool(folder: folder))
        defer {
            one.end()
            three.end()
        }
        usleep(300_000)
        let before = one.cpuTime
        let large = three.use(milliseconds: 3000)
        let ratio = Double(large) / Double(max(1, one.cpuTime - before))
        #expect(ratio > 2)
        #expect(ratio < 4.5)
    }

    @Test("a guest whose neighbour sleeps is not held back")
    func conserving() throws {
        var template = Array((NSTemporaryDirectory() + "/apus-pool-XXXXXX").utf8CString)
        let folder = FilePath(String(cString: try #require(mkdtemp(&template))))
        defer { try? FileManager.default.removeItem(atPath: folder.string) }
        let small = try SpinningGuest(
            ProcessorLimits(shares: 1, cpus: Self.first), pool: ProcessorPool(folder: folder))
        let large = try SpinningGuest(
            ProcessorLimits(shares: 10_000, cpus: Self.first), pool: ProcessorPool(folder: folder))
        defer {
            small.end()
            large.end()
        }
        let held = small.use(milliseconds: 1000)
        large.spinners[0].sleep(true)
        usleep(100_000)
        #expect(small.use(milliseconds: 1000) > 4 * held)
    }

    @Test("threads go where the guest may run, and elsewhere when that changes")
    func place() throws {
        let all = CPUSet.current
        let last = CPUSet(all.numbers.suffix(1))
        let guest = try SpinningGuest(ProcessorLimits(cpus: Self.first), pool: ProcessorPool())
        defer { guest.end() }
        #expect(settles { guest.spinners[0].place == Self.first })
        guest.governor.change(ProcessorLimits(cpus: last))
        #expect(settles { guest.spinners[0].place == last })
        guest.governor.change(ProcessorLimits())
        #expect(settles { guest.spinners[0].place == all })
    }

    @Test("where nothing is limited, and where a limited guest sleeps, the governor uses no CPU")
    func quiet() throws {
        let free = try SpinningGuest(ProcessorLimits(), pool: ProcessorPool())
        let asleep = try SpinningGuest(ProcessorLimits(cap: 10), pool: ProcessorPool())
        defer {
            free.end()
            asleep.end()
        }
        asleep.spinners[0].sleep(true)
        usleep(300_000)
        let before = Self.governorSwitches()
        usleep(1_000_000)
        #expect(Self.governorSwitches() == before)
    }

    /// How often threads called `governor` have run. No other suite has one.
    private static func governorSwitches() -> [String: String] {
        var counts: [String: String] = [:]
        for task in Directory.names("/proc/self/task") {
            let text = (try? TextFile.read(FilePath("/proc/self/task/\(task)/status"), limit: 8192)) ?? ""
            guard text.hasPrefix("Name:\tgovernor") else { continue }
            counts[task] = text.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches") }.map(
                String.init)
        }
        return counts
    }
}

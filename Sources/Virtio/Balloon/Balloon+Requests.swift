// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

extension BalloonDevice {
    /// The most page numbers worked off at a time: 4 KiB of list, 4 MiB of memory.
    static var batch: UInt64 { 1024 }

    /// Begins the next part of the work if nothing is under way. Every part goes to the backend, one with nothing to do
    /// too: so the lock is never held for longer than a part takes, whatever the driver adds meanwhile.
    func advance() {
        while mayBegin {
            guard let current = job ?? takeJob() else { return }
            job = current
            if current.role == .reporting { report(current) } else { workOff(current) }
        }
    }

    /// The next buffer: what is taken back first, as the guest is in need then.
    private func takeJob() -> Job? {
        for queue in [1, 0, 2, 3, 4] {
            guard let role = role(ofQueue: queue), role != .statistics, core.queues[queue].isReady else { continue }
            repeat {
                guard let chain = core.popAvailable(queue) else { continue }
                let bytes = role == .reporting ? chain.writableCount : chain.readableCount
                guard bytes > 0 else {
                    core.breakDown(.malformedRequest)
                    return nil
                }
                core.counters.requests &+= 1
                return Job(queue: queue, role: role, chain: chain, epoch: core.queues[queue].epoch)
            } while core.isRunning && core.queues[queue].armNotifications()
        }
        return nil
    }

    /// Hands the next part of a list of page numbers to the backend, or gives the buffer back behind the last.
    private func workOff(_ current: Job) {
        let left = (current.chain.readableCount - current.offset) / 4
        guard left > 0 else { return finish(current) }
        let count = min(left, Self.batch)
        job?.offset += count * 4
        guard let list = core.memory.gather(current.chain.readable, from: current.offset, count: Int(count) * 4) else {
            return finish(current)
        }
        core.counters.bytesFromGuest &+= count * 4
        let segments = segments(ofPages: list)
        let pages = segments.reduce(0) { $0 &+ $1.count >> GuestPage.shift }
        if current.role == .inflate {
            self.pages.inflated &+= pages
            hasInflated = true
            begin(.inflate(segments))
        } else {
            self.pages.deflated &+= pages
            begin(.deflate(segments))
        }
    }

    /// The pages that `list` numbers, neighbours joined, each once; what is not RAM is left out and counted.
    private func segments(ofPages list: [UInt8]) -> [MemorySegment] {
        var numbers = [UInt32]()
        numbers.reserveCapacity(list.count / 4)
        for start in stride(from: 0, to: list.count, by: 4) {
            let number: UInt32 = list.littleEndian(at: start)
            // virtio 1.2 §5.5.6: pages of 4096 bytes, whatever the guest's are.
            if core.memory.contains(GuestAddress(UInt64(number) << GuestPage.shift), count: GuestPage.size) {
                numbers.append(number)
            } else {
                core.counters.errors &+= 1
            }
        }
        numbers.sort()
        var segments = PageRuns()
        for number in numbers { segments.add(UInt64(number), count: 1) }
        return segments.all(in: core.memory)
    }

    /// Hands the whole pages among the buffers of a report to the backend; the buffer goes back when it has answered.
    private func report(_ current: Job) {
        guard current.offset == 0 else { return finish(current) }
        job?.offset = current.chain.writableCount
        guard !keepsReportedPages else { return begin(.discard([])) }
        var pages: [(first: UInt64, count: UInt64)] = []
        for segment in current.chain.writable {
            // Within RAM, which is whole pages: nothing overflows.
            let first = (segment.address + GuestPage.offsetMask).page
            let end = (segment.address + segment.count).page
            if first < end { pages.append((first, end - first)) }
        }
        pages.sort { $0.first < $1.first }
        var runs = PageRuns()
        for run in pages { runs.add(run.first, count: run.count) }
        let segments = runs.all(in: core.memory)
        self.pages.reported &+= segments.reduce(0) { $0 &+ $1.count >> GuestPage.shift }
        begin(.discard(segments))
    }

    private func begin(_ operation: BalloonOperation) {
        isBusy = true
        submission = request(operation)
    }

    /// `operation` as a request of its own, under way from now on.
    func request(_ operation: BalloonOperation) -> BalloonRequest {
        // Only to tell requests apart: no more than two of one time of the device are ever under way.
        sequence = (sequence + 1) & 0xFFFF
        return BalloonRequest(token: core.ledger.begin(slot: sequence), operation: operation)
    }

    /// The driver gets its buffer back: it had nothing to be written.
    private func finish(_ current: Job) {
        job = nil
        let queue = core.queues[current.queue]
        guard queue.isReady, queue.epoch == current.epoch else { return }
        queue.pushUsed(current.chain.head, length: 0)
        core.publishUsed(current.queue)
    }

    /// The backend has done what `token` stands for. Called once for each, under the device's lock.
    public func complete(_ token: UInt64) {
        guard endRequest(token) != nil else { return }
        isBusy = false
        advance()
    }
}

/// Runs of pages, added by rising number.
private struct PageRuns {
    private var runs: [Range<UInt64>] = []

    /// Adds `count` pages from number `first`, which is not below the last added.
    mutating func add(_ first: UInt64, count: UInt64) {
        if let last = runs.last, first <= last.upperBound {
            runs[runs.count - 1] = last.lowerBound..<max(last.upperBound, first + count)
        } else {
            runs.append(first..<first + count)
        }
    }

    /// The runs as memory, each within one region of `memory`.
    func all(in memory: GuestMemory) -> [MemorySegment] {
        var segments: [MemorySegment] = []
        for run in runs {
            for region in memory.regions {
                let part = run.clamped(to: region.base.page..<region.last.page + 1)
                guard !part.isEmpty else { continue }
                segments.append(
                    MemorySegment(
                        address: GuestAddress(part.lowerBound << GuestPage.shift),
                        count: (part.upperBound - part.lowerBound) << GuestPage.shift))
            }
        }
        return segments
    }
}

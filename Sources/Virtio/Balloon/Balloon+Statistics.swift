// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

/// What a guest tells of its memory, by the tags of virtio 1.2 §5.5.6.4; those above 9 came later, with Linux 6.12.
public enum BalloonStatistic: UInt16, CaseIterable, Sendable {
    /// Bytes swapped in, and swapped out.
    case swapIn = 0
    case swapOut = 1
    /// Page faults that had to wait for a disk, and those that had not.
    case majorFaults = 2
    case minorFaults = 3
    /// Bytes that are unused.
    case free = 4
    /// Bytes that there are.
    case total = 5
    /// Bytes that new programs could have without swapping.
    case available = 6
    /// Bytes of caches that can be had back without writing anything.
    case caches = 7
    /// Huge pages that could be had, and that could not.
    case hugePages = 8
    case hugePageFailures = 9
    /// Processes killed for lack of memory.
    case outOfMemoryKills = 10
    /// Allocations that had to wait.
    case allocationStalls = 11
    /// Pages looked at to find free memory, and pages found: in the background, and while an allocation waited.
    case backgroundScans = 12
    case directScans = 13
    case backgroundReclaims = 14
    case directReclaims = 15
}

/// The statistics that a guest told at one time.
public struct BalloonStatistics: Equatable, Sendable {
    private var values = [UInt64?](repeating: nil, count: BalloonStatistic.allCases.count)

    /// Nothing told.
    public init() {}

    /// The value of `statistic`; nil where the guest did not tell it.
    public internal(set) subscript(statistic: BalloonStatistic) -> UInt64? {
        get { values[Int(statistic.rawValue)] }
        set { values[Int(statistic.rawValue)] = newValue }
    }
}

extension BalloonDevice {
    /// The size of struct virtio_balloon_stat: le16 tag, le64 value, packed (virtio 1.2 §5.5.6.3).
    private static var entrySize: Int { 10 }
    /// The most entries read of a buffer; a driver that knows all tags sends a quarter of it.
    private static var mostEntries: UInt64 { 64 }

    /// Asks the guest how it uses its memory; `guestStatistics` changes when it has answered. Without effect where no
    /// driver waits to be asked.
    public func requestStatistics() {
        guard core.isRunning, !isHeld, let buffer = statisticsBuffer else { return }
        statisticsBuffer = nil
        for queue in core.queues.indices where role(ofQueue: queue) == .statistics {
            guard core.queues[queue].epoch == buffer.epoch else { continue }
            core.queues[queue].pushUsed(buffer.head, length: 0)
            core.publishUsed(queue)
            // A driver that made more than one buffer available breaks the rules, but is heard.
            takeStatistics(queue)
        }
    }

    /// Takes the driver's statistics and keeps the buffer for the next time they are wanted.
    func takeStatistics(_ queue: Int) {
        let epoch = core.queues[queue].epoch
        if statisticsBuffer?.epoch != epoch { statisticsBuffer = nil }
        guard statisticsBuffer == nil else { return }
        repeat {
            guard let chain = core.popAvailable(queue) else { continue }
            core.counters.requests &+= 1
            read(chain)
            statisticsBuffer = (chain.head, epoch)
            return
        } while core.isRunning && core.queues[queue].armNotifications()
    }

    private func read(_ chain: DescriptorChain) {
        let size = UInt64(Self.entrySize)
        let count = min(chain.readableCount / size, Self.mostEntries) * size
        guard count > 0, let bytes = core.memory.gather(chain.readable, count: Int(count)) else { return }
        var told = BalloonStatistics()
        for start in stride(from: 0, to: bytes.count, by: Self.entrySize) {
            // §5.5.6.3.2: in any order, and tags that are not known are ignored.
            guard let statistic = BalloonStatistic(rawValue: bytes.littleEndian(at: start)) else { continue }
            told[statistic] = bytes.littleEndian(at: start + 2)
        }
        core.counters.bytesFromGuest &+= count
        pages.statistics &+= 1
        guestStatistics = told
    }
}

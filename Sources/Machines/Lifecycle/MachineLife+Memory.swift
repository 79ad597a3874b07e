// SPDX-License-Identifier: Apache-2.0

import Backends
import Host
import MachineCore
import VMMemory
import Virtio

extension MachineLife {
    /// Where what the machine costs beside its devices lies in this process.
    var mappings: [MachineMapping] {
        let ram = board.ram
        // SAFETY: numbers; nothing is dereferenced.
        let guest = unsafe MachineMapping(
            name: "guest memory", address: UInt64(UInt(bitPattern: ram.base)), size: ram.size)
        return [guest]
            + board.caches.map {
                unsafe MachineMapping(
                    name: $0.name, address: UInt64(UInt(bitPattern: $0.base)), size: UInt64($0.size))
            }
    }

    var memoryUse: MachineMemory {
        var use = MachineMemory(size: board.ram.size)
        use.returned = board.bay.balloonMemory?.discardedBytes ?? 0
        let told: BalloonStatistics? =
            board.bay.balloon?.change { balloon in
                use.target = use.size - min(UInt64(balloon.target) << GuestPage.shift, use.size)
                // The driver may say anything; more than there is it cannot hold.
                use.balloon = min(UInt64(balloon.actual) << GuestPage.shift, use.size)
                use.hasDriver = balloon.hasDriver
                return balloon.guestStatistics
            } ?? nil
        if let told {
            use.guest = BalloonStatistic.allCases.compactMap { statistic in
                told[statistic].map { (statistic.name, $0) }
            }
        }
        return use
    }

    func setMemory(_ size: UInt64) throws(MachineError) {
        guard let balloon = board.bay.balloon else {
            throw .state("the machine has no memory balloon, so its memory cannot change while it runs")
        }
        let all = board.ram.size
        guard size >= MachineMemory.least, size <= all else {
            throw .configuration(
                "\(size >> 20) MiB of memory cannot be had: the machine was made for 16 to \(all >> 20) MiB")
        }
        guard size & GuestPage.offsetMask == 0 else {
            throw .configuration("\(size) bytes of memory is no whole number of pages: choose a multiple of 4 KiB")
        }
        let isHeard: Bool? = balloon.change { balloon in
            guard balloon.hasDriver else { return false }
            balloon.target = UInt32(clamping: (all - size) >> GuestPage.shift)
            return true
        }
        guard isHeard == true else {
            throw .state("the guest has no driver for the memory balloon, so its memory stays as it is")
        }
    }

    /// Asks the guest again and again how it uses its memory, for as long as the machine lives.
    func pollMemory() {
        guard let interval = configuration.balloon?.statisticsInterval else { return }
        board.loop.schedule(at: MonotonicTime.after(milliseconds: max(interval, 100))) { [weak self] in
            guard let self, self.state != .ended else { return }
            if self.state == .running { _ = self.board.bay.balloon?.change { $0.requestStatistics() } }
            self.pollMemory()
        }
    }
}

/// What a guest has of its RAM, in bytes.
public struct MachineMemory: Sendable {
    /// RAM in all.
    public let size: UInt64
    /// What the guest is to have.
    public internal(set) var target: UInt64
    /// What the balloon holds, as the guest says.
    public internal(set) var balloon: UInt64 = 0
    /// Whether a driver works the balloon.
    public internal(set) var hasDriver = false
    /// What went back to the host so far, by the balloon and by free pages.
    public internal(set) var returned: UInt64 = 0
    /// What the guest last said of its memory, by name.
    public internal(set) var guest: [(name: String, value: UInt64)] = []

    /// What a guest is left at least.
    static let least: UInt64 = 16 << 20

    init(size: UInt64) {
        self.size = size
        target = size
    }
}

/// Memory of this process that a machine takes: how it is told apart in `/proc/PID/smaps`.
public struct MachineMapping: Sendable {
    /// What it is for.
    public let name: String
    /// Where it starts.
    public let address: UInt64
    /// In bytes; what of it is used the host knows.
    public let size: UInt64
}

extension BalloonStatistic {
    /// As reports say it.
    var name: String {
        switch self {
        case .swapIn: "swap-in"
        case .swapOut: "swap-out"
        case .majorFaults: "major-faults"
        case .minorFaults: "minor-faults"
        case .free: "free"
        case .total: "total"
        case .available: "available"
        case .caches: "caches"
        case .hugePages: "huge-pages"
        case .hugePageFailures: "huge-page-failures"
        case .outOfMemoryKills: "out-of-memory-kills"
        case .allocationStalls: "allocation-stalls"
        case .backgroundScans: "background-scans"
        case .directScans: "direct-scans"
        case .backgroundReclaims: "background-reclaims"
        case .directReclaims: "direct-reclaims"
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import Host
import SystemPackage

/// The host's memory as guests may have it, in bytes. The limits of control groups around this process count: in a
/// container, the host is what the container may use.
public struct HostMemory: Codable, Equatable, Sendable {
    /// All that there is.
    public var total: UInt64
    /// What could be used now: free, or in caches.
    public var available: UInt64

    /// Looks at this host.
    public static var current: HostMemory {
        let text = (try? TextFile.read("/proc/meminfo", limit: 64 << 10)) ?? ""
        return HostMemory(meminfo: text, limits: ControlGroupLimits.current)
    }

    init(total: UInt64, available: UInt64) {
        self.total = total
        self.available = available
    }

    /// The text of proc(5), /proc/meminfo, below `limits`.
    init(meminfo: String, limits: ControlGroupLimits) {
        func kibibytes(_ name: String) -> UInt64 {
            let line = meminfo.split(separator: "\n").first { $0.hasPrefix(name + ":") }
            let digits = line?.drop { !$0.isNumber }.prefix { $0.isNumber } ?? ""
            return UInt64(digits).map { $0 << 10 } ?? 0
        }
        total = min(kibibytes("MemTotal"), limits.memory ?? .max)
        available = min(kibibytes("MemAvailable"), limits.availableMemory ?? .max)
    }
}

/// What one guest has been given, and what it holds of it.
public struct GuestAllocation: Codable, Equatable, Sendable {
    public var id: String
    public var name: String?
    public var cpuCount: Int
    public var cpuShares: Int
    public var cpuCap: CPUCap
    public var cpuset: CPUPlace
    /// Bytes that the guest may use.
    public var memory: UInt64
    /// Bytes of the host's that its process holds now, up to `memory`.
    public var heldMemory: UInt64

    init(_ record: GuestRecord, held: UInt64) {
        id = record.id.rawValue
        name = record.name?.rawValue
        cpuCount = record.cpuCount
        cpuShares = record.cpuShares ?? ProcessorLimits.defaultShares
        cpuCap = record.cpuCap.map { .percent($0) } ?? .unlimited
        cpuset = record.cpuSet.flatMap { CPUSet(list: $0) }.map { .on($0) } ?? .anywhere
        memory = record.memorySize
        heldMemory = min(held, record.memorySize)
    }

    /// What people call the guest.
    public var title: String { name ?? id }
}

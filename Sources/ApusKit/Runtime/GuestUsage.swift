// SPDX-License-Identifier: Apache-2.0

import Host
import SystemPackage

/// What a guest's process has used so far, as its host and its machine count it.
public struct GuestUsage: Sendable, Equatable {
    /// Nanoseconds of CPU time.
    public var cpuTime: UInt64 = 0
    /// Bytes of the host's memory that it holds now.
    public var residentMemory: UInt64 = 0
    /// Bytes that went from disks to the guest, and back.
    public var diskRead: UInt64 = 0
    public var diskWritten: UInt64 = 0
    /// Bytes that the guest received and sent.
    public var networkReceived: UInt64 = 0
    public var networkSent: UInt64 = 0
    /// Times an engine returned control.
    public var exits: UInt64 = 0
    /// When it was looked at, in nanoseconds of the host's monotonic clock.
    public var time: UInt64 = 0

    /// What the process of `guest` has used, with `children` (its network's), and its machine where that answers.
    static func measure(_ guest: Guest, children: ProcessUsage?) async -> GuestUsage? {
        var usage = GuestUsage()
        let report = await firstWithin(Guest.answerTime) { () -> StatisticsReport? in
            guard case .statistics(let report)? = try? await guest.perform(.statistics) else { return nil }
            return report
        }
        if let report { usage.add(report) }
        guard let process = ProcessUsage(guest.record.processID) else { return nil }
        usage.cpuTime = process.cpuTime + (children?.cpuTime ?? 0)
        usage.residentMemory = process.residentMemory + (children?.residentMemory ?? 0)
        usage.time = MonotonicTime.now
        return usage
    }

    mutating func add(_ report: StatisticsReport) {
        for device in report.devices {
            let toGuest = device.counters.first { $0.name == "bytes-to-guest" }?.count ?? 0
            let fromGuest = device.counters.first { $0.name == "bytes-from-guest" }?.count ?? 0
            if device.name.hasPrefix("virtio-blk") {
                diskRead &+= toGuest
                diskWritten &+= fromGuest
            } else if device.name.hasPrefix("virtio-net") {
                networkReceived &+= toGuest
                networkSent &+= fromGuest
            }
        }
        for vcpu in report.vcpus { exits &+= vcpu.exits.reduce(0) { $0 &+ $1.count } }
    }
}

/// One line of `apus top`: a guest and what it uses a second.
public struct GuestLoad: Codable, Sendable, Equatable {
    public var id: GuestIdentifier
    public var name: GuestName?
    /// Percent of one CPU.
    public var cpu: Double
    /// Bytes of the host's memory, and what the guest believes to have.
    public var residentMemory: UInt64
    public var memorySize: UInt64
    /// Bytes a second.
    public var diskRead: UInt64
    public var diskWritten: UInt64
    public var networkReceived: UInt64
    public var networkSent: UInt64
    /// Exits a second.
    public var exits: UInt64

    /// What `record`'s guest used between two looks.
    init(_ record: GuestRecord, from before: GuestUsage, to now: GuestUsage) {
        let nanoseconds = max(1, Double(now.time &- before.time))
        func rate(_ value: KeyPath<GuestUsage, UInt64>) -> UInt64 {
            // A machine that began again counts from zero.
            let (count, isLess) = now[keyPath: value].subtractingReportingOverflow(before[keyPath: value])
            return isLess ? 0 : UInt64(Double(count) * 1_000_000_000 / nanoseconds)
        }
        id = record.id
        name = record.name
        cpu = (Double(now.cpuTime &- min(before.cpuTime, now.cpuTime)) * 1000 / nanoseconds).rounded() / 10
        residentMemory = now.residentMemory
        memorySize = record.memorySize
        diskRead = rate(\.diskRead)
        diskWritten = rate(\.diskWritten)
        networkReceived = rate(\.networkReceived)
        networkSent = rate(\.networkSent)
        exits = rate(\.exits)
    }

    /// A table for a terminal.
    public static func table(_ loads: [GuestLoad]) -> String {
        TextTable(
            loads.map { load in
                [
                    load.id.rawValue, load.name?.rawValue ?? "-", "\(load.cpu)%",
                    "\(load.residentMemory >> 20)M of \(ByteSize(load.memorySize))",
                    "\(size(load.diskRead)) / \(size(load.diskWritten))",
                    "\(size(load.networkReceived)) / \(size(load.networkSent))", "\(load.exits)",
                ]
            }, header: ["ID", "NAME", "CPU", "MEMORY", "DISK R/W /s", "NET IN/OUT /s", "EXITS/s"]
        ).text
    }

    /// Bytes with the unit that leaves few digits.
    private static func size(_ bytes: UInt64) -> String {
        switch bytes {
        case ..<(10 << 10): "\(bytes)"
        case ..<(10 << 20): "\(bytes >> 10)K"
        case ..<(10 << 30): "\(bytes >> 20)M"
        default: "\(bytes >> 30)G"
        }
    }
}

/// Looks at the guests that run, time after time.
public struct GuestMeter: Sendable {
    private let guests: Guests
    private var before: [GuestIdentifier: GuestUsage] = [:]

    /// A meter that has not looked yet.
    public init(_ guests: Guests) { self.guests = guests }

    /// What each guest used since the last look, the busiest first. A guest that is new since then is not in it yet.
    public mutating func look() async throws(VirtualMachineError) -> [GuestLoad] {
        let registry = guests.registry
        let records = try registry.list()
        let children = ProcessUsage.children(of: Set(records.map(\.processID)))
        let now = await withTaskGroup(of: (GuestIdentifier, GuestUsage?).self) { group in
            for record in records {
                group.addTask {
                    let guest = Guest(record: record, registry: registry)
                    return (record.id, await GuestUsage.measure(guest, children: children[record.processID]))
                }
            }
            return await group.reduce(into: [GuestIdentifier: GuestUsage]()) { $0[$1.0] = $1.1 }
        }
        defer { before = now }
        let loads = records.compactMap { record -> GuestLoad? in
            guard let old = before[record.id], let new = now[record.id] else { return nil }
            return GuestLoad(record, from: old, to: new)
        }
        return loads.sorted { ($1.cpu, $0.id.rawValue) < ($0.cpu, $1.id.rawValue) }
    }
}

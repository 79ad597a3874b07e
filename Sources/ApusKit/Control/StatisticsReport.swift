// SPDX-License-Identifier: Apache-2.0

import Machines

/// The counters of a machine since it was made.
public struct StatisticsReport: Equatable, Codable, Sendable {
    /// A count and what it counts.
    public struct Counter: Equatable, Codable, Sendable {
        public var name: String
        public var count: UInt64
    }

    /// One vCPU's counters.
    public struct VCPU: Equatable, Codable, Sendable {
        public var id: Int
        public var instructions: UInt64
        public var counters: [Counter]
        /// Exits from the engine, by kind.
        public var exits: [Counter]
    }

    /// One device's counters.
    public struct Device: Equatable, Codable, Sendable {
        public var name: String
        public var counters: [Counter]
    }

    /// Virtual time since the machine was switched on.
    public var virtualNanoseconds: UInt64
    /// CPU time that the machine's process had used when the guest's first instruction ran; 0 before.
    public var startCPUNanoseconds: UInt64
    public var resets: Int
    /// How often a vCPU's thread waited for a lock that threads take which serve control connections.
    public var vcpuWaits: UInt64
    /// Bytes of the console that attached readers and the log did not get, being too slow.
    public var consoleLost: UInt64
    /// Instructions retired by all vCPUs.
    public var instructions: UInt64
    /// Millions of instructions a second of virtual time, over all vCPUs.
    public var mips: Double
    public var vcpus: [VCPU]
    public var devices: [Device]
    public var memory: MemoryReport
    /// The guest's RAM and what the engine caches, each a mapping of its own in the machine's process.
    public var mappings: [Mapping]

    /// Memory of the machine's process, to be found by its address in `/proc/PID/smaps`.
    public struct Mapping: Equatable, Codable, Sendable {
        public var name: String
        public var address: UInt64
        /// Bytes; what of them is in use the host knows.
        public var size: UInt64
    }

    init(_ statistics: MachineStatistics, consoleLost: UInt64) {
        vcpuWaits = statistics.vcpuWaits
        self.consoleLost = consoleLost
        memory = MemoryReport(statistics.memory)
        mappings = statistics.mappings.map { Mapping(name: $0.name, address: $0.address, size: $0.size) }
        virtualNanoseconds = statistics.virtualNanoseconds
        startCPUNanoseconds = statistics.startCPUNanoseconds
        resets = statistics.resets
        instructions = statistics.retired
        mips =
            virtualNanoseconds == 0
            ? 0 : (Double(instructions) * 100_000 / Double(virtualNanoseconds)).rounded() / 100
        func counters(_ pairs: [(name: String, count: UInt64)]) -> [Counter] {
            pairs.map { Counter(name: $0.name, count: $0.count) }
        }
        vcpus = statistics.harts.map {
            VCPU(id: $0.id, instructions: $0.retired, counters: counters($0.counters), exits: counters($0.exits))
        }
        devices = statistics.devices.map { Device(name: $0.name, counters: counters($0.counters)) }
    }

    /// For a terminal.
    public var text: String {
        var rows = [
            ["virtual time", TextTable.seconds(virtualNanoseconds)],
            ["CPU time to the first instruction", "\(startCPUNanoseconds / 1_000_000) ms"],
            ["instructions", TextTable.grouped(instructions)],
            ["MIPS", "\(mips)"],
            ["resets", "\(resets)"],
            ["vCPU waits for control", "\(vcpuWaits)"],
            ["console bytes lost", "\(consoleLost)"],
        ]
        for vcpu in vcpus {
            rows.append(["vcpu \(vcpu.id) instructions", TextTable.grouped(vcpu.instructions)])
            rows += vcpu.counters.map { ["vcpu \(vcpu.id) \($0.name)", TextTable.grouped($0.count)] }
            rows += vcpu.exits.map { ["vcpu \(vcpu.id) exits \($0.name)", TextTable.grouped($0.count)] }
        }
        for device in devices {
            rows += device.counters.map { ["\(device.name) \($0.name)", TextTable.grouped($0.count)] }
        }
        rows += memory.rows
        rows += mappings.map { ["mapping \($0.name)", "\(TextTable.hex($0.address)), \($0.size >> 10) KiB"] }
        return TextTable(rows).text
    }
}

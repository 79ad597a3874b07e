// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// What one vCPU is doing. Read while it runs, fields may be of slightly different moments.
public struct VCPUStatus: Sendable {
    /// What its thread is at.
    public enum Activity: String, Sendable {
        /// Executing guest instructions.
        case running
        /// Waiting for an interrupt.
        case halted
        /// Not started by the guest (SBI HSM), or stopped by it.
        case offline
        /// Out of its engine because the machine is paused.
        case paused
        /// Held back: other guests have the CPU, or its own guest has used up what it may (docs/pool.md).
        case throttled
    }

    /// The hart's number.
    public let id: Int
    /// The engine's name.
    public let engine: String
    /// The ring it runs in, as its architecture's manual says it: `M`, `S` or `U`.
    public let ring: String
    /// The program counter at the last exit: exact when paused.
    public let pc: UInt64
    /// What its thread is at.
    public let activity: Activity
    /// Why the engine stopped last.
    public let lastExit: VMExit?
    /// Instructions retired since the last reset.
    public let retired: UInt64
}

/// A machine's counters since it was made.
public struct MachineStatistics: Sendable {
    /// One hart's counters.
    public struct HartSample: Sendable {
        public let id: Int
        /// Instructions retired.
        public let retired: UInt64
        /// The engine's counts by name: exceptions, interrupts, TLB misses and so on.
        public let counters: [(name: String, count: UInt64)]
        /// Exits by kind.
        public let exits: [(name: String, count: UInt64)]
    }

    /// One device's counters.
    public struct DeviceSample: Sendable {
        /// The device's name on the board, such as `uart` or `virtio-blk0`.
        public let name: String
        public let counters: [(name: String, count: UInt64)]
    }

    /// Nanoseconds of virtual time since the machine was switched on.
    public let virtualNanoseconds: UInt64
    /// CPU time that the process had used when the first hart began, in nanoseconds; 0 before.
    public let startCPUNanoseconds: UInt64
    /// Resets so far.
    public let resets: Int
    /// How often a vCPU waited for a lock that the machine's owner takes too.
    public let vcpuWaits: UInt64
    public let harts: [HartSample]
    public let devices: [DeviceSample]
    /// What the guest has of its RAM, and how it uses it.
    public let memory: MachineMemory
    /// Where the guest's RAM and what the engine caches lie in this process.
    public let mappings: [MachineMapping]

    /// Instructions retired by all harts.
    public var retired: UInt64 { harts.reduce(0) { $0 &+ $1.retired } }
}

// SPDX-License-Identifier: Apache-2.0

import Host
import SystemPackage

/// What guests share: the host's memory and CPUs, what is given out, and what is left.
public struct HostPool: Codable, Equatable, Sendable {
    public var memory: HostMemory
    /// CPUs that this process may run on, and the CPU time there is for them where that is less.
    public var cpus: Int
    public var cpuQuota: Int?
    public var guests: [GuestAllocation]

    /// The pool with the guests that run.
    public static func measure(_ running: [GuestRecord]) -> HostPool {
        HostPool(
            memory: .current, cpus: CPUSet.current.count, cpuQuota: ControlGroupLimits.current.cpus,
            guests: running.map { GuestAllocation($0, held: residentMemory(of: $0)) })
    }

    /// Bytes that the guests may use together.
    public var allocatedMemory: UInt64 { guests.reduce(0) { $0 &+ $1.memory } }

    /// Bytes that another guest could be given: what is available, less what the guests may still take of theirs.
    public var freeMemory: UInt64 {
        let promised = guests.reduce(UInt64(0)) { $0 &+ ($1.memory - $1.heldMemory) }
        return memory.available - min(memory.available, promised)
    }

    /// vCPUs of all guests.
    public var virtualCPUs: Int { guests.reduce(0) { $0 + $1.cpuCount } }

    /// Throws where the host has not as much memory to give as `asked`, with the figures.
    public func admit(memory asked: UInt64, for what: String) throws(VirtualMachineError) {
        guard asked > freeMemory else { return }
        let holders = guests.map { "\($0.title) \(Self.mebibytes($0.memory))" }.joined(separator: ", ")
        throw VirtualMachineError(
            .host,
            "\(what) asks for \(Self.mebibytes(asked)) of memory, and \(Self.mebibytes(freeMemory)) of the host's "
                + "\(Self.mebibytes(memory.total)) is free; "
                + (guests.isEmpty ? "no guest holds any" : "guests have \(holders)")
                + "; ask for less, \(guests.isEmpty ? "" : "stop a guest, ")or add --overcommit")
    }

    static func mebibytes(_ bytes: UInt64) -> String { "\(bytes >> 20) MiB" }

    /// Bytes of the host's that the process of a guest holds: field 2 of proc(5), /proc/PID/statm, which stays readable
    /// where a process hides the rest.
    private static func residentMemory(of record: GuestRecord) -> UInt64 {
        let text = (try? TextFile.read(FilePath("/proc/\(record.processID)/statm"), limit: 256)) ?? ""
        let fields = text.split(separator: " ")
        return fields.count > 1 ? (UInt64(fields[1]) ?? 0) &* 4096 : 0
    }
}

extension GuestRegistry {
    /// What the guests of this registry share.
    public func pool() throws(VirtualMachineError) -> HostPool { HostPool.measure(try list()) }

    /// For `create`: lets in a guest that asks for `memory` bytes where the host has them to give.
    public static func admission(
        of memory: UInt64, for what: String, overcommits: Bool
    ) -> ([GuestRecord]) throws(VirtualMachineError) -> Void {
        { running throws(VirtualMachineError) in
            if !overcommits { try HostPool.measure(running).admit(memory: memory, for: what) }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
import SystemPackage

/// What a process has used of the host, as everybody may see.
public struct ProcessUsage: Equatable, Sendable {
    /// Nanoseconds of CPU time of all its threads, in steps of the host's clock tick.
    public let cpuTime: UInt64
    /// Bytes of memory that are there for it now, those it shares included.
    public let residentMemory: UInt64

    /// Looks at the process `number`; nil where there is none.
    public init?(_ number: pid_t) {
        // proc(5): fields 14 and 15 of stat, in ticks; the second of statm, in pages.
        guard let fields = HostProcess.status(of: number),
            let memory = try? TextFile.read(FilePath("/proc/\(number)/statm"), limit: 4096)
        else { return nil }
        let pages = memory.split(separator: " ")
        guard fields.count > 12, let user = UInt64(fields[11]), let system = UInt64(fields[12]), pages.count > 1,
            let resident = UInt64(pages[1])
        else { return nil }
        let ticks = UInt64(max(1, sysconf(CInt(_SC_CLK_TCK))))
        cpuTime = (user + system) * (1_000_000_000 / ticks)
        residentMemory = resident * UInt64(max(1, sysconf(CInt(_SC_PAGESIZE))))
    }

    private init(cpuTime: UInt64, residentMemory: UInt64) {
        (self.cpuTime, self.residentMemory) = (cpuTime, residentMemory)
    }

    /// What the children of each of `parents` use together, by the parent's number. Sees no child that /proc hides.
    public static func children(of parents: Set<pid_t>) -> [pid_t: ProcessUsage] {
        var sums: [pid_t: ProcessUsage] = [:]
        for number in Directory.names("/proc").compactMap({ pid_t($0) }) {
            guard let parent = HostProcess.parent(of: number), parents.contains(parent),
                let child = ProcessUsage(number)
            else { continue }
            let sum = sums[parent] ?? ProcessUsage(cpuTime: 0, residentMemory: 0)
            sums[parent] = ProcessUsage(
                cpuTime: sum.cpuTime + child.cpuTime, residentMemory: sum.residentMemory + child.residentMemory)
        }
        return sums
    }
}

// SPDX-License-Identifier: Apache-2.0

import SystemPackage

/// What control groups around this process leave it of the host: a container's limits.
public struct ControlGroupLimits: Equatable, Sendable {
    /// CPUs' worth of time, rounded up; nil for no limit.
    public var cpus: Int?
    /// Bytes of memory; nil for no limit.
    public var memory: UInt64?
    /// Bytes that could still be used below that limit: what caches hold counts as free.
    public var availableMemory: UInt64?

    /// More than this is no limit: version 1 says the highest multiple of a page.
    private static let noLimit: UInt64 = 1 << 60

    /// The least of the limits of the own groups and those around them, of both versions (cgroups(7)).
    public static var current: ControlGroupLimits {
        measure(
            groups: (try? TextFile.read("/proc/self/cgroup", limit: 64 << 10)) ?? "",
            mounts: (try? TextFile.read("/proc/self/mounts", limit: 1 << 20)) ?? "")
    }

    static func measure(groups: String, mounts: String) -> ControlGroupLimits {
        var limits = ControlGroupLimits()
        for line in groups.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let controllers = fields[1].split(separator: ",")
            for folder in folders(mounts, controllers, String(fields[2])) {
                if controllers.isEmpty {
                    limits.takeUnified(folder)
                } else {
                    limits.takeVersion1(folder)
                }
            }
        }
        return limits
    }

    /// The group's folder and those around it, up to the mount's own.
    private static func folders(_ mounts: String, _ controllers: [Substring], _ group: String) -> [FilePath] {
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 3 else { continue }
            let options = fields[3].split(separator: ",")
            let fits =
                controllers.isEmpty
                ? fields[2] == "cgroup2" : fields[2] == "cgroup" && controllers.allSatisfy(options.contains)
            guard fits else { continue }
            // In a container the mount's root may be the group itself, and the group's path lead nowhere.
            let root = FilePath(String(fields[1]))
            var paths = [root]
            for component in FilePath(group).components where component.kind == .regular {
                paths.append(paths[paths.count - 1].appending(component))
            }
            return paths
        }
        return []
    }

    private mutating func takeUnified(_ folder: FilePath) {
        let words = Self.text(folder, "cpu.max").split(whereSeparator: \.isWhitespace)
        if words.count == 2 { takeCPUs(Int(words[0]), Int(words[1])) }
        takeMemory(
            limit: Self.number(folder, "memory.max"), used: Self.number(folder, "memory.current"),
            cached: Self.field(folder, "inactive_file"))
    }

    private mutating func takeVersion1(_ folder: FilePath) {
        takeCPUs(
            Self.number(folder, "cpu.cfs_quota_us").flatMap(Int.init(exactly:)),
            Self.number(folder, "cpu.cfs_period_us").flatMap(Int.init(exactly:)))
        takeMemory(
            limit: Self.number(folder, "memory.limit_in_bytes"), used: Self.number(folder, "memory.usage_in_bytes"),
            cached: Self.field(folder, "total_inactive_file"))
    }

    private mutating func takeCPUs(_ quota: Int?, _ period: Int?) {
        guard let quota, let period, quota > 0, period > 0 else { return }
        let count = quota / period + (quota % period == 0 ? 0 : 1)
        cpus = min(cpus ?? count, count)
    }

    private mutating func takeMemory(limit: UInt64?, used: UInt64?, cached: UInt64?) {
        guard let limit, limit < Self.noLimit else { return }
        memory = min(memory ?? limit, limit)
        let held = (used ?? 0) - min(used ?? 0, cached ?? 0)
        let free = limit - min(limit, held)
        availableMemory = min(availableMemory ?? free, free)
    }

    private static func text(_ folder: FilePath, _ name: String) -> String {
        (try? TextFile.read(folder.appending(name), limit: 64 << 10)) ?? ""
    }

    private static func number(_ folder: FilePath, _ name: String) -> UInt64? {
        UInt64(text(folder, name).prefix { $0 != "\n" })
    }

    private static func field(_ folder: FilePath, _ name: String) -> UInt64? {
        for line in text(folder, "memory.stat").split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, words[0] == name { return UInt64(words[1]) }
        }
        return nil
    }
}

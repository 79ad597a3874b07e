// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage

/// The user namespace that this process lives in (user_namespaces(7)).
enum UserNamespace {
    /// Why a process that is root here cannot become `account`, or nil where it can: a container may know no other user,
    /// and a root without capabilities is none.
    static func obstacle(to account: UserAccount) -> String? {
        let status = (try? TextFile.read("/proc/self/status", limit: 64 << 10)) ?? ""
        guard let held = capabilities(in: status) else { return "/proc/self/status cannot be read" }
        // CAP_SETGID and CAP_SETUID (capabilities(7)).
        guard held & (1 << 6) != 0, held & (1 << 7) != 0 else { return "it may not change users" }
        for (map, number) in [("uid_map", account.user), ("gid_map", account.group)] {
            let text = (try? TextFile.read(FilePath("/proc/self/\(map)"), limit: 64 << 10)) ?? ""
            guard contains(number, in: text) else { return "its user namespace has no number \(number)" }
        }
        let groups = (try? TextFile.read("/proc/self/setgroups", limit: 64)) ?? "allow"
        return groups.hasPrefix("deny") ? "its user namespace denies setgroups" : nil
    }

    /// The effective set, of the text of /proc/PID/status.
    static func capabilities(in status: String) -> UInt64? {
        for line in status.split(separator: "\n") where line.hasPrefix("CapEff:") {
            return line.split(whereSeparator: { $0 == "\t" || $0 == " " }).last.flatMap { UInt64($0, radix: 16) }
        }
        return nil
    }

    /// Whether `map`, as in /proc/PID/uid_map (inside, outside, count), has `number` inside.
    static func contains(_ number: UInt32, in map: String) -> Bool {
        map.split(separator: "\n").contains { line in
            let fields = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).compactMap { UInt64($0) }
            return fields.count == 3 && UInt64(number) >= fields[0] && UInt64(number) - fields[0] < fields[2]
        }
    }
}

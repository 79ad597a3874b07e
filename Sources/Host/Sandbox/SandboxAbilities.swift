// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
import SystemPackage

/// What this host has to confine a machine's process with.
public struct SandboxAbilities: Codable, Equatable, Sendable, CustomStringConvertible {
    /// System calls can be filtered.
    public var filtersCalls: Bool
    /// The version of the kernel's Landlock; nil where it has none, or none that is switched on.
    public var landlock: Int?
    /// Whether a machine's process can become another user: this one is root.
    public var changesUser: Bool

    /// Looks at this host.
    public static var current: SandboxAbilities {
        let version = Int(chost_landlock_version())
        let actions = try? TextFile.read("/proc/sys/kernel/seccomp/actions_avail", limit: 4096)
        return SandboxAbilities(
            filtersCalls: actions?.contains("kill_process") == true, landlock: version > 0 ? version : nil,
            changesUser: geteuid() == 0)
    }

    /// In a few words: "seccomp, landlock 7, another user".
    public var description: String {
        [
            filtersCalls ? "seccomp" : "no seccomp", landlock.map { "landlock \($0)" } ?? "no landlock",
            changesUser ? "another user" : "the same user (not started as root)",
        ].joined(separator: ", ")
    }
}

// SPDX-License-Identifier: Apache-2.0

/// What became of a process's sandbox: for its start line, its log and its record.
public struct SandboxState: Codable, Equatable, Sendable, CustomStringConvertible {
    /// What was asked for.
    public var mode: SandboxPolicy.Mode
    /// System calls are filtered.
    public var filtersCalls = false
    /// The version of Landlock that holds, where the kernel has one.
    public var landlock: Int?
    /// The user whom the process runs as.
    public var account: UserAccount
    /// What the host lacks, a sentence each.
    public var lacking: [String] = []

    init(mode: SandboxPolicy.Mode, account: UserAccount) {
        self.mode = mode
        self.account = account
    }

    /// Whether everything that was asked for holds.
    public var isWhole: Bool { mode != .off && lacking.isEmpty }

    /// In a few words: "sandbox on (seccomp, landlock 7, user nobody)".
    public var description: String {
        guard mode != .off else { return "sandbox OFF" }
        var parts: [String] = [filtersCalls ? "seccomp" : "no seccomp"]
        parts.append(landlock.map { "landlock \($0)" } ?? "no landlock")
        parts.append("user \(account)")
        return "sandbox \(isWhole ? mode.rawValue : "partial") (\(parts.joined(separator: ", ")))"
    }
}

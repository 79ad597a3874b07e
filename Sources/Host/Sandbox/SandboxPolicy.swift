// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage

/// What a process keeps when it gives up everything else.
public struct SandboxPolicy: Sendable {
    /// How far it goes.
    public enum Mode: String, Codable, CaseIterable, Sendable {
        /// Not at all.
        case off
        /// What no list names fails with an error; what only an intruder tries ends the process.
        case on
        /// As `on`, but what no list names ends the process too: for finding what a list lacks.
        case strict
    }

    /// What kind of process it is.
    enum Kind: Sendable { case machine, networkChild }

    /// Where the host's name servers are written down.
    private static let resolverFile: FilePath = "/etc/resolv.conf"

    let kind: Kind
    /// How far it goes.
    public var mode: Mode
    /// Whom a process of root's becomes.
    public var account: UserAccount
    /// Keeps a signal handler by which `SandboxProbe` makes calls on other threads: for tests.
    public var keepsProbes = false

    init(kind: Kind, mode: Mode, account: UserAccount?) {
        self.kind = kind
        self.mode = mode
        self.account = account ?? .nobody
    }

    /// For the process of a VM: what is open, memory and threads; no file, no socket, no other process.
    public static func machine(_ mode: Mode = .on, account: UserAccount? = nil) -> SandboxPolicy {
        SandboxPolicy(kind: .machine, mode: mode, account: account)
    }

    /// For the child that speaks to the network: internet sockets and the names of the host's name servers besides.
    public static func networkChild(_ mode: Mode = .on, account: UserAccount? = nil) -> SandboxPolicy {
        SandboxPolicy(kind: .networkChild, mode: mode, account: account)
    }

    var allowsNetwork: Bool { kind == .networkChild }

    /// Whether a process of root's becomes another user.
    var changesUser: Bool { mode != .off || kind == .networkChild }

    /// What may be opened for reading. Programs that write the name servers anew put another file in the old one's place:
    /// where the name is a link into a folder of theirs under /run, that folder is allowed.
    var readableFiles: [FilePath] {
        guard kind == .networkChild else { return [] }
        // SAFETY: a string for the call; realpath(3) allocates the result.
        guard let target = unsafe realpath(Self.resolverFile.string, nil) else { return [] }
        defer { unsafe free(target) }
        let file = FilePath(unsafe String(cString: target))
        let folder = file.removingLastComponent()
        return folder.starts(with: "/run") && folder.components.count > 1 ? [file, folder] : [file]
    }

    /// The filter for threads of `role`.
    func filter(_ role: ThreadRole) throws(HostError) -> SystemCallFilter {
        let rules = kind == .machine ? SystemCallTable.machine(role) : SystemCallTable.network
        return try SystemCallFilter(rules, otherwiseKills: mode == .strict)
    }
}

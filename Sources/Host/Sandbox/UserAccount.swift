// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A user of the host, to become: numbers of a user and a group.
public struct UserAccount: Codable, Hashable, Sendable, CustomStringConvertible {
    public let user: UInt32
    public let group: UInt32
    /// The user's name, where it has one.
    public let name: String?

    /// `nobody`, whom nothing belongs to; group `nogroup`.
    public static let nobody = UserAccount(user: 65534, group: 65534, name: "nobody")

    init(user: UInt32, group: UInt32, name: String?) {
        self.user = user
        self.group = group
        self.name = name
    }

    /// Reads `NAME` or `UID`, either with `:GID`. Without it the group is the account's own; a number that no account
    /// has needs one.
    public init(_ text: String) throws(HostError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let wrong = HostError(
            "'\(text)' names no user of this host", remedy: "give NAME, UID or UID:GID, as in 'nobody' or '1000:1000'")
        guard let first = parts.first, !first.isEmpty else { throw wrong }
        let number = UInt32(first)
        let account = if let number { Self.account(number) } else { Self.account(named: String(first)) }
        // The highest number means "unchanged" to the kernel (setresuid(2)).
        guard let user = number ?? account?.user, user != .max else { throw wrong }
        guard parts.count == 2 else {
            guard let account else { throw wrong }
            self = account
            return
        }
        guard let group = UInt32(parts[1]), group != .max else { throw wrong }
        self.init(user: user, group: group, name: account?.name)
    }

    /// The user whom this process runs as.
    public static var current: UserAccount {
        UserAccount(user: geteuid(), group: getegid(), name: account(geteuid())?.name)
    }

    public var description: String { name ?? String(user) }

    private static func account(_ number: UInt32) -> UserAccount? {
        // SAFETY: as `find` says.
        unsafe find { unsafe getpwuid_r(number, $0, $1, $2, $3) }
    }

    private static func account(named name: String) -> UserAccount? {
        // SAFETY: as `find` says.
        unsafe find { unsafe getpwnam_r(name, $0, $1, $2, $3) }
    }

    // SAFETY: the record and its strings live in the buffers for the length of this call.
    private static func find(
        _ body: (
            UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int,
            UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
        ) -> CInt
    ) -> UserAccount? {
        var record = unsafe passwd()
        var buffer = [CChar](repeating: 0, count: 16 << 10)
        var found: UnsafeMutablePointer<passwd>?
        return unsafe buffer.withUnsafeMutableBufferPointer { strings in
            guard let start = strings.baseAddress, unsafe body(&record, start, strings.count, &found) == 0,
                let entry = unsafe found
            else { return nil }
            return unsafe UserAccount(
                user: entry.pointee.pw_uid, group: entry.pointee.pw_gid, name: String(cString: entry.pointee.pw_name))
        }
    }
}

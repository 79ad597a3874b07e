// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProgramSupport

/// A raw disk with an ext4 on it, made and checked by the host's e2fsprogs.
struct ExtendedDisk {
    static let areToolsThere = ["/sbin/mke2fs", "/sbin/fsck.ext4", "/sbin/debugfs", "/bin/cp"].allSatisfy(
        Surroundings.has)

    let path: String
    private let scratch: Scratch

    init(megabytes: UInt64) throws {
        scratch = try Scratch()
        path = try scratch.file("disk.img", Data())
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.truncate(atOffset: megabytes << 20)
        try file.close()
        let made = try Surroundings.run("/sbin/mke2fs", ["-q", "-t", "ext4", path])
        guard made.status == 0 else { throw ApusProgram.Trouble(description: "mke2fs: \(made.output)") }
    }

    /// What `fsck -f` says of it, changing nothing; empty if it is clean.
    func damage() throws -> String {
        let checked = try Surroundings.run("/sbin/fsck.ext4", ["-f", "-n", path])
        return checked.status == 0 ? "" : checked.output
    }

    /// What is wrong with a copy of it once its journal was replayed; empty if nothing is.
    func damageBehindJournal() throws -> String {
        let copy = scratch.url("replayed").path
        try Surroundings.run("/bin/cp", ["--sparse=always", path, copy])
        // The journal alone: what else is wrong stays for the second look.
        let replayed = try Surroundings.run("/sbin/fsck.ext4", ["-E", "journal_only", "-y", copy])
        let checked = try Surroundings.run("/sbin/fsck.ext4", ["-f", "-n", copy])
        return checked.status == 0 ? "" : replayed.output + checked.output
    }

    /// The SHA-256 of a file on it.
    func sha256(_ name: String) throws -> String {
        let copy = scratch.url("copy").path
        try Surroundings.run("/sbin/debugfs", ["-R", "dump \(name) \(copy)", path])
        return try Surroundings.sha256(copy)
    }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import Host
import SystemPackage

@testable import ApusKit

/// A registry in a folder that goes with it.
final class RuntimeRig: Sendable {
    let path: FilePath
    let registry: GuestRegistry

    init() throws {
        path = FilePath(FileManager.default.temporaryDirectory.appending(path: "apus-rt-\(UUID().uuidString)").path)
        registry = GuestRegistry(folder: try RuntimeFolder(path: path, user: HostProcess.userID))
    }

    deinit { try? FileManager.default.removeItem(atPath: path.string) }

    var guests: FilePath { path.appending("guests") }

    /// What the guests' folder holds, hidden or not.
    var names: [String] { Directory.names(guests).sorted() }

    /// A guest's draft.
    func draft(_ name: String? = nil) throws -> GuestRecord {
        GuestRecord(name: try name.map { try GuestName(parsing: $0) })
    }

    /// A guest in a process of its own, as after a start: nobody but that process holds its lock.
    func guestProcess(_ name: String? = nil) throws -> (entry: GuestEntry, process: ChildProcess) {
        let entry = try registry.create(try draft(name))
        let process = try ChildProcess("/bin/sleep", ["600"], descriptors: [4: entry.lockDescriptor])
        entry.close()
        return (entry, process)
    }

    /// What a dead process left of an entry that it was making or running.
    func leftover(_ name: String, files: [String]) throws {
        try Directory.make(guests)
        try Directory.make(guests.appending(name))
        for file in files {
            try TextFile.replace(guests.appending(name).appending(file), with: "{}", isDurable: false)
        }
    }
}

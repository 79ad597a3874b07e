// SPDX-License-Identifier: Apache-2.0

import Host
import SystemPackage

/// The folder of what runs now: gone with the host's boot, and nobody else's to write.
///
/// It is `$APUS_HOME/run`, else `$XDG_RUNTIME_DIR/apus` (XDG Base Directory Specification), else `/run/apus` for root
/// and `/tmp/apus-UID` for others. Whoever may write there could put a socket of his own in the place of a guest's, so a
/// folder that is not this user's alone is refused.
public struct RuntimeFolder: Sendable {
    /// Where it is.
    public let path: FilePath

    /// The user's, made where it is not there.
    public init() throws(VirtualMachineError) {
        try self.init(
            path: RuntimeFolder.place(user: HostProcess.userID, variable: HostProcess.environment),
            user: HostProcess.userID)
    }

    /// The one at `path`, made where it is not there; it must be `user`'s.
    init(path: FilePath, user: UInt32) throws(VirtualMachineError) {
        do throws(HostError) {
            try Directory.makeWithParents(path)
        } catch {
            throw VirtualMachineError(
                .host, "\(error.description); set APUS_HOME to a folder where this user may write")
        }
        try RuntimeFolder.check(path, user: user)
        self.path = path
    }

    static func place(user: UInt32, variable: (String) -> String?) throws(VirtualMachineError) -> FilePath {
        if let home = variable("APUS_HOME") {
            guard home.hasPrefix("/") else {
                throw VirtualMachineError(
                    .configuration, "APUS_HOME is '\(home)', which is no absolute path; it must begin with a slash")
            }
            return FilePath(home).appending("run")
        }
        // The specification: a relative path is invalid, and the folder is the user's own. It is another user's where
        // one became root and kept the environment.
        if let folder = variable("XDG_RUNTIME_DIR"), folder.hasPrefix("/"),
            let status = try? Stat(FilePath(folder), followTargetSymlink: true), status.type == .directory,
            status.userID.rawValue == user
        {
            return FilePath(folder).appending("apus")
        }
        return user == 0 ? "/run/apus" : FilePath("/tmp/apus-\(user)")
    }

    private static func check(_ path: FilePath, user: UInt32) throws(VirtualMachineError) {
        let status: Stat
        do {
            // Not over a link: in /tmp anybody may have laid one.
            status = try Stat(path, followTargetSymlink: false)
        } catch {
            throw VirtualMachineError(.host, "cannot look at the runtime folder '\(path)': \(error)")
        }
        func refusal(_ why: String) -> VirtualMachineError {
            VirtualMachineError(
                .host, "the runtime folder '\(path)' \(why); remove it, or set APUS_HOME to a folder of your own")
        }
        guard status.type == .directory else { throw refusal("is no folder") }
        guard status.userID.rawValue == user else {
            throw refusal("belongs to user \(status.userID.rawValue), not to you (\(user))")
        }
        guard status.permissions.isDisjoint(with: [.groupWrite, .otherWrite]) else {
            throw refusal("can be written by others")
        }
    }
}

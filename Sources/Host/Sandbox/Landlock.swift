// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
import SystemPackage

/// The kernel's Landlock: what files, connections and processes a thread may reach, enforced by the objects themselves
/// (landlock(7)). Everything this kernel's version can forbid is forbidden, but for the paths given.
struct Landlock: ~Copyable {
    /// The version of the kernel's Landlock, from 1.
    let version: Int
    /// The rules, to be taken on by each thread.
    let rules: Descriptor

    /// What reading a file needs: LANDLOCK_ACCESS_FS_READ_FILE.
    private static let readFile: UInt64 = 1 << 2

    /// Rules under which only files at or beneath `readable` may be opened, for reading. Paths that do not exist are
    /// left out. With `allowsNetwork` TCP is not looked at.
    ///
    /// Throws what the kernel answers where it has no Landlock, or does not let this process have it.
    init(readable: [FilePath], allowsNetwork: Bool) throws(HostError) {
        let version = chost_landlock_version()
        guard version > 0 else {
            throw HostError("this kernel has no Landlock", Errno(rawValue: -version))
        }
        let number = chost_landlock_rules(
            Self.files(version), allowsNetwork ? 0 : Self.network(version), Self.scopes(version))
        guard number >= 0 else { throw HostError("cannot make rules of Landlock", Errno(rawValue: -number)) }
        let made = Descriptor(owning: FileDescriptor(rawValue: number))
        for path in readable {
            // O_PATH needs no right on the file; the rule is for what it names now, links followed.
            let place = unsafe Glibc.open(path.string, 0x20_0000 | O_CLOEXEC)  // SAFETY: a string for the call.
            guard place >= 0 else { continue }
            let error = chost_landlock_allow(made.number, place, Self.readFile)
            Glibc.close(place)
            if error != 0 { throw HostError("cannot allow '\(path)' by Landlock", Errno(rawValue: error)) }
        }
        self.version = Int(version)
        rules = made
    }

    /// LANDLOCK_ACCESS_FS_*: 13 rights at first, then moving, truncating, and ioctls of devices.
    static func files(_ version: CInt) -> UInt64 {
        let count: UInt64 =
            switch version {
            case ...1: 13
            case 2: 14
            case 3, 4: 15
            default: 16
            }
        return (1 << count) - 1
    }

    /// LANDLOCK_ACCESS_NET_BIND_TCP and _CONNECT_TCP.
    static func network(_ version: CInt) -> UInt64 { version >= 4 ? 3 : 0 }

    /// LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET and _SIGNAL.
    static func scopes(_ version: CInt) -> UInt64 { version >= 6 ? 3 : 0 }
}

// SPDX-License-Identifier: Apache-2.0

import Glibc
public import SystemPackage

/// Which file it is, whatever it is called.
public struct FileIdentity: Hashable, Codable, Sendable {
    private let device: dev_t
    private let inode: ino_t

    /// What `path` names, a symbolic link itself; nil where nothing can be seen there.
    public init?(_ path: FilePath) {
        var status = stat()
        // SAFETY: fills the local.
        guard unsafe lstat(path.string, &status) == 0 else { return nil }
        (device, inode) = (status.st_dev, status.st_ino)
    }

    /// The open file of `descriptor`.
    public init?(_ descriptor: FileDescriptor) {
        var status = stat()
        // SAFETY: fills the local.
        guard unsafe fstat(descriptor.rawValue, &status) == 0 else { return nil }
        (device, inode) = (status.st_dev, status.st_ino)
    }

    /// What `path` leads to, over symbolic links.
    public init?(following path: FilePath) {
        var status = stat()
        // SAFETY: fills the local.
        guard unsafe stat(path.string, &status) == 0 else { return nil }
        (device, inode) = (status.st_dev, status.st_ino)
    }
}

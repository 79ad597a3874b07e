// SPDX-License-Identifier: Apache-2.0

import Glibc
import Host
import SystemPackage

/// A descriptor for output and how to write to it without ever blocking.
///
/// Blocking or not is a property of the open file, which an inherited descriptor shares with the user's shell: setting
/// it would outlive this process. So a pipe or terminal is opened a second time, by its name under /proc, with a mode
/// of its own. Where that is refused (another user's terminal, a socket), writes are small and only when it is ready.
final class OutputDescriptor: Sendable {
    let descriptor: FileDescriptor
    /// Write only when `isReady`, and little.
    let mayBlock: Bool
    private let isOwned: Bool

    /// Output to `inherited`, which somebody else owns and whose mode stays as it is.
    convenience init(inherited: FileDescriptor) {
        var status = stat()
        // SAFETY: fills the local.
        let known = unsafe fstat(inherited.rawValue, &status) == 0
        switch known ? status.st_mode & S_IFMT : 0 {
        case S_IFREG, S_IFDIR, S_IFBLK:
            // Never waits for a reader, and the offset and append mode are the shell's business.
            self.init(inherited, mayBlock: false, isOwned: false)
        case S_IFIFO, S_IFCHR:
            let path = FilePath("/proc/self/fd/\(inherited.rawValue)")
            if let own = try? Descriptor.open(path, .writeOnly, options: [.nonBlocking, .noControllingTerminal]) {
                self.init(own.take(), mayBlock: false, isOwned: true)
            } else {
                self.init(inherited, mayBlock: true, isOwned: false)
            }
        default: self.init(inherited, mayBlock: true, isOwned: false)
        }
    }

    /// Output to a descriptor of our own, which does not block.
    convenience init(nonBlocking descriptor: FileDescriptor) {
        self.init(descriptor, mayBlock: false, isOwned: false)
    }

    private init(_ descriptor: FileDescriptor, mayBlock: Bool, isOwned: Bool) {
        self.descriptor = descriptor
        self.mayBlock = mayBlock
        self.isOwned = isOwned
    }

    deinit { if isOwned { try? descriptor.close() } }

    /// Whether a write takes something now.
    var isReady: Bool {
        var entry = pollfd(fd: descriptor.rawValue, events: Int16(POLLOUT), revents: 0)
        // SAFETY: one entry, the local.
        return unsafe poll(&entry, 1, 0) > 0
    }
}

extension FileDescriptor.OpenOptions {
    /// Opening a terminal does not make it this process's own.
    fileprivate static var noControllingTerminal: Self { Self(rawValue: O_NOCTTY) }
}

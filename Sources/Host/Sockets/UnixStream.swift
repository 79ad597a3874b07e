// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
public import SystemPackage

/// Connections of unix sockets.
public enum UnixStream {
    /// Connects to the socket at `path`; the connection does not block.
    public static func connect(_ path: FilePath) throws(HostError) -> Descriptor {
        guard path.string.utf8.count <= 107 else {
            throw HostError("the socket path '\(path)' has more than the 107 bytes that Linux takes")
        }
        let number = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw HostError("cannot make a socket", .current) }
        let made = Descriptor(owning: FileDescriptor(rawValue: number))
        // Blocks while the listener's queue is full, and not for ever: a listener may hang.
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        // SAFETY: a local of the size that is given.
        unsafe _ = setsockopt(
            number, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        if let error = UnixAddress.connect(number, path) { throw HostError("cannot connect to '\(path)'", error) }
        try made.raw.setNonBlocking(true)
        return made
    }

    /// A process at the other end of a connection, as it was when it connected or made the pair.
    public struct Peer: Equatable, Sendable {
        public var processID: pid_t
        public var userID: uid_t

        public init(processID: pid_t, userID: uid_t) {
            self.processID = processID
            self.userID = userID
        }
    }

    /// Who is at the other end (unix(7), SO_PEERCRED); nil where `descriptor` is no unix socket.
    public static func peer(of descriptor: FileDescriptor) -> Peer? {
        var (process, user): (CInt, UInt32) = (0, 0)
        // SAFETY: fills the locals.
        guard unsafe chost_peer(descriptor.rawValue, &process, &user) == 0 else { return nil }
        return Peer(processID: process, userID: user)
    }

    /// Ends a connection both ways: the other side hears of it now, whoever still has the descriptor.
    public static func shutDown(_ descriptor: FileDescriptor) { _ = shutdown(descriptor.rawValue, CInt(SHUT_RDWR)) }

    /// Whether the other side of a stream has closed it, both ways.
    public static func isHungUp(_ descriptor: FileDescriptor) -> Bool {
        var entry = pollfd(fd: descriptor.rawValue, events: 0, revents: 0)
        // SAFETY: one entry, the local.
        return unsafe poll(&entry, 1, 0) > 0 && entry.revents & Int16(POLLHUP | POLLERR) != 0
    }
}

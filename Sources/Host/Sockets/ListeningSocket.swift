// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
public import SystemPackage
import Synchronization

/// A unix socket that waits for connections at a path, for this user alone.
public final class ListeningSocket: Sendable {
    /// Where it is.
    public let path: FilePath
    /// Ready for reading when somebody connects.
    public let descriptor: FileDescriptor
    /// What was made at the path, so that only that is removed.
    private let identity: FileIdentity?
    private let isClosed = Atomic<Bool>(false)
    private let leavesFile: Bool

    /// Listens at `path`. A socket there that nobody listens at any more is replaced; anything else is refused. The
    /// kernel keeps `backlog` connections that wait to be accepted. With `leavesFile` the socket's file stays when this
    /// goes: a confined process could not remove it.
    public init(_ path: FilePath, backlog: Int = 8, leavesFile: Bool = false) throws(HostError) {
        self.leavesFile = leavesFile
        guard path.string.utf8.count <= 107 else {
            throw HostError(
                "the socket path '\(path)' has \(path.string.utf8.count) bytes, and 107 are the most",
                remedy: "choose a shorter one")
        }
        let number = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard number >= 0 else { throw HostError("cannot make a socket", .current) }
        let made = Descriptor(owning: FileDescriptor(rawValue: number))
        // The file gets the socket's mode, so that nobody else connects between bind and a chmod.
        guard fchmod(number, 0o600) == 0 else { throw HostError("cannot protect the socket '\(path)'", .current) }
        var error = UnixAddress.bind(number, path)
        if error == .addressInUse, Self.isStale(path) {
            Self.remove(path)
            error = UnixAddress.bind(number, path)
        }
        if let error {
            throw HostError(
                "cannot listen at '\(path)'", error,
                remedy: error == .addressInUse ? "choose another path, or remove what is there" : nil)
        }
        guard listen(number, CInt(backlog)) == 0 else { throw HostError("cannot listen at '\(path)'", .current) }
        self.path = path
        identity = FileIdentity(path)
        descriptor = made.take()
    }

    deinit { close() }

    /// The next connection, which does not block; nil where nobody waits.
    public func accept() -> FileDescriptor? {
        let connection = chost_accept(descriptor.rawValue)
        return connection >= 0 ? FileDescriptor(rawValue: connection) : nil
    }

    /// Stops listening and removes the socket's file.
    public func close() {
        guard !isClosed.exchange(true, ordering: .relaxed) else { return }
        if !leavesFile, let identity, FileIdentity(path) == identity { Self.remove(path) }
        try? descriptor.close()
    }

    /// Removes the socket at `path` where it is the one of this identity and nobody listens at it any more. A process
    /// that is just ending may do so for moments yet, which are waited for.
    public static func clear(_ path: FilePath, _ identity: FileIdentity) {
        for _ in 0..<50 where FileIdentity(path) == identity && isSocket(path) {
            if isStale(path) { return remove(path) }
            usleep(10_000)
        }
    }

    private static func remove(_ path: FilePath) {
        // SAFETY: a NUL-terminated string for the call.
        unsafe _ = unlink(path.string)
    }

    private static func isSocket(_ path: FilePath) -> Bool {
        var status = stat()
        // SAFETY: fills the local.
        return unsafe lstat(path.string, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
    }

    /// Whether a socket is there at which nobody listens.
    private static func isStale(_ path: FilePath) -> Bool {
        guard isSocket(path) else { return false }
        let probe = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard probe >= 0 else { return false }
        defer { Glibc.close(probe) }
        return UnixAddress.connect(probe, path) == .connectionRefused
    }
}

/// Calls that take the address of a unix socket, of which the path has at most 107 bytes: the errno, or nil.
enum UnixAddress {
    static func bind(_ number: CInt, _ path: FilePath) -> Errno? {
        // SAFETY: the address lives for the call.
        unsafe with(path) { unsafe Glibc.bind(number, $0, $1) }
    }

    static func connect(_ number: CInt, _ path: FilePath) -> Errno? {
        // SAFETY: as above.
        unsafe with(path) { unsafe Glibc.connect(number, $0, $1) }
    }

    private static func with(_ path: FilePath, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt) -> Errno? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // SAFETY: the path and a NUL fit; a sockaddr_un is used as the sockaddr that it begins with.
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.string.utf8.prefix(107)) }
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        return result == -1 ? .current : nil
    }
}

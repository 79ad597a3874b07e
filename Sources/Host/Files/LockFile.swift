// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
public import SystemPackage

/// A file whose lock says that somebody is there.
///
/// The lock is flock(2)'s: it belongs to the open file, is shared with every process that inherits the descriptor, and
/// is gone with the last of them, however they end. So it outlives its maker in a child that was given it, and never
/// goes stale.
public struct LockFile: ~Copyable, Sendable {
    private let descriptor: Descriptor

    /// The open file that is locked, to be handed to a child.
    public var raw: FileDescriptor { descriptor.raw }

    /// Takes over an inherited descriptor of the locked file at `path`; refuses one that is another file's or unlocked.
    public init(inherited descriptor: FileDescriptor, path: FilePath) throws(HostError) {
        let owned = Descriptor(owning: descriptor)
        guard fcntl(owned.number, F_SETFD, FD_CLOEXEC) == 0, let identity = FileIdentity(descriptor),
            identity == FileIdentity(path)
        else {
            throw HostError("file descriptor \(descriptor.rawValue) is not the lock '\(path)'")
        }
        guard try Self.lock(owned.raw, LOCK_EX | LOCK_NB, path) else {
            throw HostError("the lock '\(path)' is held by another process")
        }
        self.descriptor = owned
    }

    private init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

    /// Locks the file at `path`, which is made if it is not there; nil if somebody else holds it.
    public static func take(_ path: FilePath) throws(HostError) -> LockFile? { try take(path, LOCK_EX | LOCK_NB) }

    /// Locks the file at `path` and waits for other holders, as long as they take. Blocks its thread.
    public static func wait(_ path: FilePath) throws(HostError) -> LockFile {
        while true {
            if let taken = try take(path, LOCK_EX) { return taken }
        }
    }

    private static func take(_ path: FilePath, _ kind: CInt) throws(HostError) -> LockFile? {
        while true {
            let opened = try open(path, options: .create)
            guard try lock(opened.raw, kind, path) else { return nil }
            // Whoever held it may have removed the file meanwhile: the lock to have is the one at the path.
            if FileIdentity(opened.raw) == FileIdentity(path) { return LockFile(opened) }
        }
    }

    /// Locks the file at `path` and waits for other holders, `milliseconds` at most. Blocks its thread.
    public static func wait(_ path: FilePath, milliseconds: UInt64) throws(HostError) -> LockFile {
        let deadline = MonotonicTime.after(milliseconds: milliseconds)
        while true {
            if let taken = try take(path) { return taken }
            guard MonotonicTime.now < deadline else {
                throw HostError(
                    "'\(path)' has been locked by another process for \(milliseconds / 1000) seconds",
                    remedy: "look for an apus that hangs, and end it")
            }
            usleep(5_000)
        }
    }

    /// Whether a process holds the lock of the file at `path`; false where there is no such file.
    public static func isHeld(_ path: FilePath) throws(HostError) -> Bool {
        do throws(HostError) {
            let opened = try open(path, options: [])
            // Shared, so that two who look at once do not take each other for the holder.
            return try !lock(opened.raw, LOCK_SH | LOCK_NB, path)
        } catch {
            if error.errno == .noSuchFileOrDirectory { return false }
            throw error
        }
    }

    private static func open(
        _ path: FilePath, options: FileDescriptor.OpenOptions
    ) throws(HostError) -> Descriptor {
        try Descriptor.open(path, .readWrite, options: options.union([.noFollow, .nonBlocking]))
    }

    private static func lock(_ file: FileDescriptor, _ kind: CInt, _ path: FilePath) throws(HostError) -> Bool {
        switch retryingInterrupts({ flock(file.rawValue, kind) }) {
        case .success: return true
        case .failure(.wouldBlock): return false
        case .failure(let error):
            throw HostError("cannot lock '\(path)'", error, remedy: "use a file system that has locks")
        }
    }
}

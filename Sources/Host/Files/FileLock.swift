// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
public import SystemPackage

/// A lock on a whole file, held by an open descriptor and gone with it.
///
/// It is an open-file-description lock: closing another descriptor of the same file does not lose it, and programs that
/// lock byte ranges the same way, QEMU among them, see it. It guards against honest programs, not against all.
public enum FileLock {
    /// Who may hold the lock besides.
    public enum Kind: Sendable {
        /// Nobody.
        case exclusive
        /// Others that share it too.
        case shared
    }

    /// Locks `descriptor`, the open file of `path`, or throws with the holder named: as `name` does, where it knows who
    /// that is, else as far as it can be seen.
    public static func acquire(
        _ kind: Kind, on descriptor: FileDescriptor, path: FilePath, holder name: () -> String? = { nil }
    ) throws(HostError) {
        var result = chost_lock_file(descriptor.rawValue, kind == .exclusive)
        // A lock lives as long as any copy of its descriptor: for a moment more in a holder that is just dying, or in a
        // program that another thread is just starting, until its exec.
        for _ in 0..<10 where result == -EAGAIN {
            usleep(10_000)
            result = chost_lock_file(descriptor.rawValue, kind == .exclusive)
        }
        switch Errno(rawValue: -result) {
        case _ where result == 0: return
        case .resourceTemporarilyUnavailable:
            let holder = name() ?? holder(of: descriptor).map { $0.description } ?? "another process"
            throw HostError(
                "'\(path)' is in use by \(holder)",
                remedy: kind == .exclusive
                    ? "stop that one, or open the file read-only in both" : "stop that one first")
        case let error:
            throw HostError("cannot lock '\(path)'", error, remedy: "use a file system that has locks")
        }
    }

    /// A process that holds a lock.
    public struct Holder: Equatable, Sendable, CustomStringConvertible {
        public let pid: pid_t
        /// The program's name; empty where it cannot be seen.
        public let name: String

        public var description: String {
            let who = name.isEmpty ? "process \(pid)" : "process \(pid) (\(name))"
            return pid == getpid() ? "this process" : who
        }
    }

    /// Who holds a lock on the file of `descriptor` by another descriptor: the first one found whose descriptors this
    /// user may see. The kernel does not tell the holder of such a lock, but it lists the locks of each descriptor
    /// (proc(5), /proc/PID/fdinfo).
    public static func holder(of descriptor: FileDescriptor) -> Holder? {
        var status = stat()
        // SAFETY: fills the local.
        guard unsafe fstat(descriptor.rawValue, &status) == 0 else { return nil }
        let inode = ":\(status.st_ino) "
        let own = getpid()
        let processes = Directory.names("/proc").compactMap { pid_t($0) }
        // Ourselves last: the usual holder is somebody else, and our own new descriptor holds nothing.
        for pid in processes.filter({ $0 != own }) + [own] {
            for number in Directory.names(FilePath("/proc/\(pid)/fdinfo")) {
                let path = FilePath("/proc/\(pid)/fdinfo/\(number)")
                guard let info = try? TextFile.read(path, limit: 64 << 10) else { continue }
                let locks = info.split(separator: "\n").filter { $0.hasPrefix("lock:") }
                guard locks.contains(where: { $0.contains(inode) }) else { continue }
                let name = (try? TextFile.read(FilePath("/proc/\(pid)/comm"), limit: 64)) ?? ""
                return Holder(pid: pid, name: String(name.prefix { $0 != "\n" }))
            }
        }
        return nil
    }
}

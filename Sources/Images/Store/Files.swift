// SPDX-License-Identifier: Apache-2.0
//
// The one file of this target that calls libc: what swift-system has no name for yet.
import Glibc
import SystemPackage

/// Operations on the host's files, with errors that name the operation and the path.
enum Files {
    /// What `lstat` tells of `path`, or nil where nothing is.
    static func status(_ path: FilePath) throws(ImageError) -> Stat? {
        do {
            return try Stat(path, followTargetSymlink: false)
        } catch Errno.noSuchFileOrDirectory {
            return nil
        } catch {
            throw failure("look at", path, error)
        }
    }

    static func exists(_ path: FilePath) -> Bool {
        (try? Stat(path, followTargetSymlink: true)) != nil
    }

    /// Whether this process may execute `path`.
    static func isExecutable(_ path: FilePath) -> Bool {
        // SAFETY: the string lives until the call returns, which keeps nothing of it.
        unsafe path.withPlatformString { unsafe access($0, X_OK) } == 0
    }

    /// Makes the folder and those above it; one that exists is fine.
    static func makeFolders(_ path: FilePath) throws(ImageError) {
        if exists(path) { return }
        let above = path.removingLastComponent()
        if !above.isEmpty && above != path { try makeFolders(above) }
        try makeFolder(path)
    }

    static func makeFolder(_ path: FilePath, mode: UInt32 = 0o755) throws(ImageError) {
        // SAFETY: as above.
        let result = unsafe path.withPlatformString { unsafe mkdir($0, mode) }
        if result != 0 && errno != EEXIST { throw failure("make the folder", path) }
    }

    static func makeSymbolicLink(at path: FilePath, to target: String) throws(ImageError) {
        // SAFETY: as above.
        let result = unsafe path.withPlatformString { link in unsafe target.withCString { unsafe symlink($0, link) } }
        if result != 0 { throw failure("make the symbolic link", path) }
    }

    /// The target of the symbolic link at `path`.
    static func symbolicLinkTarget(_ path: FilePath) throws(ImageError) -> String {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe path.withPlatformString { link in
            unsafe buffer.withUnsafeMutableBytes { bytes in
                // SAFETY: readlink writes at most `bytes.count` bytes into a buffer of that size.
                unsafe bytes.withMemoryRebound(to: CChar.self) { text in
                    unsafe text.baseAddress.map { unsafe readlink(link, $0, text.count) } ?? -1
                }
            }
        }
        if count < 0 { throw failure("read the symbolic link", path) }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }

    static func rename(_ from: FilePath, to: FilePath) throws(ImageError) {
        let result = unsafe from.withPlatformString { old in
            // SAFETY: as above.
            unsafe to.withPlatformString { new in unsafe Glibc.rename(old, new) }
        }
        if result != 0 { throw failure("move \(from) to", to) }
    }

    /// The names in a folder, sorted, without `.` and `..`.
    static func names(in folder: FilePath) throws(ImageError) -> [String] {
        // SAFETY: the stream is closed below, and each entry is copied before the next is read.
        guard let stream = unsafe folder.withPlatformString({ unsafe opendir($0) }) else {
            throw failure("list", folder)
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        // SAFETY: as above.
        while let entry = unsafe readdir(stream) {
            // SAFETY: d_name ends with a zero inside the entry.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
                unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Removes a file, or a folder and all below it, following no symbolic link. Nothing there is fine.
    static func remove(_ path: FilePath) throws(ImageError) {
        guard let status = try status(path) else { return }
        if status.type == .directory {
            for name in try names(in: path) { try remove(path.appending(name)) }
        }
        let isFolder = status.type == .directory
        // SAFETY: as above.
        let result = unsafe path.withPlatformString { unsafe isFolder ? rmdir($0) : unlink($0) }
        if result != 0 && errno != ENOENT { throw failure("remove", path) }
    }

    /// The whole file; refuses one larger than `limit`.
    static func read(_ path: FilePath, limit: Int) throws(ImageError) -> [UInt8] {
        do {
            let file = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .noFollow])
            return try file.closeAfter {
                let size = try Int(file.stat().size)
                guard size <= limit else { throw ImageError.malformed(file: "\(path)", reason: "it is too large") }
                var bytes: [UInt8] = []
                bytes.reserveCapacity(size)
                var chunk = [UInt8](repeating: 0, count: min(max(size, 1), 1 << 20))
                while bytes.count <= limit {
                    let count = try unsafe chunk.withUnsafeMutableBytes { bytes in
                        // SAFETY: reads into the array's own storage.
                        try unsafe file.read(into: bytes)
                    }
                    if count == 0 { return bytes }
                    bytes.append(contentsOf: chunk[..<count])
                }
                throw ImageError.malformed(file: "\(path)", reason: "it grows while it is read")
            }
        } catch let error as ImageError {
            throw error
        } catch {
            throw failure("read", path, error)
        }
    }

    /// Writes a new file; one that exists is replaced.
    static func write(_ bytes: some Sequence<UInt8>, to path: FilePath) throws(ImageError) {
        do {
            let file = try FileDescriptor.open(
                path, .writeOnly, options: [.create, .truncate, .closeOnExec, .noFollow],
                permissions: FilePermissions(rawValue: 0o644))
            try file.closeAfter { _ = try file.writeAll(bytes) }
        } catch {
            throw failure("write", path, error)
        }
    }

    static func failure(_ what: String, _ path: FilePath, _ error: any Error = Errno(rawValue: errno)) -> ImageError {
        .system(what: "\(what) \(path)", reason: "\(error)")
    }

    /// The major and minor number of a device file.
    static func deviceNumbers(_ status: Stat) -> (major: UInt32, minor: UInt32) {
        // gnu_dev_major and gnu_dev_minor of glibc: both halves are split.
        let device = UInt64(status.specialDeviceID.rawValue)
        let major = (device >> 8 & 0xFFF) | (device >> 32 & 0xFFFF_F000)
        let minor = (device & 0xFF) | (device >> 12 & 0xFFFF_FF00)
        return (UInt32(truncatingIfNeeded: major), UInt32(truncatingIfNeeded: minor))
    }

    /// The value of an environment variable, or nil where it is unset or empty.
    static func environment(_ name: String) -> String? {
        // SAFETY: getenv's string is copied at once; nothing in this process changes the environment.
        guard let value = unsafe getenv(name), unsafe value.pointee != 0 else { return nil }
        return unsafe String(cString: value)
    }

    /// The path of the running program.
    static func programPath() -> FilePath? {
        (try? symbolicLinkTarget("/proc/self/exe")).map { FilePath($0) }
    }

    static var processNumber: Int32 { getpid() }
    static var isRoot: Bool { geteuid() == 0 }

    /// Seconds since 1970.
    static var now: Int64 { Int64(time(nil)) }
}

// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
public import SystemPackage

/// Copies of large files that take as little space as the host's file systems can arrange.
public enum FileCopy {
    /// How a copy came to be.
    public enum Method: Equatable, Sendable {
        /// The two share their blocks until one is written.
        case shared
        /// The data were copied, and holes stayed holes.
        case sparse
    }

    private static let piece = 1 << 20

    /// Makes a new file `target`, of this user's alone, with the content of the regular file `source`. Nothing is left of
    /// it where that fails.
    @discardableResult
    public static func make(_ source: FilePath, to target: FilePath) throws(HostError) -> Method {
        let from = try Descriptor.open(source, .readOnly)
        let to = try Descriptor.open(target, .readWrite, options: [.create, .exclusiveCreate])
        do throws(HostError) {
            return try fill(to.raw, from: from.raw, source, target)
        } catch {
            // SAFETY: a NUL-terminated string for the call.
            unsafe _ = unlink(target.string)
            throw error
        }
    }

    /// Gives the empty file `to` the content of `from`; the paths are for errors.
    public static func fill(
        _ to: FileDescriptor, from: FileDescriptor, _ source: FilePath, _ target: FilePath
    ) throws(HostError) -> Method {
        // Refused across file systems, and by most that are no copy-on-write ones: no matter why, copying is left.
        if chost_clone_file(to.rawValue, from.rawValue) == 0 { return .shared }
        var status = stat()
        // SAFETY: fills the local.
        guard unsafe fstat(from.rawValue, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw HostError("'\(source)' is no file that can be copied")
        }
        // The length first, so that a file system that is too small for it says so at once.
        guard ftruncate(to.rawValue, status.st_size) == 0 else {
            throw failure(source, target, .current, needed: Int64(status.st_blocks) * 512)
        }
        do throws(Errno) {
            try copyData(from: from, to: to, size: Int64(status.st_size))
        } catch {
            throw failure(source, target, error, needed: Int64(status.st_blocks) * 512)
        }
        return .sparse
    }

    private static func copyData(from: FileDescriptor, to: FileDescriptor, size: Int64) throws(Errno) {
        var buffer = [UInt8](repeating: 0, count: piece)
        var position: Int64 = 0
        while position < size {
            var end = size
            // SAFETY: fills the local.
            let start = unsafe chost_next_data(from.rawValue, position, &end)
            switch start {
            case -Int64(ENXIO): return
            // A file system that cannot tell holes has data only.
            case -Int64(EINVAL): end = size
            case ..<0: throw Errno(rawValue: CInt(-start))
            default: position = start
            }
            while position < end {
                let count = try read(from, into: &buffer, at: position, count: min(Int64(piece), end - position))
                // It became shorter meanwhile.
                if count == 0 { return }
                try write(to, buffer[..<count], at: position)
                position += Int64(count)
            }
        }
    }

    private static func read(
        _ file: FileDescriptor, into buffer: inout [UInt8], at position: Int64, count: Int64
    ) throws(Errno) -> Int {
        // SAFETY: at most `piece` bytes into the array's own storage, for the length of the call.
        let result = unsafe buffer.withUnsafeMutableBytes { bytes in
            retryingInterrupts { unsafe pread(file.rawValue, bytes.baseAddress, Int(count), off_t(position)) }
        }
        return try result.get()
    }

    private static func write(
        _ file: FileDescriptor, _ bytes: ArraySlice<UInt8>, at position: Int64
    ) throws(Errno) {
        var done = 0
        while done < bytes.count {
            // SAFETY: the rest of the slice's own storage, for the length of the call.
            let result = unsafe bytes.withUnsafeBytes { bytes in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
                return retryingInterrupts {
                    unsafe pwrite(file.rawValue, rest.baseAddress, rest.count, off_t(position) + done)
                }
            }
            done += try result.get()
        }
    }

    private static func failure(
        _ source: FilePath, _ target: FilePath, _ error: Errno, needed: Int64
    ) -> HostError {
        var remedy: String?
        if error == .noSpace {
            remedy = "its data take \(needed >> 20) MiB; make room there"
        }
        return HostError("cannot copy '\(source)' to '\(target)'", error, remedy: remedy)
    }
}

// SPDX-License-Identifier: Apache-2.0

import Glibc
public import SystemPackage

/// A regular file, open to be read now and again later, by parts, for as long as it stays what it was when it was
/// opened. It may lose its name meanwhile; one that is written to is refused.
public final class StableFile: Sendable {
    /// Its size in bytes.
    public let size: UInt64
    /// The path that it was opened by.
    public let path: FilePath
    private let descriptor: Descriptor
    private let modified: Moment

    private struct Moment: Equatable, Sendable {
        let seconds: Int
        let nanoseconds: Int
        let size: Int
    }

    private init(_ path: FilePath, _ descriptor: consuming Descriptor, _ moment: Moment) {
        self.path = path
        self.descriptor = descriptor
        modified = moment
        size = UInt64(moment.size)
    }

    /// Opens `path`; nil where it is no regular file.
    public static func open(_ path: FilePath) throws(HostError) -> StableFile? {
        let descriptor = try Descriptor.open(path, .readOnly)
        guard let moment = moment(descriptor.raw) else { return nil }
        return StableFile(path, descriptor, moment)
    }

    /// Fills `buffer` from `offset` on.
    public func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(HostError) {
        var done = 0
        while done < buffer.count {
            let count: Int
            do {
                // SAFETY: a part of the caller's buffer, for the length of the call.
                count = try unsafe descriptor.raw.read(
                    fromAbsoluteOffset: Int64(offset) + Int64(done),
                    into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...]))
            } catch {
                throw HostError("cannot read '\(path)'", error as? Errno)
            }
            guard count > 0 else { break }
            done += count
        }
        // A sandbox may not let the file be asked; then it is only noticed that it has become shorter.
        let now = Self.moment(descriptor.raw) ?? modified
        guard done == buffer.count, now == modified else {
            throw HostError("'\(path)' was changed while a machine uses it", remedy: "start the machine anew")
        }
    }

    /// `count` bytes from `offset`.
    public func bytes(at offset: UInt64, count: Int) throws(HostError) -> [UInt8] {
        var failure: HostError?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            // SAFETY: the array's own storage, of at least `count` bytes; what was not read is not counted as filled.
            let whole = unsafe UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: count)
            do throws(HostError) {
                try unsafe read(at: offset, into: whole)
                filled = count
            } catch {
                failure = error
                filled = 0
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// When a regular file was last written to, and its size; nil for anything else.
    private static func moment(_ descriptor: FileDescriptor) -> Moment? {
        var status = stat()
        // SAFETY: fills the local.
        guard unsafe fstat(descriptor.rawValue, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Moment(
            seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec, size: Int(status.st_size))
    }
}

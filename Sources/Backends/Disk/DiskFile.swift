// SPDX-License-Identifier: Apache-2.0

import Glibc
public import Host
public import SystemPackage

/// A raw file or block device that is open, locked and measured: everything that can be refused has been.
///
/// A writable one is locked for this VM alone; read-only ones are shared, and keep writers out.
public final class DiskFile: Sendable {
    /// The unit of a disk's size in bytes (virtio 1.2 §5.2.4).
    public static let sectorSize: UInt64 = 512

    /// Its path as it was given.
    public let path: FilePath
    /// The size in bytes, a multiple of 512. What a file has beyond is out of reach.
    public let capacity: UInt64
    /// Bytes at the end that do not make a sector; worth a notice when not zero.
    public let unreachable: UInt64
    public let isReadOnly: Bool
    /// Ranges can be given back to the file system.
    public let supportsDiscard: Bool
    let isBlockDevice: Bool
    let descriptor: FileDescriptor

    /// Opens `path`. With `assumesRaw` a content that looks like another format is taken as it is. `holder` names who
    /// has it locked, where the caller knows more of that than the system.
    public init(
        _ path: FilePath, readOnly: Bool = false, assumesRaw: Bool = false, holder: () -> String? = { nil }
    ) throws(HostError) {
        let opened = try Self.open(path, readOnly: readOnly)
        let kind = try Self.kind(of: opened.raw, path)
        if kind == .device, !readOnly { try Self.refuseMounted(path) }
        try FileLock.acquire(readOnly ? .shared : .exclusive, on: opened.raw, path: path, holder: holder)
        let size = try Self.size(of: opened.raw, path)
        guard size >= Self.sectorSize else {
            throw HostError(
                "the disk '\(path)' has \(size) bytes, less than a sector of \(Self.sectorSize)",
                remedy: "make it as large as the guest needs: truncate -s 8G '\(path)'")
        }
        if !assumesRaw, let format = DiskFormat.recognized(in: opened.raw) {
            throw HostError(
                "'\(path)' is \(format.name), and only raw disks can be used", remedy: format.remedy(path.string))
        }
        self.path = path
        isReadOnly = readOnly
        isBlockDevice = kind == .device
        capacity = size / Self.sectorSize * Self.sectorSize
        unreachable = size % Self.sectorSize
        supportsDiscard = !readOnly && (kind == .device || FileRange.canPunch(opened.raw, beyond: size))
        descriptor = opened.take()
    }

    deinit { try? descriptor.close() }

    private static func open(_ path: FilePath, readOnly: Bool) throws(HostError) -> Descriptor {
        do throws(HostError) {
            // Not blocking: a FIFO would wait for its writer before it can be refused.
            return try Descriptor.open(path, readOnly ? .readOnly : .readWrite, options: .nonBlocking)
        } catch {
            throw HostError(
                "cannot open the disk '\(path)'", error.errno, remedy: remedy(error.errno, readOnly: readOnly))
        }
    }

    private enum Kind { case file, device }

    private static func kind(of descriptor: FileDescriptor, _ path: FilePath) throws(HostError) -> Kind {
        var status = stat()
        // SAFETY: fills the local.
        guard unsafe fstat(descriptor.rawValue, &status) == 0 else {
            throw HostError("cannot examine the disk '\(path)'", Errno(rawValue: errno))
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFBLK: return .device
        case S_IFDIR: throw HostError("the disk '\(path)' is a folder", remedy: "name a file or a block device")
        default: throw HostError("the disk '\(path)' is no file", remedy: "name a file or a block device")
        }
    }

    /// For a block device O_EXCL means: not mounted, and nobody else who asks the same (open(2)).
    private static func refuseMounted(_ path: FilePath) throws(HostError) {
        do throws(HostError) {
            _ = try Descriptor.open(path, .readOnly, options: .exclusiveCreate)
        } catch {
            throw HostError("the disk '\(path)' is in use by the host", error.errno, remedy: "unmount it first")
        }
    }

    private static func size(of descriptor: FileDescriptor, _ path: FilePath) throws(HostError) -> UInt64 {
        // The end of a block device is its size too.
        let end = lseek(descriptor.rawValue, 0, SEEK_END)
        guard end >= 0 else { throw HostError("cannot measure the disk '\(path)'", Errno(rawValue: errno)) }
        return UInt64(end)
    }

    private static func remedy(_ errno: Errno?, readOnly: Bool) -> String? {
        switch errno {
        case .noSuchFileOrDirectory: "make it first: truncate -s 8G FILE"
        case .permissionDenied where !readOnly, .readOnlyFileSystem: "make it writable, or add ,readonly"
        case .isDirectory: "name a file or a block device"
        default: nil
        }
    }
}

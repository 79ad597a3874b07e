// SPDX-License-Identifier: Apache-2.0
import CArchive
import SystemPackage

/// Writes a cpio archive in the format that kernels unpack (`newc`), through libarchive.
@safe final class ArchiveWriter {
    enum Compression {
        case none, gzip
    }

    // SAFETY: owned by this object from init to deinit and used by one thread at a time, as the class is not Sendable.
    private let handle: OpaquePointer
    private let path: FilePath
    private var inode: Int64 = 0

    /// Makes the file at `path`.
    init(path: FilePath, compression: Compression) throws(ImageError) {
        self.path = path
        guard let handle = unsafe archive_write_new() else {
            throw .system(what: "write \(path)", reason: "no memory")
        }
        unsafe self.handle = handle
        // SAFETY: a fresh handle, and strings that libarchive copies.
        unsafe archive_write_set_format_cpio_newc(handle)
        if compression == .gzip {
            unsafe archive_write_add_filter_gzip(handle)
            // The same input gives the same bytes: no date in the header.
            unsafe archive_write_set_filter_option(handle, "gzip", "timestamp", nil)
        }
        // No padding to the block of a tape.
        unsafe archive_write_set_bytes_in_last_block(handle, 1)
        try check(unsafe path.withPlatformString { unsafe archive_write_open_filename(handle, $0) })
    }

    deinit {
        // SAFETY: nothing uses the handle after this.
        unsafe archive_write_free(handle)
    }

    /// Adds one entry with its content.
    func write(_ item: Initramfs.Entry) throws(ImageError) {
        guard let entry = unsafe archive_entry_new() else { throw .system(what: "write \(path)", reason: "no memory") }
        // SAFETY: freed once, here; libarchive copies the strings and keeps nothing of the entry.
        defer { unsafe archive_entry_free(entry) }
        inode += 1
        unsafe archive_entry_set_pathname(entry, item.path)
        unsafe archive_entry_set_ino64(entry, inode)
        unsafe archive_entry_set_nlink(entry, 1)
        unsafe archive_entry_set_mtime(entry, 0, 0)
        unsafe archive_entry_set_perm(entry, mode_t(item.permissions))
        unsafe archive_entry_set_size(entry, 0)
        switch item.content {
        case .bytes(let bytes):
            unsafe archive_entry_set_filetype(entry, 0o100000)
            unsafe archive_entry_set_size(entry, Int64(bytes.count))
            try unsafe writeHeader(entry)
            try unsafe bytes.span.withUnsafeBytes { span throws(ImageError) in
                // SAFETY: written before the array's storage goes away.
                try unsafe writeData(span)
            }
        case .file(let file, let size):
            unsafe archive_entry_set_filetype(entry, 0o100000)
            unsafe archive_entry_set_size(entry, size)
            try unsafe writeHeader(entry)
            try writeFile(file, size: size)
        case .folder:
            unsafe archive_entry_set_filetype(entry, 0o040000)
            try unsafe writeHeader(entry)
        case .symbolicLink(let target):
            unsafe archive_entry_set_filetype(entry, 0o120000)
            unsafe archive_entry_set_symlink(entry, target)
            try unsafe writeHeader(entry)
        case .pipe:
            unsafe archive_entry_set_filetype(entry, 0o010000)
            try unsafe writeHeader(entry)
        case .characterDevice(let major, let minor):
            try unsafe writeDevice(entry, type: 0o020000, major: major, minor: minor)
        case .blockDevice(let major, let minor):
            try unsafe writeDevice(entry, type: 0o060000, major: major, minor: minor)
        }
    }

    /// Writes the end of the archive. Without it the file is not whole.
    func finish() throws(ImageError) {
        // SAFETY: the handle stays valid until deinit.
        try check(unsafe archive_write_close(handle))
    }

    private func writeDevice(
        _ entry: OpaquePointer, type: UInt32, major: UInt32, minor: UInt32
    ) throws(ImageError) {
        // SAFETY: the entry is alive for the length of `write`.
        unsafe archive_entry_set_filetype(entry, type)
        unsafe archive_entry_set_rdevmajor(entry, dev_t(major))
        unsafe archive_entry_set_rdevminor(entry, dev_t(minor))
        try unsafe writeHeader(entry)
    }

    private func writeHeader(_ entry: OpaquePointer) throws(ImageError) {
        // SAFETY: both are alive.
        try check(unsafe archive_write_header(handle, entry))
    }

    private func writeFile(_ file: FilePath, size: Int64) throws(ImageError) {
        var left = size
        do {
            let descriptor = try FileDescriptor.open(file, .readOnly, options: [.closeOnExec, .noFollow])
            try descriptor.closeAfter {
                var chunk = [UInt8](repeating: 0, count: 256 * 1024)
                while left > 0 {
                    let count = try unsafe chunk.withUnsafeMutableBytes { bytes in
                        // SAFETY: reads into the array's own storage.
                        try unsafe descriptor.read(into: bytes)
                    }
                    guard count > 0, Int64(count) <= left else { break }
                    try unsafe chunk.span.extracting(..<count).withUnsafeBytes { span throws(ImageError) in
                        // SAFETY: written before the array changes.
                        try unsafe writeData(span)
                    }
                    left -= Int64(count)
                }
            }
        } catch let error as ImageError {
            throw error
        } catch {
            throw Files.failure("read", file, error)
        }
        guard left == 0 else { throw .system(what: "pack \(file)", reason: "it changed while it was read") }
    }

    private func writeData(_ bytes: UnsafeRawBufferPointer) throws(ImageError) {
        var written = 0
        while written < bytes.count {
            // SAFETY: the caller's buffer outlives the call.
            let count = unsafe archive_write_data(
                handle, bytes.baseAddress?.advanced(by: written), bytes.count - written)
            guard count > 0 else { throw failure() }
            written += count
        }
    }

    private func check(_ result: CInt) throws(ImageError) {
        if result != ARCHIVE_OK { throw failure() }
    }

    private func failure() -> ImageError {
        // SAFETY: the text belongs to the handle and is copied at once.
        let text = unsafe archive_error_string(handle).map { unsafe String(cString: $0) }
        return .system(what: "write \(path)", reason: text ?? "no reason is known")
    }
}

extension Initramfs {
    /// Writes the archive to `path`. Uncompressed is the default of ours: an interpreted guest takes seconds to undo
    /// gzip, and the host has room.
    func write(
        to path: FilePath, compression: ArchiveWriter.Compression = .none, progress: ImageProgressSink = { _ in }
    ) throws(ImageError) {
        let writer = try ArchiveWriter(path: path, compression: compression)
        for (index, entry) in entries.enumerated() {
            try writer.write(entry)
            if index % 64 == 63 { progress(.bytes(done: Int64(index + 1), total: Int64(entries.count))) }
        }
        try writer.finish()
    }
}

// SPDX-License-Identifier: Apache-2.0
import CArchive
import SystemPackage

/// Reads an archive or a compressed file entry by entry, through libarchive.
@safe final class ArchiveReader {
    /// What the bytes are taken for.
    enum Format {
        /// The outer shell of a Debian package.
        case ar
        /// A tar archive under any compression.
        case tar
        /// No archive: one stream under any compression, or under none.
        case stream
    }

    /// One entry's header.
    struct Entry {
        enum Kind {
            case file, folder, symbolicLink(to: String), hardLink(to: String), other
        }

        let path: String
        let kind: Kind
        let size: Int64
        let permissions: UInt32
    }

    // SAFETY: owned by this object from init to deinit and used by one thread at a time, as the class is not Sendable.
    private let handle: OpaquePointer
    private let name: String
    // SAFETY: libarchive reads these bytes until the handle is freed; deinit deallocates them after that.
    private var memory: UnsafeMutableRawBufferPointer?

    /// Opens the file at `path`.
    init(path: FilePath, format: Format) throws(ImageError) {
        name = path.lastComponent?.string ?? "\(path)"
        unsafe handle = try Self.makeHandle(format)
        // SAFETY: the path is copied by libarchive.
        let result = unsafe path.withPlatformString { unsafe archive_read_open_filename(handle, $0, 256 * 1024) }
        try check(result)
    }

    /// Reads `bytes`; `name` stands for them in errors.
    init(bytes: some Collection<UInt8>, name: String, format: Format) throws(ImageError) {
        self.name = name
        unsafe handle = try Self.makeHandle(format)
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(bytes.count, 1), alignment: 16)
        unsafe copy.copyBytes(from: bytes)
        unsafe memory = copy
        // SAFETY: see `memory`.
        try check(unsafe archive_read_open_memory(handle, copy.baseAddress, bytes.count))
    }

    deinit {
        // SAFETY: nothing uses the handle after this, and the memory only after the handle.
        unsafe archive_read_free(handle)
        unsafe memory?.deallocate()
    }

    private static func makeHandle(_ format: Format) throws(ImageError) -> OpaquePointer {
        guard let handle = unsafe archive_read_new() else {
            throw .system(what: "read an archive", reason: "no memory")
        }
        // SAFETY: a fresh handle; each call only sets what it will accept.
        // Those that libarchive undoes itself. "All" would hand some of a stranger's files to programs of the host.
        unsafe archive_read_support_filter_bzip2(handle)
        unsafe archive_read_support_filter_gzip(handle)
        unsafe archive_read_support_filter_lz4(handle)
        unsafe archive_read_support_filter_lzma(handle)
        unsafe archive_read_support_filter_xz(handle)
        unsafe archive_read_support_filter_zstd(handle)
        switch format {
        case .ar: unsafe archive_read_support_format_ar(handle)
        case .tar: unsafe archive_read_support_format_tar(handle)
        case .stream: unsafe archive_read_support_format_raw(handle)
        }
        return unsafe handle
    }

    /// The next entry's header, or nil at the end.
    func next() throws(ImageError) -> Entry? {
        var entry: OpaquePointer?
        // SAFETY: the entry belongs to the handle and is valid until the next call; it is copied here.
        let result = unsafe archive_read_next_header(handle, &entry)
        if result == ARCHIVE_EOF { return nil }
        try check(result)
        guard let entry = unsafe entry, let path = unsafe archive_entry_pathname(entry) else {
            throw .malformed(file: name, reason: "an entry has no name")
        }
        let kind: Entry.Kind
        if let target = unsafe archive_entry_hardlink(entry) {
            kind = .hardLink(to: unsafe String(cString: target))
        } else {
            switch unsafe archive_entry_filetype(entry) {
            case 0o100000: kind = .file
            case 0o040000: kind = .folder
            case 0o120000:
                guard let target = unsafe archive_entry_symlink(entry) else {
                    throw .malformed(file: name, reason: "a symbolic link has no target")
                }
                kind = .symbolicLink(to: unsafe String(cString: target))
            default: kind = .other
            }
        }
        return unsafe Entry(
            path: String(cString: path), kind: kind, size: archive_entry_size(entry),
            permissions: UInt32(archive_entry_perm(entry)))
    }

    /// The next bytes of the current entry; `body` gets them until there are no more. Refuses more than `limit`.
    func readAll(limit: Int64, _ body: (borrowing Span<UInt8>) throws(ImageError) -> Void) throws(ImageError) {
        var chunk = [UInt8](repeating: 0, count: 256 * 1024)
        var total: Int64 = 0
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { bytes in
                // SAFETY: libarchive writes at most `bytes.count` bytes into the buffer.
                unsafe archive_read_data(handle, bytes.baseAddress, bytes.count)
            }
            if count == 0 { return }
            guard count > 0 else { throw failure() }
            total += Int64(count)
            guard total <= limit else { throw .malformed(file: name, reason: "it holds more than \(limit) bytes") }
            try body(chunk.span.extracting(..<count))
        }
    }

    /// All bytes of the current entry, at most `limit`.
    func contents(limit: Int) throws(ImageError) -> [UInt8] {
        var bytes: [UInt8] = []
        try readAll(limit: Int64(limit)) { chunk throws(ImageError) in
            for index in chunk.indices { bytes.append(chunk[index]) }
        }
        return bytes
    }

    /// Writes the current entry to a new file.
    func extract(to file: FileDescriptor, limit: Int64) throws(ImageError) {
        try readAll(limit: limit) { chunk throws(ImageError) in
            do {
                try unsafe chunk.withUnsafeBytes { bytes in
                    // SAFETY: written before the span ends.
                    _ = try unsafe file.writeAll(bytes)
                }
            } catch {
                throw .system(what: "write what \(name) holds", reason: "\(error)")
            }
        }
    }

    /// Bytes of the (compressed) archive consumed so far.
    var bytesConsumed: Int64 {
        // SAFETY: reads a counter of the handle; -1 is the filter closest to the file.
        unsafe archive_filter_bytes(handle, -1)
    }

    private func check(_ result: CInt) throws(ImageError) {
        // A warning (a file name in a strange encoding, say) does not stop the reading.
        if result < ARCHIVE_WARN { throw failure() }
    }

    private func failure() -> ImageError {
        // SAFETY: the text belongs to the handle and is copied at once.
        let text = unsafe archive_error_string(handle).map { unsafe String(cString: $0) }
        return .malformed(file: name, reason: text ?? "it cannot be read")
    }
}

extension ArchiveReader {
    /// Whether `bytes` begin as a compressed stream that this reader can undo.
    static func isCompressed(_ bytes: borrowing Span<UInt8>) -> Bool {
        func begins(_ magic: [UInt8]) -> Bool {
            magic.count <= bytes.count && magic.indices.allSatisfy { magic[$0] == bytes[$0] }
        }
        return begins([0x1F, 0x8B]) || begins([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00])
            || begins([0x28, 0xB5, 0x2F, 0xFD]) || begins([0x04, 0x22, 0x4D, 0x18]) || begins([0x42, 0x5A, 0x68])
    }

    /// The bytes that `bytes` stand for: themselves, or what they decompress to, at most `limit`.
    static func decompress(_ bytes: [UInt8], name: String, limit: Int) throws(ImageError) -> [UInt8] {
        guard isCompressed(bytes.span) else { return bytes }
        let reader = try ArchiveReader(bytes: bytes, name: name, format: .stream)
        guard try reader.next() != nil else { throw .malformed(file: name, reason: "it is empty") }
        return try reader.contents(limit: limit)
    }
}

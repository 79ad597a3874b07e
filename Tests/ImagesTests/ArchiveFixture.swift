// SPDX-License-Identifier: Apache-2.0
import CArchive
import Foundation
import SystemPackage

/// Archives as a stranger would make them, honest or not.
enum ArchiveFixture {
    struct Item {
        var path: String
        var type: UInt32 = 0o100000
        var permissions: UInt32 = 0o644
        var bytes: [UInt8] = []
        var target: String?

        static func file(_ path: String, _ text: String = "", permissions: UInt32 = 0o644) -> Item {
            Item(path: path, permissions: permissions, bytes: Array(text.utf8))
        }

        static func folder(_ path: String) -> Item { Item(path: path, type: 0o040000, permissions: 0o755) }
        static func link(_ path: String, _ target: String) -> Item { Item(path: path, type: 0o120000, target: target) }
        static func hardLink(_ path: String, _ target: String) -> Item { Item(path: path, type: 0, target: target) }
        static func device(_ path: String) -> Item { Item(path: path, type: 0o020000) }
    }

    enum Filter: CaseIterable {
        case none, gzip, xz, zstd
    }

    static func tar(_ items: [Item], filter: Filter = .none, in folder: TemporaryFolder) throws -> [UInt8] {
        let file = folder.path.appending("fixture.tar")
        try write(items, to: file, filter: filter) { archive_write_set_format_pax($0) }
        return try folder.read("fixture.tar")
    }

    /// One stream under a filter.
    static func compressed(_ bytes: [UInt8], filter: Filter, in folder: TemporaryFolder) throws -> [UInt8] {
        let file = folder.path.appending("fixture.raw")
        try write([Item(path: "data", bytes: bytes)], to: file, filter: filter) { archive_write_set_format_raw($0) }
        return try folder.read("fixture.raw")
    }

    /// A package: version, control and data in an `ar` archive.
    static func package(
        _ items: [Item], filter: Filter = .xz, name: String = "fixture.deb", in folder: TemporaryFolder
    ) throws -> FilePath {
        let data = try tar(items, filter: filter, in: folder)
        let suffix = filter == .none ? "" : ".\(filter)"
        let members = [
            Item.file("debian-binary", "2.0\n"), .file("control.tar", ""), Item(path: "data.tar\(suffix)", bytes: data),
        ]
        let file = folder.path.appending(name)
        try write(members, to: file, filter: .none) { archive_write_set_format_ar_svr4($0) }
        return file
    }

    private static func write(
        _ items: [Item], to file: FilePath, filter: Filter, format: (OpaquePointer) -> CInt
    ) throws {
        guard let archive = archive_write_new() else { throw CocoaError(.fileWriteUnknown) }
        defer { archive_write_free(archive) }
        _ = format(archive)
        switch filter {
        case .none: break
        case .gzip: archive_write_add_filter_gzip(archive)
        case .xz: archive_write_add_filter_xz(archive)
        case .zstd: archive_write_add_filter_zstd(archive)
        }
        try check(archive, archive_write_open_filename(archive, file.string))
        for item in items {
            guard let entry = archive_entry_new() else { throw CocoaError(.fileWriteUnknown) }
            defer { archive_entry_free(entry) }
            archive_entry_set_pathname(entry, item.path)
            archive_entry_set_perm(entry, mode_t(item.permissions))
            archive_entry_set_size(entry, Int64(item.bytes.count))
            if item.type == 0 {
                archive_entry_set_hardlink(entry, item.target)
            } else {
                archive_entry_set_filetype(entry, item.type)
                if let target = item.target { archive_entry_set_symlink(entry, target) }
            }
            try check(archive, archive_write_header(archive, entry))
            if !item.bytes.isEmpty { archive_write_data(archive, item.bytes, item.bytes.count) }
        }
        try check(archive, archive_write_close(archive))
    }

    private static func check(_ archive: OpaquePointer, _ result: CInt) throws {
        if result < ARCHIVE_WARN {
            throw CocoaError(.fileWriteUnknown, userInfo: ["why": String(cString: archive_error_string(archive))])
        }
    }
}

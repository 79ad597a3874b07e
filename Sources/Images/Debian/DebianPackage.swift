// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// A Debian package file: its data can be unpacked into a folder. None of its scripts is ever looked at.
struct DebianPackage {
    let path: FilePath

    /// What no package of a recipe comes near, and a malicious one must not pass.
    enum Limit {
        static let bytes: Int64 = 4 << 30
        static let entries = 200_000
        static let pathLength = 4096
    }

    private var name: String { path.lastComponent?.string ?? "\(path)" }

    /// Unpacks the package's files into `folder`, which nobody else writes to, using `scratch` beside it for the
    /// inner archive. Links are made, never followed; special files are left out.
    func unpack(into folder: FilePath, scratch: FilePath, progress: ImageProgressSink) throws(ImageError) {
        let data = scratch.appending("data.tar")
        try extractData(to: data)
        try unpackData(data, into: folder, progress: progress)
        try Files.remove(data)
    }

    // deb(5): an ar archive of debian-binary, control.tar and data.tar, the last under one of several compressions.
    private func extractData(to data: FilePath) throws(ImageError) {
        let outer = try ArchiveReader(path: path, format: .ar)
        while let entry = try outer.next() {
            guard entry.path.hasPrefix("data.tar") else { continue }
            do {
                let file = try FileDescriptor.open(
                    data, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec, .noFollow],
                    permissions: FilePermissions(rawValue: 0o600))
                try file.closeAfter { try outer.extract(to: file, limit: Limit.bytes) }
            } catch let error as ImageError {
                throw error
            } catch {
                throw Files.failure("write", data, error)
            }
            return
        }
        throw .malformed(file: name, reason: "it has no data.tar")
    }

    private func unpackData(
        _ data: FilePath, into folder: FilePath, progress: ImageProgressSink
    ) throws(ImageError) {
        let total = try Files.status(data)?.size
        let archive = try ArchiveReader(path: data, format: .tar)
        var tree = UnpackedTree(root: folder, archive: name)
        var count = 0
        while let entry = try archive.next() {
            count += 1
            guard count <= Limit.entries else { throw .malformed(file: name, reason: "it has too many files") }
            try tree.add(entry, from: archive)
            if count % 64 == 0 { progress(.bytes(done: archive.bytesConsumed, total: total)) }
        }
    }
}

/// A folder that an archive is unpacked into. Nothing leaves it: a path goes through plain folders of our own making
/// or the archive is refused.
struct UnpackedTree {
    let root: FilePath
    let archive: String
    private var folders: Set<String> = [""]
    private var bytesLeft = DebianPackage.Limit.bytes

    init(root: FilePath, archive: String) {
        self.root = root
        self.archive = archive
    }

    /// Makes what `entry` describes.
    mutating func add(_ entry: ArchiveReader.Entry, from reader: ArchiveReader) throws(ImageError) {
        let components = try normalise(entry.path)
        guard let last = components.last else { return }
        let parent = try makeParents(components.dropLast())
        let path = root.appending(parent).appending(last)
        let relative = parent.isEmpty ? last : "\(parent)/\(last)"
        switch entry.kind {
        case .folder:
            try makeFolder(relative)
        case .file:
            guard entry.size >= 0, entry.size <= bytesLeft else {
                throw .malformed(file: archive, reason: "it unpacks to more than \(DebianPackage.Limit.bytes) bytes")
            }
            bytesLeft -= entry.size
            try refuseExisting(path)
            try writeFile(path, executable: entry.permissions & 0o111 != 0, size: entry.size, from: reader)
        case .symbolicLink(let target):
            try refuseExisting(path)
            try Files.makeSymbolicLink(at: path, to: target)
        case .hardLink(let target):
            let source = try normalise(target)
            let above = source.dropLast().joined(separator: "/")
            guard folders.contains(above), let name = source.last else {
                throw .malformed(file: archive, reason: "\(relative) is a link to what it does not hold")
            }
            try refuseExisting(path)
            try copy(root.appending(above).appending(name), to: path)
        case .other:
            return
        }
    }

    private func normalise(_ path: String) throws(ImageError) -> [String] {
        guard path.utf8.count <= DebianPackage.Limit.pathLength else {
            throw .malformed(file: archive, reason: "a path is too long")
        }
        let parts = path.split(separator: "/").filter { $0 != "." }
        if parts.contains("..") { throw .malformed(file: archive, reason: "the path \(path) leaves its folder") }
        return parts.map(String.init)
    }

    /// The folder for a file, made where it is missing: an archive may leave folders out.
    private mutating func makeParents(_ components: ArraySlice<String>) throws(ImageError) -> String {
        var path = ""
        for component in components {
            path = path.isEmpty ? component : "\(path)/\(component)"
            try makeFolder(path)
        }
        return path
    }

    private mutating func makeFolder(_ path: String) throws(ImageError) {
        guard folders.insert(path).inserted else { return }
        let full = root.appending(path)
        guard let status = try Files.status(full) else { return try Files.makeFolder(full) }
        // Another package made this folder; but a symbolic link in its place would lead what follows out of the tree.
        guard status.type == .directory else {
            throw .malformed(file: archive, reason: "\(path) is a file or a link and a folder too")
        }
    }

    private func refuseExisting(_ path: FilePath) throws(ImageError) {
        guard try Files.status(path) == nil else {
            throw .malformed(file: archive, reason: "it holds \(path.lastComponent?.string ?? "a path") twice")
        }
    }

    private func writeFile(
        _ path: FilePath, executable: Bool, size: Int64, from reader: ArchiveReader
    ) throws(ImageError) {
        do {
            let file = try FileDescriptor.open(
                path, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec, .noFollow],
                permissions: FilePermissions(rawValue: executable ? 0o755 : 0o644))
            try file.closeAfter { try reader.extract(to: file, limit: size) }
        } catch let error as ImageError {
            throw error
        } catch {
            throw Files.failure("write", path, error)
        }
    }

    private func copy(_ source: FilePath, to path: FilePath) throws(ImageError) {
        guard let status = try Files.status(source), status.type == .regular, status.size <= bytesLeft else {
            throw .malformed(file: archive, reason: "a hard link does not lead to a file")
        }
        try Files.write(try Files.read(source, limit: Int(status.size)), to: path)
    }
}

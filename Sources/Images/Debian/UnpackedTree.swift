// SPDX-License-Identifier: Apache-2.0
import SystemPackage

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

    /// The file or folder at `path` below `root`, or nil where none is. It is reached through plain folders and is not a
    /// symbolic link itself: those that a package brings are meant for a guest and lead anywhere on a host.
    static func plainPath(_ path: String, in root: FilePath) throws(ImageError) -> FilePath? {
        var current = root
        let components = path.split(separator: "/")
        for (index, component) in components.enumerated() {
            current.append(String(component))
            guard let status = try Files.status(current) else { return nil }
            let isPlain = status.type == .directory || index == components.count - 1 && status.type == .regular
            guard isPlain else { return nil }
        }
        return current
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

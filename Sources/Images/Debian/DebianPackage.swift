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

// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// A disk image with one ext4 file system, made and filled by `mke2fs -d`, which needs no root and mounts nothing.
struct Ext4Disk {
    /// Below this mke2fs makes no journal.
    private static let smallest: Int64 = 16 << 20
    private static let largest: Int64 = 16 << 40
    private static let block: Int64 = 4096

    /// Bytes of the whole disk.
    let size: Int64

    init(tree: FolderTree, size: Int64?) throws(ImageError) {
        let needed = Self.bytesNeeded(files: tree.fileBytes, entries: Int64(tree.initramfs.entries.count))
        guard let size else {
            self.size = needed
            return
        }
        guard (Self.smallest...Self.largest).contains(size) else {
            throw .folder(
                path: "the folder", reason: "a disk has \(Self.smallest >> 20) MiB to 16 TiB, not \(size) bytes")
        }
        self.size = size / Self.block * Self.block
    }

    /// Content in whole blocks, an inode and a block for each entry, the journal, and a quarter to spare.
    static func bytesNeeded(files: Int64, entries: Int64) -> Int64 {
        let content = files + entries * (block + 512)
        let journal = max(4 << 20, min(content / 32, 128 << 20))
        let total = (content + journal) + content / 4 + (4 << 20)
        let mebibyte: Int64 = 1 << 20
        return max(smallest, (total + mebibyte - 1) / mebibyte * mebibyte)
    }

    func write(folder: FilePath, to path: FilePath) async throws(ImageError) {
        try Files.write([], to: path)
        // A name that begins with a dash is no option.
        let target = path.isAbsolute ? path : FilePath(".").pushing(path)
        let program = HostProgram(name: "mke2fs", package: "e2fsprogs")
        // Root owns the root folder whoever packs it; -F because the target is a file and no device.
        _ = try await program.output([
            "-q", "-F", "-t", "ext4", "-b", "\(Self.block)", "-m", "0", "-E", "root_owner=0:0",
            "-d", "\(folder)", "\(target)", "\(size >> 10)k",
        ])
    }
}

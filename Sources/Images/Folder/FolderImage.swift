// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// Packs a folder of the host as what a kernel starts with: an archive in memory, or a disk.
public enum FolderImage {
    /// What a folder is made into.
    public enum Format: String, CaseIterable, Sendable {
        /// A compressed archive that a kernel unpacks into memory; root owns everything.
        case initramfs
        /// A disk image with an ext4 file system, without partitions.
        case ext4
    }

    /// Packs `folder` into the file `output`, which is written aside and moved into place when it is whole.
    /// - Parameters:
    ///   - folder: its content becomes the root of the result. Symbolic links, pipes and modes are kept; sockets, and
    ///     in an archive that is not root's devices, are left out with a notice.
    ///   - format: archive or disk.
    ///   - size: bytes of the disk; nil takes what the content needs and a quarter more. An archive has no size of
    ///     its own.
    /// - Throws: `ImageError` if the folder cannot be read, `mke2fs` is missing or the content does not fit.
    public static func pack(
        folder: FilePath, as format: Format, to output: FilePath, size: Int64? = nil,
        progress: @escaping ImageProgressSink
    ) async throws(ImageError) {
        let aside = FilePath("\(output).\(Files.processNumber).part")
        do {
            try await write(folder, as: format, to: aside, size: size, progress)
            try Files.rename(aside, to: output)
        } catch {
            // The error that stopped the work is the one to tell.
            try? Files.remove(aside)
            throw error
        }
        progress(.finished)
    }

    /// Writes the packed folder straight to `output`.
    static func write(
        _ folder: FilePath, as format: Format, to output: FilePath, size: Int64?, _ progress: ImageProgressSink
    ) async throws(ImageError) {
        progress(.step(number: 1, count: 2, title: "read \(folder)"))
        // mke2fs copies devices by itself; a device in an archive works in any guest, so only root says what may be one.
        let tree = try FolderTree(root: folder, devices: format == .ext4 || Files.isRoot) { progress(.notice($0)) }
        progress(.step(number: 2, count: 2, title: "write the \(format.rawValue)"))
        switch format {
        case .initramfs:
            var archive = tree.initramfs
            archive.addConsole()
            try archive.write(to: output, compression: .gzip, progress: progress)
        case .ext4:
            try await Ext4Disk(tree: tree, size: size).write(folder: folder, to: output)
        }
    }
}

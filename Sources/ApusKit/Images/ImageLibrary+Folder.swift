// SPDX-License-Identifier: Apache-2.0

import Images
import SystemPackage

extension ImageLibrary {
    /// What a folder is packed as.
    public enum FolderFormat: String, NamedChoice {
        /// A compressed archive that a kernel unpacks into memory.
        case initramfs
        /// A disk with an ext4 file system, without partitions.
        case ext4

        public static var noun: String { "format" }
    }

    /// Packs the folder at `folder` into the file `output`, which appears when it is whole. `size` is a disk's in
    /// bytes; nil takes what the content needs and some room.
    public static func pack(
        folder: String, as format: FolderFormat, to output: String, size: ByteSize?,
        progress: @escaping @Sendable (Progress) -> Void
    ) async throws(VirtualMachineError) {
        guard size == nil || format == .ext4 else {
            throw VirtualMachineError(.configuration, "an initramfs is as large as its content; a size is for ext4")
        }
        do {
            try await FolderImage.pack(
                folder: FilePath(folder), as: format == .ext4 ? .ext4 : .initramfs, to: FilePath(output),
                size: size.map { Int64(clamping: $0.bytes) }
            ) { progress(Progress($0)) }
        } catch {
            throw VirtualMachineError(error)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// An image that is ready to run.
public struct StoredImage: Equatable, Sendable {
    /// What it says of itself.
    public let manifest: ImageManifest
    /// Its folder.
    public let folder: FilePath

    /// The plain, uncompressed kernel.
    public var kernel: FilePath? { file("kernel") }
    /// The initial RAM disk, an archive that the kernel unpacks.
    public var initrd: FilePath? { file("initrd") }
    /// A raw disk with a file system. Runs write to a copy.
    public var disk: FilePath? { file("disk") }
    /// Bytes on disk.
    public var size: Int64 { manifest.sizes.values.reduce(0, +) }

    private func file(_ part: String) -> FilePath? {
        manifest.files[part].map { folder.appending($0) }
    }

    static func read(_ folder: FilePath) throws(ImageError) -> StoredImage {
        let image = StoredImage(manifest: try ImageManifest.read(folder.appending("image.json")), folder: folder)
        for (part, size) in image.manifest.sizes {
            guard let file = image.file(part), let status = try Files.status(file), status.size == size else {
                throw .malformed(file: "\(folder)", reason: "its \(part) is missing or has another size")
            }
        }
        return image
    }
}

// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// An image of the user's own: a folder, packed.
struct FolderRecipe: ImageRecipe {
    let source: FilePath
    let format: FolderImage.Format
    let size: Int64?

    func build(
        in folder: FilePath, scratch: FilePath, options: ImageBuildOptions, progress: @escaping ImageProgressSink
    ) async throws(ImageError) -> ImageContents {
        switch format {
        case .initramfs:
            try await FolderImage.write(source, as: format, to: folder.appending("initrd"), size: size, progress)
            return ImageContents(initrd: "initrd")
        case .ext4:
            try await FolderImage.write(source, as: format, to: folder.appending("disk"), size: size, progress)
            return ImageContents(disk: "disk")
        }
    }
}

extension ImageStore {
    /// Packs a folder of the host as the image `name`, which has no kernel of its own: run it with one.
    public func build(
        named name: String, platform: ImagePlatform, from folder: FilePath, as format: FolderImage.Format,
        size: Int64? = nil, progress: @escaping ImageProgressSink
    ) async throws(ImageError) -> StoredImage {
        if ImageCatalogue.items.contains(where: { $0.name == name }) { throw .reservedName(name) }
        let recipe = FolderRecipe(source: folder, format: format, size: size)
        return try await make(name, platform, recipe, ImageBuildOptions(), replace: true, progress: progress)
    }
}

// SPDX-License-Identifier: Apache-2.0
import Host
import SystemPackage

/// The images on this host: one folder each, below the data folder, as `images/PLATFORM/NAME`.
///
/// A build happens aside, under a lock of the image, and its folder is moved into place when it is whole: whoever looks
/// finds a whole image or none. A process that dies leaves a folder that the next one with the lock removes.
public struct ImageStore: Sendable {
    let folder: FilePath

    /// - Parameter dataFolder: where Apus keeps its data.
    public init(dataFolder: FilePath) {
        folder = dataFolder.appending("images")
    }

    /// The store in the user's data folder.
    public init() throws(ImageError) {
        self.init(dataFolder: try DataFolder.path())
    }

    /// Every image, by platform and name. A folder that is no whole image is left out.
    public func list() throws(ImageError) -> [StoredImage] {
        var images: [StoredImage] = []
        for platform in ImagePlatform.allCases {
            let place = folder.appending(platform.rawValue)
            guard Files.exists(place) else { continue }
            for name in try Files.names(in: place) where Self.isName(name) {
                if let image = try? StoredImage.read(place.appending(name)) { images.append(image) }
            }
        }
        return images
    }

    /// The image of this name, or nil if it is not built.
    public func image(named name: String, platform: ImagePlatform) throws(ImageError) -> StoredImage? {
        let place = try Place(store: self, name: name, platform: platform)
        guard Files.exists(place.folder) else { return nil }
        return try StoredImage.read(place.folder)
    }

    /// The image of this name; builds it first if it is not there and the catalogue has it.
    public func ensure(
        named name: String, platform: ImagePlatform, options: ImageBuildOptions = ImageBuildOptions(),
        progress: @escaping ImageProgressSink
    ) async throws(ImageError) -> StoredImage {
        if let image = try? image(named: name, platform: platform) { return image }
        let item = try ImageCatalogue.item(named: name, platform: platform)
        return try await make(name, platform, item.recipe(platform), options, replace: false, progress: progress)
    }

    /// Builds an image of the catalogue anew.
    public func build(
        named name: String, platform: ImagePlatform, options: ImageBuildOptions = ImageBuildOptions(),
        progress: @escaping ImageProgressSink
    ) async throws(ImageError) -> StoredImage {
        let item = try ImageCatalogue.item(named: name, platform: platform)
        return try await make(name, platform, item.recipe(platform), options, replace: true, progress: progress)
    }

    /// Removes an image. False if there was none.
    public func remove(named name: String, platform: ImagePlatform) throws(ImageError) -> Bool {
        let place = try Place(store: self, name: name, platform: platform)
        guard Files.exists(place.folder.removingLastComponent()) else { return false }
        guard let lock = try place.take() else { throw .busy(name: name) }
        defer { withExtendedLifetime(lock) {} }
        guard try Files.status(place.folder) != nil else { return false }
        try Files.remove(place.discarded)
        try Files.rename(place.folder, to: place.discarded)
        try Files.remove(place.discarded)
        return true
    }

    /// Whether `name` can be an image's: it is also a folder's name, and hidden ones are ours.
    static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, name.utf8.count <= 64 else { return false }
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        }
        return isAlphanumeric(first) && name.utf8.allSatisfy { isAlphanumeric($0) || "-_.".utf8.contains($0) }
    }

    /// Runs a recipe aside and moves the result into place.
    func make(
        _ name: String, _ platform: ImagePlatform, _ recipe: any ImageRecipe, _ options: ImageBuildOptions,
        replace: Bool, progress: @escaping ImageProgressSink
    ) async throws(ImageError) -> StoredImage {
        let place = try Place(store: self, name: name, platform: platform)
        try Files.makeFolders(place.folder.removingLastComponent())
        var hasWaited = false
        let lock = try place.wait {
            hasWaited = true
            progress(.waiting(name: name))
        }
        defer { withExtendedLifetime(lock) {} }
        // What the other one has built is what was asked for.
        if hasWaited, let image = try? StoredImage.read(place.folder) {
            progress(.finished)
            return image
        }
        if !replace, let image = try? StoredImage.read(place.folder) { return image }

        try Files.remove(place.discarded)
        try Files.remove(place.aside)
        do {
            let image = place.aside.appending("image")
            let scratch = place.aside.appending("scratch")
            try Files.makeFolders(image)
            try Files.makeFolders(scratch)
            let contents = try await recipe.build(in: image, scratch: scratch, options: options, progress: progress)
            let manifest = try Self.manifest(name, platform, contents, in: image)
            try Files.write(try manifest.encoded(), to: image.appending("image.json"))
            if try Files.status(place.folder) != nil { try Files.rename(place.folder, to: place.discarded) }
            try Files.rename(image, to: place.folder)
        } catch {
            // The error that stopped the build is the one to tell.
            try? Files.remove(place.aside)
            throw error
        }
        try Files.remove(place.aside)
        try Files.remove(place.discarded)
        progress(.finished)
        return try StoredImage.read(place.folder)
    }

    private static func manifest(
        _ name: String, _ platform: ImagePlatform, _ contents: ImageContents, in folder: FilePath
    ) throws(ImageError) -> ImageManifest {
        var manifest = ImageManifest(
            format: ImageManifest.currentFormat, name: name, platform: platform, created: Files.now,
            kernelVersion: contents.kernelVersion, commandLine: contents.commandLine, files: [:], sizes: [:])
        for (part, file) in [("kernel", contents.kernel), ("initrd", contents.initrd), ("disk", contents.disk)] {
            guard let file else { continue }
            manifest.files[part] = file
            manifest.sizes[part] = try Files.status(folder.appending(file))?.size ?? 0
        }
        return manifest
    }
}

/// Where one image's folder and what surrounds it are.
private struct Place {
    let folder: FilePath
    let lock: FilePath
    /// A build that is not whole.
    let aside: FilePath
    /// An image on its way out.
    let discarded: FilePath

    init(store: ImageStore, name: String, platform: ImagePlatform) throws(ImageError) {
        guard ImageStore.isName(name) else { throw .invalidName(name) }
        let parent = store.folder.appending(platform.rawValue)
        folder = parent.appending(name)
        lock = parent.appending(".\(name).lock")
        aside = parent.appending(".\(name).building")
        discarded = parent.appending(".\(name).discarded")
    }

    /// The image's lock; nil if another process holds it.
    func take() throws(ImageError) -> LockFile? {
        do throws(HostError) {
            return try LockFile.take(lock)
        } catch {
            throw ImageError(error)
        }
    }

    /// The image's lock, which another process may hold for as long as a build takes: then `isBusy` is called first.
    /// Blocks its thread.
    func wait(isBusy: () -> Void) throws(ImageError) -> LockFile {
        do throws(HostError) {
            if let free = try LockFile.take(lock) { return free }
            isBusy()
            return try LockFile.wait(lock)
        } catch {
            throw ImageError(error)
        }
    }
}

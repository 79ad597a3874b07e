// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// How an image is made.
protocol ImageRecipe: Sendable {
    /// Makes the image's files inside `folder`, which is empty and nobody else's, and describes them. What else it
    /// leaves in `scratch`, another such folder, is removed.
    func build(
        in folder: FilePath, scratch: FilePath, options: ImageBuildOptions, progress: @escaping ImageProgressSink
    ) async throws(ImageError) -> ImageContents
}

/// What the user may say about a build.
public struct ImageBuildOptions: Sendable {
    /// The Debian mirror; nil takes the host's own.
    public var mirror: String?
    /// Where the guest agents are; nil looks beside the program.
    public var dataFolder: FilePath?

    public init(mirror: String? = nil, dataFolder: FilePath? = nil) {
        self.mirror = mirror
        self.dataFolder = dataFolder
    }
}

/// What a recipe made, as names of files in the image's folder.
struct ImageContents {
    var kernel: String?
    var kernelVersion: String?
    var initrd: String?
    var disk: String?
    var commandLine: String?
}

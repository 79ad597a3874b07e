// SPDX-License-Identifier: Apache-2.0

/// The images that Apus knows how to build.
public enum ImageCatalogue {
    /// A known image and the platforms it exists for.
    public struct Item: Sendable {
        /// What the user calls it.
        public let name: String
        /// One line for lists.
        public let summary: String
        /// Where it can be built for.
        public let platforms: [ImagePlatform]
        /// About how much building it downloads at most, in bytes, for the notice before it starts.
        public let downloadSize: Int64
        let recipe: @Sendable (ImagePlatform) -> any ImageRecipe
    }

    /// Every item, in the order of lists.
    public static let items: [Item] = [
        Item(
            name: "debian-micro", summary: "Debian's kernel with busybox in memory: a shell in seconds",
            platforms: [.riscv64, .x86_64], downloadSize: 125_000_000,
            recipe: { DebianMicroRecipe(name: "debian-micro", platform: $0) })
    ]

    /// The item of this name, if it exists for `platform`.
    public static func item(named name: String, platform: ImagePlatform) throws(ImageError) -> Item {
        guard let item = items.first(where: { $0.name == name }) else {
            throw .unknownImage(name: name, known: items.map(\.name))
        }
        guard item.platforms.contains(platform) else {
            throw .unknownPlatform(
                image: name, platform: platform.rawValue, known: item.platforms.map(\.rawValue))
        }
        return item
    }
}

// SPDX-License-Identifier: Apache-2.0

import Images
import SystemPackage

/// The images on this host, and those that can be built.
public struct ImageLibrary: Sendable {
    /// An image that Apus knows how to build.
    public struct Recipe: Codable, Equatable, Sendable {
        public var name: String
        public var summary: String
        public var platforms: [Platform]
        /// About how many bytes building it downloads.
        public var downloadSize: Int64
    }

    /// What a long operation says while it works.
    public enum Progress: Equatable, Sendable {
        /// Step `number` of `count` begins.
        case step(number: Int, count: Int, title: String)
        /// Bytes done of the current step, and how many there are where that is known.
        case bytes(done: Int64, total: Int64?)
        /// Something to know that does not stop the work.
        case notice(String)
        case finished
    }

    private let store: ImageStore

    /// The library in the user's data folder (`APUS_HOME`, else the XDG data folder).
    public init() throws(VirtualMachineError) {
        do {
            store = try ImageStore()
        } catch {
            throw VirtualMachineError(error)
        }
    }

    /// What can be built.
    public static var recipes: [Recipe] {
        ImageCatalogue.items.map { item in
            Recipe(
                name: item.name, summary: item.summary, platforms: item.platforms.map(Platform.init),
                downloadSize: item.downloadSize)
        }
    }

    /// Every image that is built.
    public func list() throws(VirtualMachineError) -> [GuestImage] {
        do {
            return try store.list().map(GuestImage.init)
        } catch {
            throw VirtualMachineError(error)
        }
    }

    /// The image called `name`, built first where it is not there. Throws where nothing is called so.
    public func ensure(
        _ name: String, platform: Platform, progress: @escaping @Sendable (Progress) -> Void
    ) async throws(VirtualMachineError) -> GuestImage {
        do {
            return GuestImage(
                try await store.ensure(named: name, platform: platform.imagePlatform) { progress(Progress($0)) })
        } catch {
            throw VirtualMachineError(error)
        }
    }

    /// Builds a known image anew. `mirror` is a Debian mirror; nil takes the host's own.
    public func build(
        _ name: String, platform: Platform, mirror: String?, progress: @escaping @Sendable (Progress) -> Void
    ) async throws(VirtualMachineError) -> GuestImage {
        do {
            return GuestImage(
                try await store.build(
                    named: name, platform: platform.imagePlatform, options: ImageBuildOptions(mirror: mirror)
                ) { progress(Progress($0)) })
        } catch {
            throw VirtualMachineError(error)
        }
    }

    /// Removes an image; false if there was none.
    public func remove(_ name: String, platform: Platform) throws(VirtualMachineError) -> Bool {
        do {
            return try store.remove(named: name, platform: platform.imagePlatform)
        } catch {
            throw VirtualMachineError(error)
        }
    }
}

extension ImageLibrary.Progress {
    init(_ progress: ImageProgress) {
        switch progress {
        case .step(let number, let count, let title): self = .step(number: number, count: count, title: title)
        case .bytes(let done, let total): self = .bytes(done: done, total: total)
        case .waiting(let name): self = .notice("another process builds \(name); waiting for it")
        case .notice(let text): self = .notice(text)
        case .finished: self = .finished
        }
    }
}

extension VirtualMachineError {
    init(_ error: ImageError) { self.init(.host, error.description) }
}

// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import SystemPackage

/// What `image.json` in an image's folder says.
public struct ImageManifest: Codable, Equatable, Sendable {
    /// Raised when an older Apus could not use the image.
    static let currentFormat = 1

    /// The version of this file's meaning.
    public var format: Int
    /// What the user calls the image.
    public var name: String
    /// The hardware it is for.
    public var platform: ImagePlatform
    /// Seconds since 1970.
    public var created: Int64
    /// The kernel's release, where there is a kernel.
    public var kernelVersion: String?
    /// Words that the image wants on the kernel's command line.
    public var commandLine: String?
    /// The image's files by their part: "kernel", "initrd", "disk"; names in its folder.
    public var files: [String: String]
    /// The size of each, in bytes.
    public var sizes: [String: Int64]

    func encoded() throws(ImageError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        do {
            return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
        } catch {
            throw .system(what: "describe the image \(name)", reason: "\(error)")
        }
    }

    static func read(_ path: FilePath) throws(ImageError) -> ImageManifest {
        let bytes = try Files.read(path, limit: 1 << 20)
        let manifest: ImageManifest
        do {
            manifest = try JSONDecoder().decode(ImageManifest.self, from: Data(bytes))
        } catch {
            throw .malformed(file: "\(path)", reason: "it is not an image's description")
        }
        guard manifest.format == currentFormat else {
            throw .malformed(file: "\(path)", reason: "its format \(manifest.format) is not \(currentFormat)")
        }
        let areNames = manifest.files.values.allSatisfy { !$0.isEmpty && !$0.contains("/") && $0 != ".." }
        guard areNames else { throw .malformed(file: "\(path)", reason: "it names files outside of its folder") }
        return manifest
    }
}

// SPDX-License-Identifier: Apache-2.0

import Images
import SystemPackage

/// An image that is ready to run.
public struct GuestImage: Codable, Equatable, Sendable {
    public var name: String
    public var platform: Platform
    /// The kernel's release, where the image has a kernel.
    public var kernelVersion: String?
    /// Bytes on disk.
    public var size: Int64
    /// Seconds since 1970.
    public var created: Int64
    /// Paths of its parts; nil where it has none.
    public var kernel: String?
    public var initialRamdisk: String?
    public var disk: String?
    /// Words that the image wants on the kernel's command line.
    public var commandLine: String

    init(_ image: StoredImage) {
        name = image.manifest.name
        platform = Platform(image.manifest.platform)
        kernelVersion = image.manifest.kernelVersion
        size = image.size
        created = image.manifest.created
        kernel = image.kernel?.string
        initialRamdisk = image.initrd?.string
        disk = image.disk?.string
        commandLine = image.manifest.commandLine ?? ""
    }

    /// What the image's machine starts from; an image without a kernel cannot start by itself.
    public func bootLoader() throws(VirtualMachineError) -> BootLoader {
        guard let kernel else {
            throw VirtualMachineError(
                .configuration,
                "image '\(name)' has no kernel; give one with --kernel and pass the image's \(disk ?? "disk") as --disk"
            )
        }
        return .linux(
            LinuxBootLoader(kernel: kernel, initialRamdisk: initialRamdisk, commandLine: commandLine))
    }
}

extension Platform {
    init(_ platform: ImagePlatform) {
        switch platform {
        case .riscv64: self = .riscv64
        case .x86_64: self = .x86_64
        }
    }

    var imagePlatform: ImagePlatform {
        switch self {
        case .riscv64: .riscv64
        case .x86_64: .x86_64
        }
    }
}

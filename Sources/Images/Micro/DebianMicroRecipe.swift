// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// `debian-micro`: Debian's kernel package and static busybox, made into a system in memory.
struct DebianMicroRecipe: ImageRecipe {
    let name: String
    let platform: ImagePlatform

    private static let suite = "trixie"
    private static let fileLimit = 512 << 20
    private static let steps = 5

    func build(
        in folder: FilePath, scratch: FilePath, options: ImageBuildOptions, progress: @escaping ImageProgressSink
    ) async throws(ImageError) -> ImageContents {
        // First of all, as nothing below can make up for it.
        let agent = try GuestData(folder: options.dataFolder).agent(for: platform)

        let tree = scratch.appending("tree")
        try Files.makeFolder(tree)
        try await fetch(into: tree, scratch: scratch, mirror: options.mirror, progress: progress)

        progress(.step(number: 4, count: Self.steps, title: "unwrap the kernel"))
        let modules = try KernelModules(folder: try modulesFolder(in: tree))
        let kernelName = "\(platform.debianKernelFile)-\(modules.version)"
        guard let kernelFile = try UnpackedTree.plainPath("boot/\(kernelName)", in: tree) else {
            throw .missingInPackage(what: "boot/\(kernelName)", package: platform.debianKernelPackage)
        }
        let kernel = try KernelImage(
            try Files.read(kernelFile, limit: Self.fileLimit), name: kernelName, platform: platform)
        try Files.write(kernel.bytes, to: folder.appending("kernel"))

        progress(.step(number: 5, count: Self.steps, title: "pack the initial RAM disk"))
        let micro = MicroImage(
            name: name, busybox: try busybox(in: tree), agent: try Files.read(agent, limit: Self.fileLimit),
            modules: modules)
        try micro.initramfs().write(to: folder.appending("initrd"), progress: progress)
        return ImageContents(
            kernel: "kernel", kernelVersion: modules.version, initrd: "initrd",
            commandLine: "\(platform.consoleArguments)quiet")
    }

    /// Fetches and unpacks the packages.
    private func fetch(
        into tree: FilePath, scratch: FilePath, mirror: String?, progress: @escaping ImageProgressSink
    ) async throws(ImageError) {
        let aptFolder = scratch.appending("apt")
        try Files.makeFolder(aptFolder)
        let apt = try Apt(
            folder: aptFolder, architecture: platform.debianArchitecture, suite: Self.suite, mirror: mirror)
        progress(.step(number: 1, count: Self.steps, title: "read the package list of \(Self.suite) at \(apt.mirror)"))
        try await apt.update()
        let kernel = try await apt.dependency(of: platform.debianKernelPackage, prefix: "linux-image-")
        progress(.step(number: 2, count: Self.steps, title: "download \(kernel) and busybox-static"))
        let packages = try await apt.download([kernel, "busybox-static"], progress: progress)
        progress(.step(number: 3, count: Self.steps, title: "unpack them"))
        for package in packages {
            try DebianPackage(path: package).unpack(into: tree, scratch: scratch, progress: progress)
            try Files.remove(package)
        }
    }

    /// Packages from before and after Debian moved everything below /usr.
    private func modulesFolder(in tree: FilePath) throws(ImageError) -> FilePath {
        for place in ["usr/lib/modules", "lib/modules"] {
            guard let folder = try UnpackedTree.plainPath(place, in: tree),
                let version = try Files.names(in: folder).first
            else { continue }
            if let modules = try UnpackedTree.plainPath("\(place)/\(version)", in: tree) { return modules }
        }
        throw .missingInPackage(what: "lib/modules", package: platform.debianKernelPackage)
    }

    private func busybox(in tree: FilePath) throws(ImageError) -> [UInt8] {
        for place in ["usr/bin/busybox", "bin/busybox"] {
            guard let file = try UnpackedTree.plainPath(place, in: tree) else { continue }
            return try Files.read(file, limit: Self.fileLimit)
        }
        throw .missingInPackage(what: "bin/busybox", package: "busybox-static")
    }
}

// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// The modules that belong to one kernel, in a folder as its package has it. The package has no `modules.dep`: that
/// is made on the machine where it is installed, so the modules are asked themselves.
struct KernelModules {
    private static let moduleLimit = 64 << 20

    let version: String
    private let files: [String: FilePath]
    private let builtin: Set<String>

    /// - Parameter folder: `/lib/modules/VERSION` of the unpacked package.
    init(folder: FilePath) throws(ImageError) {
        version = folder.lastComponent?.string ?? ""
        var files: [String: FilePath] = [:]
        try Self.collect(folder.appending("kernel"), depth: 0, into: &files)
        self.files = files
        let list = try Files.read(folder.appending("modules.builtin"), limit: 4 << 20)
        builtin = Set(
            list.split(separator: UInt8(ascii: "\n")).compactMap { line in
                Self.moduleName(String(decoding: line.split(separator: UInt8(ascii: "/")).last ?? [], as: UTF8.self))
            })
    }

    private static func collect(_ folder: FilePath, depth: Int, into files: inout [String: FilePath]) throws(ImageError)
    {
        guard depth < 32 else { throw .malformed(file: "\(folder)", reason: "its folders are nested too deep") }
        for name in try Files.names(in: folder) {
            let path = folder.appending(name)
            guard let status = try Files.status(path) else { continue }
            if status.type == .directory {
                try collect(path, depth: depth + 1, into: &files)
            } else if status.type == .regular, let module = moduleName(name) {
                files[module] = path
            }
        }
    }

    /// `virtio-rng.ko.xz` is the module `virtio_rng`; nil for what is no module.
    static func moduleName(_ file: String) -> String? {
        for suffix in [".ko", ".ko.xz", ".ko.gz", ".ko.zst"] where file.hasSuffix(suffix) {
            return KernelModule.canonicalName(file.dropLast(suffix.count))
        }
        return nil
    }

    /// The modules named, and those they need, each after what it needs. A module built into the kernel is no file.
    /// - Parameters:
    ///   - required: an error if the kernel has one neither as a file nor built in.
    ///   - optional: left out where the kernel lacks them.
    func resolve(required: [String], optional: [String]) throws(ImageError) -> [KernelModule] {
        var loaded: [KernelModule] = []
        var visited: Set<String> = []
        let wanted = required + optional.filter { files[$0] != nil }
        for name in wanted { try resolve(name, into: &loaded, visited: &visited) }
        return loaded
    }

    private func resolve(
        _ name: String, into loaded: inout [KernelModule], visited: inout Set<String>
    ) throws(ImageError) {
        guard !builtin.contains(name), visited.insert(name).inserted else { return }
        guard let path = files[name] else {
            throw .missingInPackage(what: "kernel module \(name)", package: "linux-image-\(version)")
        }
        let file = try Files.read(path, limit: Self.moduleLimit)
        let bytes = try ArchiveReader.decompress(file, name: "\(name).ko", limit: Self.moduleLimit)
        let module = try KernelModule(name: name, bytes: bytes)
        for dependency in module.dependencies { try resolve(dependency, into: &loaded, visited: &visited) }
        loaded.append(module)
    }

    /// Puts modules into `/lib/modules/VERSION` of an archive, with the two files that modprobe reads.
    func add(_ modules: [KernelModule], to archive: inout Initramfs) {
        let folder = "usr/lib/modules/\(version)"
        archive.addFolder("usr/lib/modules")
        archive.addFolder(folder)
        var dependencies = ""
        var aliases = ""
        var closure: [String: [String]] = [:]
        for module in modules {
            archive.add("\(folder)/\(module.name).ko", permissions: 0o644, .bytes(module.bytes))
            // modules.dep(5): everything below a module, what must be loaded last comes first.
            var below: [String] = []
            for direct in module.dependencies where closure[direct] != nil {
                for name in [direct] + (closure[direct] ?? []) where !below.contains(name) { below.append(name) }
            }
            closure[module.name] = below
            dependencies += "\(module.name).ko:" + below.map { " \($0).ko" }.joined() + "\n"
            for alias in module.aliases { aliases += "alias \(alias) \(module.name)\n" }
        }
        archive.addText("\(folder)/modules.dep", dependencies)
        archive.addText("\(folder)/modules.alias", aliases)
    }
}

// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// What lies below a folder of the host, in a fixed order, for packing.
struct FolderTree {
    /// No folder that fits into a guest's memory or disk has more.
    private static let entryLimit = 2_000_000
    private static let depthLimit = 256

    private(set) var initramfs = Initramfs()
    /// Bytes of all files.
    private(set) var fileBytes: Int64 = 0
    private var seen = 0

    /// Reads the folder at `root`. Sockets are left out, devices too where `devices` is false; `notice` hears of each.
    init(root: FilePath, devices: Bool, notice: (String) -> Void) throws(ImageError) {
        guard let status = try? Stat(root, followTargetSymlink: true), status.type == .directory else {
            throw .folder(path: "\(root)", reason: "it is not a folder; name one with --from")
        }
        try add(root, as: "", depth: 0, devices: devices, notice: notice)
    }

    private mutating func add(
        _ folder: FilePath, as prefix: String, depth: Int, devices: Bool, notice: (String) -> Void
    ) throws(ImageError) {
        guard depth < Self.depthLimit else { throw .folder(path: "\(folder)", reason: "it is nested too deep") }
        for name in try Files.names(in: folder) {
            let file = folder.appending(name)
            let path = prefix.isEmpty ? name : "\(prefix)/\(name)"
            // It may be gone since the folder was read.
            guard let status = try Files.status(file) else { continue }
            seen += 1
            guard seen <= Self.entryLimit else {
                throw .folder(path: "\(file)", reason: "the folder holds more than \(Self.entryLimit) files")
            }
            let permissions = UInt32(status.permissions.rawValue) & 0o7777
            switch status.type {
            case .directory:
                initramfs.add(path, permissions: permissions, .folder)
                try add(file, as: path, depth: depth + 1, devices: devices, notice: notice)
            case .regular:
                initramfs.add(path, permissions: permissions, .file(file, size: status.size))
                fileBytes += status.size
            case .symbolicLink:
                initramfs.add(path, permissions: 0o777, .symbolicLink(to: try Files.symbolicLinkTarget(file)))
            case .characterSpecial where devices, .blockSpecial where devices:
                let (major, minor) = Files.deviceNumbers(status)
                initramfs.add(
                    path, permissions: permissions,
                    status.type == .characterSpecial
                        ? .characterDevice(major: major, minor: minor) : .blockDevice(major: major, minor: minor))
            case .fifo:
                initramfs.add(path, permissions: permissions, .pipe)
            default:
                notice("\(path) is a \(status.type == .socket ? "socket" : "device") and is left out")
            }
        }
    }
}

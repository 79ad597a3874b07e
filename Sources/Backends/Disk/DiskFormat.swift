// SPDX-License-Identifier: Apache-2.0

import Glibc
import Host
import SystemPackage

/// A format of disk files that is not raw, recognized by its first bytes: used as raw it would only be destroyed.
struct DiskFormat: Equatable {
    /// What it is, with its article.
    let name: String
    private let offset: Int
    private let magic: [UInt8]
    /// How it becomes raw, `FILE` standing for it.
    private let conversion: String

    private init(_ name: String, at offset: Int = 0, _ magic: [UInt8], _ conversion: String) {
        self.name = name
        self.offset = offset
        self.magic = magic
        self.conversion = conversion
    }

    private static let convert = "convert it: qemu-img convert -O raw FILE disk.raw"

    static let all = [
        DiskFormat("a qcow2 image", Array("QFI".utf8) + [0xFB], convert),
        DiskFormat("a QED image", Array("QED".utf8) + [0], convert),
        DiskFormat("a VMDK image", Array("KDMV".utf8), convert),
        DiskFormat("a VMDK image", Array("# Disk DescriptorFile".utf8), convert),
        DiskFormat("a VHDX image", Array("vhdxfile".utf8), convert),
        DiskFormat("a VHD image", Array("conectix".utf8), convert),
        DiskFormat("a VDI image", at: 0x40, [0x7F, 0x10, 0xDA, 0xBE], convert),
        DiskFormat("compressed by gzip", [0x1F, 0x8B, 0x08], "decompress it: gunzip FILE"),
        DiskFormat("compressed by xz", [0xFD] + Array("7zXZ".utf8) + [0], "decompress it: unxz FILE"),
        DiskFormat("compressed by zstd", [0x28, 0xB5, 0x2F, 0xFD], "decompress it: unzstd FILE"),
        DiskFormat("compressed by bzip2", Array("BZh".utf8), "decompress it: bunzip2 FILE"),
    ]

    /// The format that the open file has, or nil where it may be raw.
    static func recognized(in descriptor: FileDescriptor) -> DiskFormat? {
        var head = [UInt8](repeating: 0, count: 512)
        // SAFETY: the array's own storage, for the length of the call.
        let count = unsafe head.withUnsafeMutableBytes {
            unsafe pread(descriptor.rawValue, $0.baseAddress, $0.count, 0)
        }
        return recognized(in: head[..<max(0, count)])
    }

    /// The format of a file that begins with `head`.
    static func recognized(in head: ArraySlice<UInt8>) -> DiskFormat? {
        all.first { head.dropFirst($0.offset).starts(with: $0.magic) }
    }

    /// What the user can do about it; `assumesRaw` is the way for a disk whose guest wrote these bytes.
    func remedy(_ path: String) -> String {
        let command = conversion.split(separator: "FILE", omittingEmptySubsequences: false).joined(
            separator: "'\(path)'")
        return command + ", or say that it is raw: ,format=raw"
    }
}

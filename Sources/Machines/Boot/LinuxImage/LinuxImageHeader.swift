// SPDX-License-Identifier: Apache-2.0

/// The header of a Linux `Image` for RISC-V (Linux, Documentation/arch/riscv/boot-image-header.rst).
///
/// Offsets: 8 text_offset, 16 image_size, 24 flags (bit 0: big-endian), 32 version, 48 `RISCV\0\0\0` (before version
/// 0.2 the only magic), 56 `RSC\x05`. All little-endian, 64 bytes in all.
public struct LinuxImageHeader: Equatable, Sendable {
    /// Where the image wants to lie, from the start of RAM, in bytes; a multiple of 2 MiB.
    public let textOffset: UInt64
    /// The bytes it occupies once it runs, its zeroed data included; at least the file's size.
    public let imageSize: UInt64

    /// What a file that is no usable Image is, where that can be told.
    public enum Rejection: Error, Equatable, Sendable, CustomStringConvertible {
        case notImage
        case compressed(String, remedy: String)
        case bigEndian
        case damaged(String)

        public var description: String {
            switch self {
            case .notImage: "is neither a Linux Image for riscv64 nor an ELF file"
            case .compressed(let kind, let remedy): "is \(kind): \(remedy)"
            case .bigEndian: "is a big-endian kernel, which no riscv64 hart here runs"
            case .damaged(let text): "has a damaged Image header: \(text)"
            }
        }
    }

    /// The header's size in bytes.
    static let size: UInt64 = 64
    private static let magic2: UInt32 = 0x0543_5352  // "RSC\x05"
    private static let legacyMagic: UInt64 = 0x0000_0056_4353_4952  // "RISCV\0\0\0"
    /// Kernels before version 0.1 of the header left text_offset to the loader.
    private static let defaultTextOffset: UInt64 = 0x20_0000
    /// No kernel is larger than this; what says so is damaged.
    private static let largestOffset: UInt64 = 1 << 40

    /// Reads the header at the start of `bytes`, which is all of a file, or the first 64 bytes of one of `fileSize`.
    public init(_ bytes: [UInt8], fileSize: UInt64? = nil) throws(Rejection) {
        if let known = LinuxImageHeader.recogniseCompressed(bytes) { throw known }
        let file = LittleEndianBytes(bytes: bytes)
        guard let magic = file.integer(UInt32.self, at: 56), let legacy = file.integer(UInt64.self, at: 48),
            file.count >= LinuxImageHeader.size,
            magic == LinuxImageHeader.magic2 || legacy == LinuxImageHeader.legacyMagic
        else { throw .notImage }
        let offset = file.integer(UInt64.self, at: 8) ?? 0
        let imageSize = file.integer(UInt64.self, at: 16) ?? 0
        let flags = file.integer(UInt64.self, at: 24) ?? 0
        guard flags & 1 == 0 else { throw .bigEndian }
        guard offset < LinuxImageHeader.largestOffset, imageSize < LinuxImageHeader.largestOffset else {
            throw .damaged("offset \(offset) and size \(imageSize) are past any memory")
        }
        guard offset & 0xFFF == 0 else { throw .damaged("text offset \(offset) is not a multiple of 4096") }
        textOffset = offset == 0 && imageSize == 0 ? LinuxImageHeader.defaultTextOffset : offset
        self.imageSize = max(imageSize, fileSize ?? file.count)
    }

    private static func recogniseCompressed(_ bytes: [UInt8]) -> Rejection? {
        // linux/drivers/firmware/efi/libstub/zboot-header.S: "MZ", two zero bytes, "zimg".
        if bytes.count >= 8, bytes[0] == 0x4D, bytes[1] == 0x5A, Array(bytes[4..<8]) == Array("zimg".utf8) {
            return .compressed(
                "an EFI zboot kernel", remedy: "give the Image inside it, or start it with a UEFI firmware")
        }
        let kinds: [(magic: [UInt8], kind: String, tool: String)] = [
            ([0x1F, 0x8B], "compressed by gzip", "gunzip"),
            ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "compressed by xz", "unxz"),
            ([0x28, 0xB5, 0x2F, 0xFD], "compressed by zstd", "unzstd"),
            ([0x42, 0x5A, 0x68], "compressed by bzip2", "bunzip2"),
            ([0x04, 0x22, 0x4D, 0x18], "compressed by lz4", "unlz4"),
        ]
        for (magic, kind, tool) in kinds where bytes.starts(with: magic) {
            return .compressed(kind, remedy: "decompress it first, for example with \(tool)")
        }
        return nil
    }
}

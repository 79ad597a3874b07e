// SPDX-License-Identifier: Apache-2.0

/// A Linux kernel as a distribution ships it, made into what a loader maps: for riscv64 the plain `Image`, for x86_64 the
/// `bzImage`, which unpacks itself.
struct KernelImage {
    /// No kernel is near this size.
    private static let limit = 512 << 20

    /// What the loader takes.
    let bytes: [UInt8]

    /// Undoes what wraps the kernel: gzip and the like around the whole file, or an EFI program that holds the
    /// compressed kernel (CONFIG_EFI_ZBOOT).
    init(_ file: [UInt8], name: String, platform: ImagePlatform = .riscv64) throws(ImageError) {
        guard platform != .x86_64 else {
            guard Self.isBzImage(file) else { throw .malformed(file: name, reason: "it is not an x86-64 bzImage") }
            bytes = file
            return
        }
        var bytes = try ArchiveReader.decompress(file, name: name, limit: Self.limit)
        if let payload = try Self.zbootPayload(of: bytes, name: name) {
            bytes = try ArchiveReader.decompress(payload, name: name, limit: Self.limit)
        }
        guard Self.isRISCVImage(bytes) else {
            throw .malformed(file: name, reason: "it is not a riscv64 kernel image")
        }
        self.bytes = bytes
    }

    // Linux Documentation/arch/riscv/boot-image-header.rst: `magic2` at 56 is "RSC\x05".
    private static func isRISCVImage(_ bytes: [UInt8]) -> Bool {
        bytes.count >= 64 && bytes[56..<60].elementsEqual([0x52, 0x53, 0x43, 0x05])
    }

    // Linux Documentation/arch/x86/boot.rst: the boot sector's magic number, "HdrS", and in xloadflags at 0x236 the bit
    // that says that there is a 64-bit entry.
    private static func isBzImage(_ bytes: [UInt8]) -> Bool {
        bytes.count > 0x400 && bytes[0x1FE..<0x200].elementsEqual([0x55, 0xAA])
            && bytes[0x202..<0x206].elementsEqual("HdrS".utf8) && bytes[0x236] & 1 != 0
    }

    // Linux drivers/firmware/efi/libstub/zboot-header.S: "MZ", 0, 0, "zimg", offset and size of the payload.
    private static func zbootPayload(of bytes: [UInt8], name: String) throws(ImageError) -> [UInt8]? {
        guard bytes.count >= 64, bytes[0..<2].elementsEqual([0x4D, 0x5A]), bytes[4..<8].elementsEqual("zimg".utf8)
        else { return nil }
        let data = LittleEndianBytes(bytes)
        guard let offset = data.word(at: 8), let size = data.word(at: 12), let payload = data.slice(offset, size) else {
            throw .malformed(file: name, reason: "its payload lies outside of it")
        }
        return Array(payload)
    }
}

/// Bounds-checked little-endian reads of a file that a stranger wrote.
struct LittleEndianBytes {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    private func value(at offset: Int, size: Int) -> UInt64? {
        guard offset >= 0, offset <= bytes.count - size else { return nil }
        return (0..<size).reversed().reduce(0) { $0 << 8 | UInt64(bytes[offset + $1]) }
    }

    func half(at offset: Int) -> Int? { value(at: offset, size: 2).map { Int($0) } }
    func word(at offset: Int) -> Int? { value(at: offset, size: 4).map { Int($0) } }

    /// A 64-bit value that is at most `Int.max`: an offset or a size.
    func extent(at offset: Int) -> Int? { value(at: offset, size: 8).flatMap { Int(exactly: $0) } }

    func slice(_ offset: Int, _ count: Int) -> ArraySlice<UInt8>? {
        guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else { return nil }
        return bytes[offset..<offset + count]
    }
}

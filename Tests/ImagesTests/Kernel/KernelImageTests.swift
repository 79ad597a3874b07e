// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Images

@Suite("KernelImage")
struct KernelImageTests {
    /// The smallest thing with a riscv64 image's header, and a recognisable end.
    static let image: [UInt8] = {
        var bytes = [UInt8](repeating: 0, count: 4096)
        bytes.replaceSubrange(56..<60, with: [0x52, 0x53, 0x43, 0x05])
        bytes[4095] = 0x5A
        return bytes
    }()

    /// An EFI program that carries `payload` at `offset`.
    private static func zboot(_ payload: [UInt8], offset: UInt32, size: UInt32) -> [UInt8] {
        var bytes: [UInt8] = [0x4D, 0x5A, 0, 0] + Array("zimg".utf8)
        for value in [offset, size] { bytes += (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        bytes += [UInt8](repeating: 0, count: 64 - bytes.count)
        return bytes + payload
    }

    @Test("takes an image as it is, and under every compression", arguments: ArchiveFixture.Filter.allCases)
    func decompresses(filter: ArchiveFixture.Filter) throws {
        let folder = try TemporaryFolder()
        let file = try ArchiveFixture.compressed(Self.image, filter: filter, in: folder)
        #expect(try KernelImage(file, name: "vmlinux").bytes == Self.image)
    }

    @Test("takes an image out of an EFI program", arguments: ArchiveFixture.Filter.allCases)
    func unwrapsZboot(filter: ArchiveFixture.Filter) throws {
        let folder = try TemporaryFolder()
        let payload = try ArchiveFixture.compressed(Self.image, filter: filter, in: folder)
        let file = Self.zboot(payload, offset: 64, size: UInt32(payload.count))
        #expect(try KernelImage(file, name: "vmlinuz").bytes == Self.image)
    }

    /// The smallest thing with the header of a bzImage that has a 64-bit entry.
    private static let bzImage: [UInt8] = {
        var bytes = [UInt8](repeating: 0, count: 4096)
        bytes.replaceSubrange(0x1FE..<0x200, with: [0x55, 0xAA])
        bytes.replaceSubrange(0x202..<0x206, with: Array("HdrS".utf8))
        bytes[0x236] = 1
        return bytes
    }()

    @Test("takes a bzImage as it is")
    func takesBzImage() throws {
        #expect(try KernelImage(Self.bzImage, name: "vmlinuz", platform: .x86_64).bytes == Self.bzImage)
    }

    @Test(
        "refuses what is no x86-64 bzImage, and a bzImage for riscv64",
        arguments: [
            ([], .x86_64), (image, .x86_64), (Array(bzImage.prefix(0x400)), .x86_64),
            (bzImage.replacing(at: 0x236, with: 0), .x86_64), (bzImage.replacing(at: 0x202, with: 0), .x86_64),
            (bzImage, .riscv64),
        ] as [([UInt8], ImagePlatform)])
    func refusesOthers(bytes: [UInt8], platform: ImagePlatform) {
        #expect(throws: ImageError.self) { try KernelImage(bytes, name: "vmlinuz", platform: platform) }
    }

    @Test(
        "refuses what is no riscv64 kernel",
        arguments: [
            [], [0x7F, 0x45, 0x4C, 0x46], [UInt8](repeating: 0, count: 4096), [0x1F, 0x8B], [0x1F, 0x8B, 8, 0, 0, 0],
            zboot([1, 2, 3], offset: 64, size: 4), zboot([], offset: .max, size: .max), zboot([], offset: 65, size: 0),
            zboot([1, 2, 3, 4], offset: 64, size: 4),
        ])
    func refuses(bytes: [UInt8]) {
        #expect(throws: ImageError.self) { try KernelImage(bytes, name: "vmlinux") }
    }
}

extension [UInt8] {
    /// The bytes with that at `index` replaced.
    fileprivate func replacing(at index: Int, with byte: UInt8) -> [UInt8] {
        var copy = self
        copy[index] = byte
        return copy
    }
}

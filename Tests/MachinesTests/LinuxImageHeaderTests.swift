// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Machines

@Suite struct LinuxImageHeaderTests {
    /// A header of version 0.2 with these fields, and nothing behind it.
    private static func header(
        offset: UInt64 = 0x20_0000, size: UInt64 = 0x10_0000, flags: UInt64 = 0,
        magic: [UInt8] = Array("RSC\u{5}".utf8),
        legacy: [UInt8] = Array("RISCV\0\0\0".utf8)
    ) -> [UInt8] {
        let fields = [offset, size, flags].flatMap { value in
            (0..<8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
        }
        return [UInt8](repeating: 0x13, count: 8) + fields + [UInt8](repeating: 0, count: 16) + legacy + magic
            + [0, 0, 0, 0]
    }

    @Test(
        "either magic makes an Image",
        arguments: [
            header(), header(legacy: [UInt8](repeating: 0, count: 8)), header(magic: [0, 0, 0, 0]),
        ])
    func accepted(bytes: [UInt8]) throws {
        let header = try LinuxImageHeader(bytes)
        #expect(header.textOffset == 0x20_0000)
        #expect(header.imageSize == 0x10_0000)
    }

    @Test("an Image whose header says less than the file has is as large as the file")
    func fileSize() throws {
        #expect(try LinuxImageHeader(Self.header(size: 10)).imageSize == 64)
    }

    @Test("a header that says nothing of its place goes 2 MiB into RAM")
    func oldHeader() throws {
        #expect(try LinuxImageHeader(Self.header(offset: 0, size: 0)).textOffset == 0x20_0000)
    }

    @Test(
        "what is no usable Image is refused by its own reason",
        arguments: [
            ([], .notImage),
            ([UInt8](repeating: 0, count: 64), .notImage),
            (Array(header().dropLast(5)), .notImage),
            (header(flags: 1), .bigEndian),
            (header(offset: 0x20_0010), .damaged("text offset 2097168 is not a multiple of 4096")),
            (header(size: 1 << 40), .damaged("offset 2097152 and size 1099511627776 are past any memory")),
            (
                [0x1F, 0x8B, 8],
                .compressed("compressed by gzip", remedy: "decompress it first, for example with gunzip")
            ),
            (
                Array("MZ\0\0zimg".utf8),
                .compressed("an EFI zboot kernel", remedy: "give the Image inside it, or start it with a UEFI firmware")
            ),
        ] as [([UInt8], LinuxImageHeader.Rejection)])
    func refused(bytes: [UInt8], reason: LinuxImageHeader.Rejection) {
        #expect(throws: reason) { _ = try LinuxImageHeader(bytes) }
    }
}

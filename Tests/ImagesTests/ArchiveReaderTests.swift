// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Images

@Suite("ArchiveReader")
struct ArchiveReaderTests {
    /// The first bytes of formats that libarchive leaves to programs named lrzip, grzip and lzop.
    private static let foreign: [[UInt8]] = [
        Array("LRZI".utf8) + [0, 6], Array("GRZipII".utf8) + [0, 2, 4] + Array(":)".utf8),
        [0x89] + Array("LZO".utf8) + [0, 0x0D, 0x0A, 0x1A, 0x0A],
    ]

    @Test("no program of the host is run for a compression that libarchive cannot undo itself", arguments: foreign)
    func noPrograms(first: [UInt8]) throws {
        let bytes = first + [UInt8](repeating: 0x5A, count: 600)
        let reader = try ArchiveReader(bytes: bytes, name: "stream", format: .stream)
        _ = try #require(try reader.next())
        #expect(try reader.contents(limit: 4096) == bytes)
    }
}

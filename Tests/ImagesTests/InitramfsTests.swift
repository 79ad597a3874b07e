// SPDX-License-Identifier: Apache-2.0
import SystemPackage
import Testing

@testable import Images

@Suite("Initramfs")
struct InitramfsTests {
    /// One entry of a cpio archive, read by the format's definition (Linux
    /// Documentation/driver-api/early-userspace/buffer-format.rst).
    struct Header: Equatable {
        var path: String
        var mode: UInt32
        var owner: UInt32 = 0
        var links: UInt32 = 1
        var date: UInt32 = 0
        var device: [UInt32] = [0, 0]
        var content: [UInt8] = []
    }

    private static func parse(_ bytes: [UInt8]) throws -> [Header] {
        var headers: [Header] = []
        var offset = 0
        while offset + 110 <= bytes.count {
            func field(_ index: Int) throws -> UInt32 {
                let start = offset + 6 + 8 * index
                return try #require(UInt32(String(decoding: bytes[start..<start + 8], as: UTF8.self), radix: 16))
            }
            try #require(bytes[offset..<offset + 6].elementsEqual("070701".utf8))
            let (nameSize, size) = (Int(try field(11)), Int(try field(6)))
            let path = String(decoding: bytes[offset + 110..<offset + 110 + nameSize - 1], as: UTF8.self)
            let start = (offset + 110 + nameSize + 3) / 4 * 4
            if path == "TRAILER!!!" { return headers }
            headers.append(
                Header(
                    path: path, mode: try field(1), owner: try field(2) | field(3), links: try field(4),
                    date: try field(5), device: [try field(9), try field(10)],
                    content: Array(bytes[start..<start + size])))
            offset = (start + size + 3) / 4 * 4
        }
        Issue.record("the archive has no end")
        return headers
    }

    @Test("is what a kernel unpacks: modes, devices, links and content, all of it root's and without a date")
    func writesNewc() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("source", [7, 8, 9])
        var archive = Initramfs()
        archive.addConsole()
        archive.addFolder("tmp", permissions: 0o1777)
        archive.addText("etc", "abc")
        archive.addLink("bin", to: "usr/bin")
        archive.add("run", permissions: 0o4755, .file(file, size: 3))
        archive.add("disk", permissions: 0o660, .blockDevice(major: 254, minor: 300))
        archive.add("pipe", permissions: 0o600, .pipe)
        archive.addText("etc", "the first of a path stays")
        try archive.write(to: folder.path.appending("out"))
        let headers = try Self.parse(try folder.read("out"))
        #expect(
            headers == [
                Header(path: "dev", mode: 0o040755), Header(path: "dev/console", mode: 0o020600, device: [5, 1]),
                Header(path: "dev/null", mode: 0o020666, device: [1, 3]), Header(path: "tmp", mode: 0o041777),
                Header(path: "etc", mode: 0o100644, content: Array("abc".utf8)),
                Header(path: "bin", mode: 0o120777, content: Array("usr/bin".utf8)),
                Header(path: "run", mode: 0o104755, content: [7, 8, 9]),
                Header(path: "disk", mode: 0o060660, device: [254, 300]), Header(path: "pipe", mode: 0o010600),
            ])
    }

    @Test("undoes to the same archive when it is compressed")
    func compresses() throws {
        let folder = try TemporaryFolder()
        var archive = Initramfs()
        archive.addText("a", String(repeating: "text", count: 1000))
        try archive.write(to: folder.path.appending("plain"))
        try archive.write(to: folder.path.appending("packed"), compression: .gzip)
        let packed = try folder.read("packed")
        #expect(packed.count < 1000)
        #expect(try ArchiveReader.decompress(packed, name: "packed", limit: 1 << 20) == folder.read("plain"))
    }

    @Test("refuses a file that is not as large as it was", arguments: [2, 4] as [Int64])
    func refusesChange(size: Int64) throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("source", [7, 8, 9])
        var archive = Initramfs()
        archive.add("run", permissions: 0o755, .file(file, size: size))
        #expect(throws: ImageError.self) { try archive.write(to: folder.path.appending("out")) }
    }

    @Test("names the file that cannot be written")
    func namesTarget() {
        let error = #expect(throws: ImageError.self) { try Initramfs().write(to: "/no/such/folder/out") }
        #expect(error?.description.contains("/no/such/folder/out") == true)
    }

    @Test("stops a stream that decompresses past its limit")
    func limitsDecompression() throws {
        let folder = try TemporaryFolder()
        let bomb = try ArchiveFixture.compressed([UInt8](repeating: 0, count: 1 << 20), filter: .xz, in: folder)
        #expect(throws: ImageError.self) { try ArchiveReader.decompress(bomb, name: "bomb", limit: 1 << 19) }
    }
}

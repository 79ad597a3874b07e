// SPDX-License-Identifier: Apache-2.0

import Foundation
import Host
import SystemPackage
import Testing

@Suite("FileCopy")
final class FileCopyTests {
    private let folder = FilePath(
        FileManager.default.temporaryDirectory.appending(path: "apus-copy-\(UUID().uuidString)").path)
    private var source: FilePath { folder.appending("source") }
    private var target: FilePath { folder.appending("target") }

    init() throws { try Directory.make(folder) }

    deinit { try? Directory.remove(folder) }

    /// A file of `size` bytes with `pieces` at their offsets and holes between them.
    private func makeSource(size: UInt64, _ pieces: [(UInt64, String)]) throws {
        try TextFile.replace(source, with: "", isDurable: false)
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: source.string))
        try file.truncate(atOffset: size)
        for (offset, text) in pieces {
            try file.seek(toOffset: offset)
            try file.write(contentsOf: Data(text.utf8))
        }
        try file.close()
    }

    private func content(_ path: FilePath) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path.string)) }

    @Test(
        "a copy has the same bytes",
        arguments: [
            (0, []), (1, [(0, "x")]), (4096, [(4095, "x")]), (3 << 20, []),
            ((5 << 20) + 7, [(0, "a"), (3 << 20, "b")]),
            ((2 << 20) + 1, [(2 << 20, "z")]),
        ] as [(UInt64, [(UInt64, String)])])
    func content(_ size: UInt64, _ pieces: [(UInt64, String)]) throws {
        try makeSource(size: size, pieces)
        try FileCopy.make(source, to: target)
        #expect(try content(target) == content(source))
    }

    @Test("holes take no space in the copy")
    func holes() throws {
        try makeSource(size: 64 << 20, [(0, "a"), (32 << 20, "b")])
        try FileCopy.make(source, to: target)
        #expect(try Stat(target, followTargetSymlink: false).sizeAllocated < 1 << 20)
    }

    @Test("a file that is there is not overwritten")
    func existing() throws {
        try makeSource(size: 3, [(0, "new")])
        try TextFile.replace(target, with: "old", isDurable: false)
        #expect(throws: HostError.self) { try FileCopy.make(source, to: target) }
        #expect(try TextFile.read(target, limit: 10) == "old")
    }

    @Test("a source that is no file is refused, and nothing is left")
    func notAFile() throws {
        #expect(throws: HostError.self) { try FileCopy.make("/dev/null", to: target) }
        #expect(Directory.names(folder) == [])
    }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemPackage
import Testing

@testable import ApusKit

/// A console's log is bounded, and what is in it is whole.
@Suite("Console log")
struct ConsoleLogTests {
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "apus-log-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private var path: String { folder.appending(path: "console.log").path }

    @Test("what is written is appended to what is there")
    func appending() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data("before ".utf8).write(to: URL(fileURLWithPath: path))
        let log = try ConsoleLog(FilePath(path))
        log.write(Array("after".utf8))
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "before after")
    }

    @Test("a full log is copied aside and begins anew: what both hold is the end of what was written, without a gap")
    func rotation() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let log = try ConsoleLog(FilePath(path))
        let lines = (0..<50_000).map { Array("line number \($0) of the guest's long speech\n".utf8) }
        for line in lines { log.write(line) }
        let older = try Data(contentsOf: URL(fileURLWithPath: path + ".1"))
        let newer = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(older.count <= Int(ConsoleLog.limit) + 100)
        #expect(newer.count <= Int(ConsoleLog.limit) + 100)
        #expect(Data(lines.joined().suffix(older.count + newer.count)) == older + newer)
    }
}

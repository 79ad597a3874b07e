// SPDX-License-Identifier: Apache-2.0

import Foundation
import Host
import SystemPackage
import Testing

@Suite("FollowedFile")
final class FollowedFileTests {
    private let folder = FilePath(
        FileManager.default.temporaryDirectory.appending(path: "apus-follow-\(UUID().uuidString)").path)
    private var path: FilePath { folder.appending("file") }

    init() throws { try Directory.make(folder) }

    deinit { try? Directory.remove(folder) }

    private func append(_ text: String) throws {
        let file = try FileDescriptor.open(path, .writeOnly, options: [.create, .append], permissions: .ownerReadWrite)
        try file.closeAfter { _ = try file.writeAll(text.utf8) }
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test("what is appended comes, once, also to a file that was not there")
    func appended() throws {
        var file = FollowedFile(path)
        #expect(file.next() == [])
        try append("one")
        #expect(text(file.next()) == "one")
        #expect(file.next() == [])
        try append("two")
        #expect(text(file.next()) == "two")
    }

    @Test("a file that was cut off is read from its new beginning")
    func cut() throws {
        var file = FollowedFile(path)
        try append("long text")
        #expect(text(file.next()) == "long text")
        try FileDescriptor.open(path, .writeOnly, options: .truncate).close()
        try append("new")
        #expect(text(file.next()) == "new")
    }

    @Test("a file that was replaced is read to its end, then the new one")
    func replaced() throws {
        var file = FollowedFile(path)
        try append("a")
        #expect(text(file.next()) == "a")
        try append("b")
        try Directory.rename(path, to: folder.appending("old"))
        try append("c")
        #expect(text(file.next()) == "b")
        #expect(text(file.next()) == "c")
    }

    @Test(
        "the last lines begin where they do, and are counted",
        arguments: [
            ("a\nb\nc\n", 2, "b\nc\n", 2), ("a\nb\nc", 2, "b\nc", 2), ("a\nb\n", 9, "a\nb\n", 2), ("a\nb\n", 0, "", 0),
            ("", 3, "", 0), ("\n\n\n", 2, "\n\n", 2), ("a", 1, "a", 1),
        ] as [(String, Int, String, Int)])
    func lastLines(_ content: String, _ count: Int, _ rest: String, _ found: Int) throws {
        try append(content)
        var file = FollowedFile(path)
        let lines = file.skip(toLast: count)
        #expect(lines == found)
        #expect(text(file.next()) == rest)
    }

    @Test("last lines are found across pieces")
    func longLines() throws {
        let line = String(repeating: "x", count: 100_000)
        try append("first\n\(line)\n\(line)\n")
        var file = FollowedFile(path)
        #expect(file.skip(toLast: 2) == 2)
        #expect(file.next().first == UInt8(ascii: "x"))
        #expect(file.skip(toLast: 3) == 3)
        #expect(text(file.next()).hasPrefix("first\n"))
    }
}

@Suite("ProcessUsage")
struct ProcessUsageTests {
    @Test("this process has memory, and one that is not there has nothing to see")
    func look() throws {
        let usage = try #require(ProcessUsage(getpid()))
        #expect(usage.residentMemory > 1 << 20)
        #expect(ProcessUsage(-5) == nil)
    }

    @Test("what the children of a process use is told by its number, one's own and no other's")
    func children() throws {
        let child = try ChildProcess("/bin/sleep", ["600"], descriptors: [:])
        defer {
            child.signal(SIGKILL)
            _ = child.wait()
        }
        let usage = ProcessUsage.children(of: [getpid(), child.pid])
        #expect(try #require(usage[getpid()]).residentMemory > 0)
        #expect(usage[child.pid] == nil)
    }

    @Test("a process is told from others by its start")
    func start() throws {
        #expect(HostProcess.startTime(of: getpid()) != nil)
        #expect(HostProcess.startTime(of: getpid()) != HostProcess.startTime(of: 1))
        #expect(HostProcess.startTime(of: -5) == nil)
    }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Host
import SystemPackage
import Testing

@Suite struct StableFileTests {
    /// A file of its own, gone with the test.
    private final class Given: Sendable {
        let path = FilePath("/tmp/apus-stable-\(UUID().uuidString)")
        init(_ text: String) throws { try write(text) }
        func write(_ text: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: path.string)) }
        deinit { unlink(path.string) }
    }

    @Test("parts are read, also after the file has lost its name")
    func parts() throws {
        let given = try Given("0123456789")
        let file = try #require(try StableFile.open(given.path))
        unlink(given.path.string)
        #expect(file.size == 10)
        #expect(try file.bytes(at: 3, count: 4) == Array("3456".utf8))
        #expect(try file.bytes(at: 10, count: 0) == [])
    }

    @Test("more than there is cannot be read")
    func end() throws {
        let given = try Given("0123456789")
        let file = try #require(try StableFile.open(given.path))
        #expect(throws: HostError.self) { try file.bytes(at: 8, count: 3) }
    }

    @Test("a file that was changed since is refused, with its name", arguments: ["9876543210", "short", ""])
    func changed(text: String) throws {
        let given = try Given("0123456789")
        let file = try #require(try StableFile.open(given.path))
        let descriptor = try FileDescriptor.open(given.path, .writeOnly, options: .truncate)
        try descriptor.closeAfter {
            _ = try descriptor.writeAll(text.utf8)
            // The clock of a file system is coarse.
            var times = [timespec(), timespec()]
            futimens(descriptor.rawValue, &times)
        }
        let error = #expect(throws: HostError.self) { try file.bytes(at: 0, count: 1) }
        #expect(error?.description.contains("'\(given.path)' was changed") == true)
    }

    @Test("what is no regular file is none", arguments: ["/dev/null", "/tmp"])
    func others(path: String) throws {
        #expect(try StableFile.open(FilePath(path)) == nil)
    }

    @Test("a file that is not there is an error with its name")
    func absent() {
        let error = #expect(throws: HostError.self) { try StableFile.open("/tmp/apus-no-such-file") }
        #expect(error?.description.contains("/tmp/apus-no-such-file") == true)
    }
}

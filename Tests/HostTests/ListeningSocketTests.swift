// SPDX-License-Identifier: Apache-2.0

import Foundation
import Host
import SystemPackage
import Testing

@Suite("ListeningSocket", .timeLimit(.minutes(5)))
final class ListeningSocketTests {
    private let folder = FilePath(
        FileManager.default.temporaryDirectory.appending(path: "apus-ls-\(UUID().uuidString)").path)
    private var path: FilePath { folder.appending("socket") }

    init() throws { try Directory.make(folder) }

    deinit { try? Directory.remove(folder) }

    private func listen() throws -> (socket: ListeningSocket, identity: FileIdentity) {
        let socket = try ListeningSocket(path, leavesFile: true)
        return (socket, try #require(FileIdentity(path)))
    }

    @Test("one that was left is cleared")
    func left() throws {
        let (socket, identity) = try listen()
        socket.close()
        #expect(FileIdentity(path) == identity)
        ListeningSocket.clear(path, identity)
        #expect(FileIdentity(path) == nil)
    }

    @Test("one that is listened at stays, and one that is not for long is cleared")
    func listening() throws {
        let (socket, identity) = try listen()
        ListeningSocket.clear(path, identity)
        #expect(FileIdentity(path) == identity)
        // A plain thread: the pool's may all be busy for longer than is waited.
        let closing = try HostThread(name: "closing") {
            Thread.sleep(forTimeInterval: 0.05)
            socket.close()
        }
        let isCleared = settles {
            ListeningSocket.clear(path, identity)
            return FileIdentity(path) == nil
        }
        closing.join()
        #expect(isCleared)
    }

    @Test("what is there instead stays: another socket, a file")
    func other() throws {
        let (socket, identity) = try listen()
        socket.close()
        let aside = folder.appending("aside")
        try Directory.rename(path, to: aside)
        let (second, newer) = try listen()
        second.close()
        ListeningSocket.clear(path, identity)
        #expect(FileIdentity(path) == newer)
        try FileManager.default.removeItem(atPath: path.string)
        try TextFile.replace(path, with: "mine", isDurable: false)
        ListeningSocket.clear(path, identity)
        ListeningSocket.clear(path, try #require(FileIdentity(path)))
        #expect(try TextFile.read(path, limit: 10) == "mine")
    }
}

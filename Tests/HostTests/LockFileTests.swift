// SPDX-License-Identifier: Apache-2.0

import Foundation
import Host
import SystemPackage
import Testing

@Suite("LockFile", .timeLimit(.minutes(10)))
final class LockFileTests {
    private let folder = FilePath(
        FileManager.default.temporaryDirectory.appending(path: "apus-lock-\(UUID().uuidString)").path)
    private var path: FilePath { folder.appending("lock") }

    init() throws { try Directory.make(folder) }

    deinit { try? Directory.remove(folder) }

    private func isTaken() throws -> Bool { try LockFile.take(path).isNone }

    @Test("a second one is refused while the first is held, and gets it afterwards")
    func exclusive() throws {
        var first = try LockFile.take(path)
        let isHeld = !first.isNone
        #expect(isHeld)
        #expect(try isTaken())
        #expect(try LockFile.isHeld(path))
        first = nil
        #expect(try !LockFile.isHeld(path))
        #expect(try !isTaken())
    }

    @Test("a file that is not there is held by nobody and is not made by looking")
    func missing() throws {
        #expect(try !LockFile.isHeld(path))
        #expect(FileIdentity(path) == nil)
    }

    private func holder() throws -> ChildProcess {
        let lock = try LockFile.wait(path, milliseconds: 1000)
        return try ChildProcess("/bin/sleep", ["600"], descriptors: [3: lock.raw])
    }

    @Test("a process that inherited the lock holds it until it is killed")
    func inherited() throws {
        let child = try holder()
        #expect(try LockFile.isHeld(path))
        child.signal(SIGKILL)
        _ = child.wait()
        #expect(try !LockFile.isHeld(path))
    }

    @Test("whoever waits for a lock whose file its holder removes has the lock of the file that is there")
    func removed() async throws {
        let path = path
        var first = try LockFile.take(path)
        // On a thread of its own: two that block would hold all of the pool's on two cores.
        async let waiter = HostThread.run("waiter") { () -> Bool in
            guard let lock = try? LockFile.wait(path, milliseconds: 30_000) else { return false }
            return FileIdentity(lock.raw) == FileIdentity(path)
        }
        try await Task.sleep(for: .milliseconds(50))
        try Directory.remove(path)
        first = nil
        #expect(await waiter)
        let isHeld = !first.isNone
        #expect(!isHeld)
    }

    @Test("whoever waits without a limit has the lock when its holder lets go")
    func patient() async throws {
        let path = path
        var first = try LockFile.take(path)
        let isHeld = !first.isNone
        #expect(isHeld)
        async let waiter = HostThread.run("waiter") { () -> ContinuousClock.Instant? in
            guard let lock = try? LockFile.wait(path) else { return nil }
            defer { withExtendedLifetime(lock) {} }
            return .now
        }
        try await Task.sleep(for: .milliseconds(50))
        let released = ContinuousClock.now
        first = nil
        #expect(try #require(await waiter) >= released)
    }

    @Test("whoever waits too long is told for what")
    func timeout() throws {
        let lock = try LockFile.take(path)
        let error = #expect(throws: HostError.self) { _ = try LockFile.wait(path, milliseconds: 20) }
        #expect(error?.description.contains("'\(path)' has been locked by another process") == true)
        _ = consume lock
    }
}

extension Optional where Wrapped: ~Copyable {
    fileprivate var isNone: Bool {
        switch self {
        case .none: true
        case .some: false
        }
    }
}

@Suite("Directory")
final class DirectoryTests {
    private let folder = FilePath(
        FileManager.default.temporaryDirectory.appending(path: "apus-dir-\(UUID().uuidString)").path)

    init() throws { try Directory.make(folder) }

    deinit { try? Directory.remove(folder) }

    @Test("a tree goes with all that is in it, and what its links lead to stays")
    func remove() throws {
        let tree = folder.appending("tree")
        try Directory.makeWithParents(tree.appending("a/b"))
        try TextFile.replace(tree.appending("a/b/file"), with: "x", isDurable: true)
        try TextFile.replace(folder.appending("kept"), with: "x", isDurable: false)
        try FileManager.default.createSymbolicLink(
            atPath: tree.appending("link").string, withDestinationPath: folder.string)
        try Directory.remove(tree)
        #expect(Directory.names(folder) == ["kept"])
        try Directory.remove(tree)
    }

    @Test("a file is replaced whole, and nothing is left beside it")
    func replace() throws {
        let file = folder.appending("file")
        try TextFile.replace(file, with: "old", isDurable: false)
        try TextFile.replace(file, with: "new", isDurable: true)
        #expect(try TextFile.read(file, limit: 100) == "new")
        #expect(Directory.names(folder) == ["file"])
    }

    @Test("a file that cannot be written leaves the old one and nothing beside it")
    func failedReplace() throws {
        try Directory.make(folder.appending("file"))
        #expect(throws: HostError.self) {
            try TextFile.replace(folder.appending("file"), with: "x", isDurable: false)
        }
        #expect(Directory.names(folder) == ["file"])
    }
}

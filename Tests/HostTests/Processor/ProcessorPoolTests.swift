// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
@testable import Host
import SystemPackage
import Testing

@Suite(.timeLimit(.minutes(10))) struct ProcessorPoolTests {
    private let folder: FilePath

    init() throws {
        var template = Array((NSTemporaryDirectory() + "/apus-pool-XXXXXX").utf8CString)
        folder = FilePath(String(cString: try #require(mkdtemp(&template))))
    }

    private func cleanUp() { try? FileManager.default.removeItem(atPath: folder.string) }

    @Test("guests see each other's words, and when one is gone")
    func words() throws {
        defer { cleanUp() }
        let first = try ProcessorPool(folder: folder)
        var second: ProcessorPool? = try ProcessorPool(folder: folder)
        second?.store(.shares, 300)
        second?.store(CPUSet([0, 1000]))
        #expect(first.takenSeats() == [1])
        #expect(first.load(.shares, of: 1) == 300)
        #expect(first.loadCPUs(of: 1) == CPUSet([0, 1000]))
        second = nil
        #expect(first.takenSeats().isEmpty)
    }

    @Test("who comes, and who goes, rings the others")
    func bells() throws {
        defer { cleanUp() }
        let first = try ProcessorPool(folder: folder)
        let (bell, changes) = (first.bell, first.changes)
        let second = try ProcessorPool(folder: folder)
        #expect(first.bell == bell + 1)
        #expect(first.changes == changes + 1)
        // A bell that was rung before does not let anyone sleep.
        first.wait(while: bell, untilMonotonic: nil)
        _ = second.seat
    }

    @Test("a bell wakes who sleeps")
    func wakes() throws {
        let pool = try ProcessorPool()
        let bell = pool.bell
        let sleeper = try HostThread(name: "sleeper") { pool.wait(while: bell, untilMonotonic: nil) }
        usleep(20_000)
        pool.ring()
        sleeper.join()
    }

    @Test("a guest that was killed leaves a place that the next one takes, cleared")
    func killed() throws {
        defer { cleanUp() }
        let witness = try ProcessorPool(folder: folder)
        // What a dead process leaves: words, and no lock.
        let file = try Descriptor.open(folder.appending(ProcessorPool.fileName), .readWrite)
        let leftovers = [UInt64](repeating: 9, count: 512)
        #expect(pwrite(file.number, leftovers, 4096, off_t(2 * ProcessorPool.page)) == 4096)
        #expect(witness.takenSeats() == [1])
        let next = try ProcessorPool(folder: folder)
        #expect(next.seat == 1)
        #expect(witness.load(.virtualTime, of: 1) == 0)
    }

    @Test("what killed guests left is cleared without taking a place")
    func clearStale() throws {
        defer { cleanUp() }
        let witness = try ProcessorPool(folder: folder)
        let file = try Descriptor.open(folder.appending(ProcessorPool.fileName), .readWrite)
        let leftovers = [UInt64](repeating: 9, count: 512)
        #expect(pwrite(file.number, leftovers, 4096, off_t(2 * ProcessorPool.page)) == 4096)
        ProcessorPool.clearStale(in: folder)
        #expect(witness.takenSeats().isEmpty)
        #expect(witness.load(.state, of: witness.seat) == 1)
    }

    @Test("no descriptor that could write the file stays open")
    func descriptors() throws {
        defer { cleanUp() }
        let pool = try ProcessorPool(folder: folder)
        let name = folder.appending(ProcessorPool.fileName).string
        let modes = Directory.names("/proc/self/fd").compactMap { number -> Int32? in
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(number)"),
                target == name, let descriptor = Int32(number)
            else { return nil }
            return fcntl(descriptor, F_GETFL) & O_ACCMODE
        }
        #expect(modes == [O_RDONLY])
        _ = pool.seat
    }

    @Test("a file that is not this user's alone is refused")
    func foreign() throws {
        defer { cleanUp() }
        let path = folder.appending(ProcessorPool.fileName).string
        #expect(FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o666]))
        let error = #expect(throws: HostError.self) { try ProcessorPool(folder: folder) }
        #expect(error?.description.contains("is not a file of this user's alone") == true)
    }

    @Test("all places taken is an error with a remedy")
    func full() throws {
        defer { cleanUp() }
        let pools = try (0..<ProcessorPool.seats).map { _ in try ProcessorPool(folder: folder) }
        let error = #expect(throws: HostError.self) { try ProcessorPool(folder: folder) }
        #expect(error?.description.contains("stop a guest") == true)
        #expect(pools.map(\.seat) == Array(0..<ProcessorPool.seats))
    }
}

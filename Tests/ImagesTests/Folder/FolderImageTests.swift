// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Subprocess
import SystemPackage
import Testing

@testable import Images

@Suite("FolderImage")
struct FolderImageTests {
    private let folder: TemporaryFolder
    private let output: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        output = try TemporaryFolder()
        try folder.write("bin/run", Array("#!/bin/sh\n".utf8), permissions: 0o755)
        try folder.write("etc/big", [UInt8](repeating: 0x61, count: 3_000_000))
        try FileManager.default.createSymbolicLink(atPath: "\(folder.path)/init", withDestinationPath: "bin/run")
        mkfifo("\(folder.path)/pipe", 0o600)
    }

    /// Packs the folder and returns what was heard.
    private func pack(_ format: FolderImage.Format, size: Int64? = nil) async throws -> [ImageProgress] {
        let heard = ProgressRecorder()
        try await FolderImage.pack(
            folder: folder.path, as: format, to: output.path.appending("out"), size: size,
            progress: heard.record)
        return heard.events
    }

    /// What a program of e2fsprogs says of the disk.
    private func inspect(_ program: String, _ arguments: [String]) async throws -> (TerminationStatus, String) {
        let result = try await Subprocess.run(
            .name(program), arguments: Arguments(arguments),
            environment: .inherit.updating(["PATH": "/usr/sbin:/sbin:/usr/bin:/bin"]),
            output: .string(limit: 1 << 20), error: .combinedWithOutput)
        return (result.terminationStatus, result.standardOutput)
    }

    @Test("packs a folder as an archive that has a console")
    func packsArchive() async throws {
        #expect(try await pack(.initramfs).last == .finished)
        let bytes = try ArchiveReader.decompress(try output.read("out"), name: "out", limit: 1 << 24)
        #expect(bytes.count > 3_000_000)
        let text = String(decoding: bytes.filter { $0 >= 0x20 && $0 < 0x61 || $0 > 0x61 && $0 < 0x7F }, as: UTF8.self)
        #expect(text.contains("dev/console"))
    }

    @Test("packs a folder as an ext4 disk that is clean and holds the files with their modes")
    func packsDisk() async throws {
        _ = try await pack(.ext4)
        let disk = output.path.appending("out").string
        #expect(try await inspect("e2fsck", ["-f", "-n", disk]).0.isSuccess)
        let (_, listing) = try await inspect("debugfs", ["-R", "stat bin/run", disk])
        #expect(listing.contains("Mode:  0755"))
        let (_, link) = try await inspect("debugfs", ["-R", "stat init", disk])
        #expect(link.contains("Fast link dest: \"bin/run\""))
    }

    @Test("makes a disk of the size asked for")
    func sizesDisk() async throws {
        _ = try await pack(.ext4, size: 32 << 20)
        let attributes = try FileManager.default.attributesOfItem(atPath: output.path.appending("out").string)
        #expect(attributes[.size] as? Int == 32 << 20)
    }

    @Test("refuses a disk that is too small for any file system or for the content", arguments: [1 << 20, 0, -1])
    func refusesSize(size: Int64) async throws {
        await #expect(throws: ImageError.self) { try await pack(.ext4, size: size) }
        #expect(try output.names() == [])
    }

    @Test("tells what mke2fs said when the content does not fit, and leaves nothing")
    func refusesOverflow() async throws {
        try folder.write("etc/bigger", [UInt8](repeating: 1, count: 20 << 20))
        let error = await #expect(throws: ImageError.self) { try await pack(.ext4, size: 16 << 20) }
        #expect(error?.description.hasPrefix("mke2fs exited with status") == true)
        #expect(try output.names() == [])
    }

    @Test("leaves a socket out and says so")
    func leavesOutSocket() async throws {
        let socket = Glibc.socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array("\(folder.path)/socket".utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(bound == 0)
        #expect(try await pack(.ext4).contains(.notice("socket is a socket and is left out")))
    }

    @Test("refuses what is no folder", arguments: ["etc/big", "missing"])
    func refusesFile(name: String) async throws {
        await #expect(throws: ImageError.self) {
            try await FolderImage.pack(
                folder: folder.path.appending(name), as: .initramfs, to: output.path.appending("out"),
                progress: { _ in })
        }
        #expect(try output.names() == [])
    }

    @Test(
        "gives the content room, the journal included", arguments: [(0, 0), (1, 1), (1 << 30, 10), (1 << 20, 100_000)])
    func sizes(files: Int64, entries: Int64) {
        let size = Ext4Disk.bytesNeeded(files: files, entries: entries)
        #expect(size >= 16 << 20)
        #expect(size % (1 << 20) == 0)
        #expect(size > files + entries * 4096)
    }
}

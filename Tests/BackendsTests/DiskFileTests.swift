// SPDX-License-Identifier: Apache-2.0

import Backends
import Glibc
import Host
import SystemPackage
import Testing

@Suite struct DiskFileTests {
    private let folder = TemporaryFolder()

    @Test("a writable disk in use is refused to writers and readers, its holder named", arguments: [false, true])
    func locked(readOnly: Bool) throws {
        let path = try folder.file(size: 4096)
        let first = try DiskFile(path)
        let error = #expect(throws: HostError.self) { try DiskFile(path, readOnly: readOnly) }
        #expect(error?.description.hasPrefix("'\(path)' is in use by this process;") == true)
        withExtendedLifetime(first) {}
    }

    @Test("read-only users share a disk and keep a writer out; when they have gone it may come")
    func shared() throws {
        let path = try folder.file(size: 4096)
        do {
            let readers = [try DiskFile(path, readOnly: true), try DiskFile(path, readOnly: true)]
            #expect(throws: HostError.self) { try DiskFile(path) }
            withExtendedLifetime(readers) {}
        }
        #expect(try DiskFile(path).capacity == 4096)
    }

    @Test(
        "bytes that make no sector are out of reach", arguments: [(512, 512, 0), (1000, 512, 488), (1535, 1024, 511)])
    func oddSize(size: Int, capacity: UInt64, unreachable: UInt64) throws {
        let file = try DiskFile(try folder.file(size: size))
        #expect(file.capacity == capacity)
        #expect(file.unreachable == unreachable)
    }

    @Test(
        "what cannot be a disk is refused by one sentence",
        arguments: [
            ("/nowhere/disk", "cannot open the disk '/nowhere/disk': no such file or directory; make it first"),
            ("/dev/null", "the disk '/dev/null' is no file; name a file or a block device"),
            ("/proc/self", "cannot open the disk '/proc/self': is a directory; name a file or a block device"),
        ])
    func refused(path: String, message: String) {
        let error = #expect(throws: HostError.self) { try DiskFile(FilePath(path)) }
        #expect(error?.description.hasPrefix(message) == true)
    }

    @Test("a file without a sector is refused with the way to make a disk")
    func empty() throws {
        let path = try folder.file(size: 511)
        let error = #expect(throws: HostError.self) { try DiskFile(path) }
        #expect(
            error?.description == "the disk '\(path)' has 511 bytes, less than a sector of 512; "
                + "make it as large as the guest needs: truncate -s 8G '\(path)'")
    }

    @Test("a FIFO is refused at once, not waited for", .timeLimit(.minutes(10)), arguments: [false, true])
    func fifo(readOnly: Bool) throws {
        let path = folder.path.appending("fifo")
        mkfifo(path.string, 0o600)
        #expect(throws: HostError.self) { try DiskFile(path, readOnly: readOnly) }
    }

    @Test(
        "other formats are refused by name, unless the user says that the disk is raw",
        arguments: [
            ("a qcow2 image", Array("QFI".utf8) + [0xFB, 0, 0, 0, 3]), ("a VMDK image", Array("KDMV".utf8)),
            ("a VHDX image", Array("vhdxfile".utf8)), ("compressed by gzip", [0x1F, 0x8B, 8, 0]),
            ("a VDI image", [UInt8](repeating: 0x20, count: 64) + [0x7F, 0x10, 0xDA, 0xBE]),
            ("compressed by zstd", [0x28, 0xB5, 0x2F, 0xFD]),
        ])
    func formats(name: String, head: [UInt8]) throws {
        let path = try folder.file(size: 4096, head: head)
        let error = #expect(throws: HostError.self) { try DiskFile(path) }
        #expect(error?.description.contains("'\(path)' is \(name), and only raw disks can be used") == true)
        #expect(try DiskFile(path, assumesRaw: true).capacity == 4096)
    }
}

// SPDX-License-Identifier: Apache-2.0
import SystemPackage
import Testing

@testable import Images

/// A program with a table of commands, as busybox has it.
enum BusyboxFixture {
    static let commands = [
        "[", "[[", "busybox", "cat", "cttyhack", "hostname", "ip", "kill", "ln", "mkdir", "modprobe", "mount", "mv",
        "poweroff", "rm", "setsid", "sh", "sleep", "sync", "udhcpc", "umount", "wget",
    ]

    static func program(_ commands: [String] = commands, before: [UInt8] = [1, 2, 3]) -> [UInt8] {
        before + commands.flatMap { Array($0.utf8) + [0] } + [0, 0xFF, 0xFE]
    }
}

@Suite("BusyboxApplets")
struct BusyboxAppletsTests {
    @Test("reads the table of commands out of a program")
    func reads() throws {
        #expect(
            try BusyboxApplets(program: BusyboxFixture.program(), required: ["sh"]).names == BusyboxFixture.commands)
    }

    @Test("is not misled by the same bytes elsewhere")
    func skipsDecoys() throws {
        let decoy = Array("[\0[[\0zz\0aa\0".utf8)
        let program = BusyboxFixture.program(before: decoy)
        #expect(try BusyboxApplets(program: program, required: []).names == BusyboxFixture.commands)
    }

    @Test(
        "ends where the names are no longer sorted or no longer names", arguments: ["aa\0", "ZZ\0", "a b\0", "\0zz\0"])
    func ends(tail: String) throws {
        let program = Array(("[\0[[\0cat\0" + tail).utf8)
        #expect(try BusyboxApplets(program: program, required: []).names == ["[", "[[", "cat"])
    }

    @Test("names a command that our scripts need and the program lacks", arguments: [[], Array("[\0[[\0ls\0\0".utf8)])
    func namesMissing(program: [UInt8]) {
        #expect(throws: ImageError.missingInPackage(what: "command sh in busybox", package: "busybox-static")) {
            try BusyboxApplets(program: program, required: ["sh"])
        }
    }
}

@Suite("MicroImage")
struct MicroImageTests {
    private static func image() throws -> (MicroImage, TemporaryFolder) {
        let folder = try ModuleFixture.folder(
            [
                "virtio_mmio.ko": "depends=\0", "virtio_net.ko": "depends=\0", "virtio_blk.ko": "depends=\0",
                "ext4.ko": "depends=jbd2\0alias=fs-ext4\0", "jbd2.ko": "depends=\0",
            ], builtin: "kernel/virtio_pci.ko\nkernel/virtio_console.ko\n")
        let modules = try KernelModules(folder: folder.path.appending("1.2.3"))
        return (
            MicroImage(name: "test", busybox: BusyboxFixture.program(), agent: [0x7F, 0x45], modules: modules), folder
        )
    }

    @Test("has what boots: the first process, busybox, the agent, modules and a console")
    func hasFiles() throws {
        let (image, folder) = try Self.image()
        defer { withExtendedLifetime(folder) {} }
        let archive = try image.initramfs()
        let paths = Set(archive.entries.map(\.path))
        let expected: Set<String> = [
            "init", "dev/console", "dev/null", "usr/bin/busybox", "usr/bin/sh", "usr/sbin/modprobe",
            "usr/sbin/apus-agent", "usr/sbin/network-up", "usr/share/udhcpc/script", "etc/profile", "proc", "sys",
            "tmp",
            "usr/lib/modules/1.2.3/ext4.ko", "usr/lib/modules/1.2.3/jbd2.ko", "usr/lib/modules/1.2.3/modules.dep",
        ]
        #expect(expected.subtracting(paths) == [])
        #expect(archive.text("etc/hostname") == "test\n")
        #expect(archive.text("init")?.hasPrefix("#!/bin/sh\n") == true)
    }

    @Test("has every folder before what is in it")
    func ordersFolders() throws {
        let (image, folder) = try Self.image()
        defer { withExtendedLifetime(folder) {} }
        var seen: Set<String> = [""]
        let orphans = try image.initramfs().entries.filter { entry in
            seen.insert(entry.path)
            return !seen.contains(FilePath(entry.path).removingLastComponent().string)
        }
        #expect(orphans.map(\.path) == [])
    }

    @Test("is the same, byte for byte, when it is built again")
    func isDeterministic() throws {
        let (image, folder) = try Self.image()
        let archive = try image.initramfs()
        try archive.write(to: folder.path.appending("one"))
        try archive.write(to: folder.path.appending("two"))
        #expect(try folder.read("one") == folder.read("two"))
        try archive.write(to: folder.path.appending("three"), compression: .gzip)
        try archive.write(to: folder.path.appending("four"), compression: .gzip)
        #expect(try folder.read("three") == folder.read("four"))
    }
}

// SPDX-License-Identifier: Apache-2.0
import SystemPackage
import Testing

@testable import Images

/// An ELF file with the one section that matters.
enum ModuleFixture {
    static func elf(_ info: String) -> [UInt8] {
        func word(_ value: Int, _ size: Int) -> [UInt8] {
            (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        let names = Array("\0.shstrtab\0.modinfo\0".utf8)
        let content = Array(info.utf8)
        let (namesAt, contentAt) = (64, 64 + names.count)
        let table = contentAt + content.count
        var bytes: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 57)
        bytes.replaceSubrange(0x28..<0x30, with: word(table, 8))
        bytes.replaceSubrange(0x3A..<0x40, with: word(64, 2) + word(3, 2) + word(1, 2))
        func header(_ name: Int, _ offset: Int, _ size: Int) -> [UInt8] {
            word(name, 4) + word(1, 4) + word(0, 16) + word(offset, 8) + word(size, 8) + word(0, 24)
        }
        return bytes + names + content + header(0, 0, 0) + header(1, namesAt, names.count)
            + header(11, contentAt, content.count)
    }

    /// A kernel's modules: file name below `kernel/` to `.modinfo`.
    static func folder(_ modules: [String: String], builtin: String = "") throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for (name, info) in modules { try folder.write("1.2.3/kernel/\(name)", elf(info)) }
        try folder.write("1.2.3/kernel/README", [])
        try folder.write("1.2.3/modules.builtin", builtin.utf8)
        return folder
    }
}

@Suite("KernelModules")
struct KernelModuleTests {
    @Test("reads what a module says of itself")
    func readsInfo() throws {
        let info = "license=GPL\0depends=jbd2,mb-cache\0alias=fs-ext4\0alias=ext3\0name=ext4\0"
        let module = try KernelModule(name: "ext4", bytes: ModuleFixture.elf(info))
        #expect(module.dependencies == ["jbd2", "mb_cache"])
        #expect(module.aliases == ["fs-ext4", "ext3"])
    }

    /// What Debian appends to a module for a signature of `size` bytes.
    private static func trailer(size: UInt8) -> [UInt8] {
        [0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, size] + Array("~Module signature appended~\n".utf8)
    }

    @Test("leaves out a module's signature, and only that", arguments: [0, 3])
    func leavesOutSignature(size: UInt8) throws {
        let file = ModuleFixture.elf("name=a\0")
        let signed = file + [UInt8](repeating: 0xEE, count: Int(size)) + Self.trailer(size: size)
        #expect(try KernelModule(name: "a", bytes: signed).bytes == file)
        #expect(try KernelModule(name: "a", bytes: file).bytes == file)
    }

    @Test("keeps a module whole whose signature would be larger than itself")
    func keepsOddSignature() throws {
        let file = ModuleFixture.elf("name=a\0")
        var odd = file + Self.trailer(size: 0)
        odd[odd.count - 32] = 0x7F
        #expect(try KernelModule(name: "a", bytes: odd).bytes == odd)
    }

    @Test("refuses a module that was cut short, at every length", arguments: 0..<ModuleFixture.elf("a=b\0").count - 24)
    func refusesTruncation(count: Int) {
        let bytes = Array(ModuleFixture.elf("a=b\0").prefix(count))
        #expect(throws: ImageError.self) { try KernelModule(name: "m", bytes: bytes) }
    }

    @Test("survives a module with any one byte wrong", arguments: 0..<ModuleFixture.elf("depends=a\0").count)
    func survivesDamage(index: Int) {
        var bytes = ModuleFixture.elf("depends=a\0")
        bytes[index] = 0xFF
        let module = try? KernelModule(name: "m", bytes: bytes)
        #expect((module?.dependencies.count ?? 0) <= 1)
    }

    @Test("puts each module after those it needs, once, and leaves out what is built in")
    func resolves() throws {
        let folder = try ModuleFixture.folder(
            [
                "net/virtio_net.ko": "depends=net_failover,virtio\0alias=virtio:d00000001v*\0",
                "net/net_failover.ko": "depends=failover\0", "net/failover.ko": "depends=\0",
                "char/virtio-rng.ko": "depends=virtio\0",
            ], builtin: "kernel/drivers/virtio/virtio.ko\nkernel/drivers/virtio/virtio_pci.ko\n")
        let modules = try KernelModules(folder: folder.path.appending("1.2.3"))
        let resolved = try modules.resolve(
            required: ["virtio_pci", "virtio_net"], optional: ["virtio_rng", "failover", "missing"])
        #expect(resolved.map(\.name) == ["failover", "net_failover", "virtio_net", "virtio_rng"])
    }

    @Test("ends at modules that need each other")
    func survivesCycle() throws {
        let folder = try ModuleFixture.folder(["a.ko": "depends=b\0", "b.ko": "depends=a\0"])
        let modules = try KernelModules(folder: folder.path.appending("1.2.3"))
        #expect(try modules.resolve(required: ["a"], optional: []).map(\.name) == ["b", "a"])
    }

    @Test("names a required module that the kernel lacks")
    func namesMissing() throws {
        let folder = try ModuleFixture.folder(["a.ko": "depends=gone\0"])
        let modules = try KernelModules(folder: folder.path.appending("1.2.3"))
        #expect(throws: ImageError.missingInPackage(what: "kernel module gone", package: "linux-image-1.2.3")) {
            try modules.resolve(required: ["a"], optional: [])
        }
    }

    @Test("writes modprobe's files: all that is below a module, nearest first, and its aliases")
    func writesIndex() throws {
        let folder = try ModuleFixture.folder([
            "c.ko": "depends=b\0alias=fs-c\0", "b.ko": "depends=a\0", "a.ko": "depends=\0",
        ])
        let modules = try KernelModules(folder: folder.path.appending("1.2.3"))
        var archive = Initramfs()
        modules.add(try modules.resolve(required: ["c"], optional: []), to: &archive)
        #expect(archive.text("usr/lib/modules/1.2.3/modules.dep") == "a.ko:\nb.ko: a.ko\nc.ko: b.ko a.ko\n")
        #expect(archive.text("usr/lib/modules/1.2.3/modules.alias") == "alias fs-c c\n")
    }

    @Test(
        "knows a module's name by its file's",
        arguments: [
            ("virtio-rng.ko", "virtio_rng"), ("ext4.ko.xz", "ext4"), ("a.ko.zst", "a"), ("a.ko.gz", "a"),
            ("modules.dep", nil), ("ko", nil),
        ] as [(String, String?)])
    func namesModule(file: String, name: String?) {
        #expect(KernelModules.moduleName(file) == name)
    }
}

extension Initramfs {
    /// The text of an entry.
    func text(_ path: String) -> String? {
        guard case .bytes(let bytes) = entries.first(where: { $0.path == path })?.content else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}

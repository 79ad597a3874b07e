// SPDX-License-Identifier: Apache-2.0
import Foundation
import SystemPackage
import Testing

@testable import Images

@Suite("DebianPackage")
struct DebianPackageTests {
    /// Unpacks a package of `items` and returns the folder that holds `tree`.
    private func unpack(
        _ items: [ArchiveFixture.Item], filter: ArchiveFixture.Filter = .xz
    ) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            atPath: folder.path.appending("tree").string, withIntermediateDirectories: false)
        let package = try ArchiveFixture.package(items, filter: filter, in: folder)
        try DebianPackage(path: package).unpack(
            into: folder.path.appending("tree"), scratch: folder.path, progress: { _ in })
        return folder
    }

    @Test("unpacks files, folders and links under every compression", arguments: ArchiveFixture.Filter.allCases)
    func unpacks(filter: ArchiveFixture.Filter) throws {
        let folder = try unpack(
            [
                .folder("./"), .folder("./usr/"), .file("./usr/run", "program", permissions: 0o755),
                .file("./deep/below/file", "x"), .link("./usr/link", "../etc/anything"),
                .hardLink("./same", "./usr/run"),
            ], filter: filter)
        #expect(try folder.names("tree") == ["deep", "same", "usr"])
        #expect(try folder.read("tree/usr/run") == Array("program".utf8))
        #expect(try folder.read("tree/deep/below/file") == Array("x".utf8))
        #expect(try folder.read("tree/same") == Array("program".utf8))
        let target = try FileManager.default.destinationOfSymbolicLink(atPath: "\(folder.path)/tree/usr/link")
        #expect(target == "../etc/anything")
        #expect(FileManager.default.isExecutableFile(atPath: "\(folder.path)/tree/usr/run"))
    }

    @Test("makes no device and no program that runs as another user")
    func dropsPrivileges() throws {
        let folder = try unpack([.device("dev/null"), .file("su", "x", permissions: 0o4755)])
        #expect(try folder.names("tree/dev") == [])
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder.path)/tree/su")
        #expect(attributes[.posixPermissions] as? Int == 0o755)
    }

    @Test(
        "refuses a package whose files would leave its folder",
        arguments: [
            [.file("../out", "x")], [.file("a/../../out", "x")],
            [.link("out", "/tmp"), .file("out/file", "x")], [.link("a", ".."), .folder("a")],
            [.link("a", ".."), .file("a/out", "x")], [.hardLink("shadow", "../../../../etc/passwd")],
            [.link("link", "/etc/passwd"), .hardLink("copy", "link")], [.hardLink("copy", "never/there")],
            [.file("same", "1"), .file("same", "2")], [.file("same", "1"), .file("same/below", "2")],
        ] as [[ArchiveFixture.Item]])
    func refusesEscape(items: [ArchiveFixture.Item]) throws {
        let error = #expect(throws: ImageError.self) { try unpack(items) }
        #expect(error?.description.contains("fixture.deb is malformed") == true)
    }

    @Test("writes nothing outside when it refuses")
    func writesNothingOutside() throws {
        let outside = try TemporaryFolder()
        #expect(throws: ImageError.self) {
            try unpack([.link("out", outside.path.string), .file("out/file", "x")])
        }
        #expect(try outside.names() == [])
    }

    @Test(
        "finds a file for the host only through plain folders",
        arguments: [
            ("usr/bin/busybox", true), ("usr/bin", true), ("usr/bin/link", false), ("lib/busybox", false),
            ("usr/bin/busybox/x", false), ("missing", false),
        ])
    func findsPlainPaths(path: String, isFound: Bool) throws {
        let folder = try unpack([
            .file("usr/bin/busybox", "x"), .link("usr/bin/link", "busybox"), .link("lib", "usr/bin"),
        ])
        #expect(try (UnpackedTree.plainPath(path, in: folder.path.appending("tree")) != nil) == isFound)
    }

    @Test("refuses what is no package", arguments: ["", "not a package", "!<arch>\n", "!<arch>\ngarbage"])
    func refusesGarbage(text: String) throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("bad.deb", text.utf8)
        #expect(throws: ImageError.self) {
            try DebianPackage(path: file).unpack(into: folder.path, scratch: folder.path, progress: { _ in })
        }
    }

    @Test("refuses a package that was cut short", arguments: [70, 200, 400])
    func refusesTruncation(count: Int) throws {
        let folder = try TemporaryFolder()
        let package = try ArchiveFixture.package(
            [.file("a", String(repeating: "abc", count: 9000))], filter: .none, in: folder)
        let bytes = try folder.read(package.lastComponent?.string ?? "")
        try folder.write("cut.deb", bytes.prefix(count))
        #expect(throws: ImageError.self) {
            try DebianPackage(path: folder.path.appending("cut.deb")).unpack(
                into: folder.path, scratch: folder.path, progress: { _ in })
        }
    }
}

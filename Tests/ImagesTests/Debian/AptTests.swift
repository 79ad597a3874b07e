// SPDX-License-Identifier: Apache-2.0
import SystemPackage
import Testing

@testable import Images

@Suite("AptSources")
struct AptSourcesTests {
    @Test(
        "finds Debian's mirror in lines",
        arguments: [
            ("deb http://m.example/debian bookworm main\n", ["http://m.example/debian"]),
            ("deb [arch=amd64 signed-by=/a b.gpg] https://m.example/d trixie main contrib", ["https://m.example/d"]),
            ("deb-src http://m.example/debian bookworm main", []),
            ("# deb http://m.example/debian bookworm main", []),
            ("deb http://m.example/ubuntu noble main", []),
            ("deb http://security.m.example/d bookworm-security main", []),
            ("deb http://m.example/debian bookworm contrib", []),
            ("deb http://m.example/debian stable main # main mirror", ["http://m.example/debian"]),
            ("deb cdrom:[Debian]/ bookworm main\ndeb file:/srv/debian sid main", ["file:/srv/debian"]),
            ("deb\n\ndeb http://m.example\n", []),
        ] as [(String, [String])])
    func readsLines(text: String, mirrors: [String]) {
        var sources = AptSources()
        sources.add(text, isDeb822: false)
        #expect(sources.mirrors == mirrors)
    }

    @Test(
        "finds Debian's mirror in stanzas",
        arguments: [
            (
                "Types: deb\nURIs: http://m.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\n",
                ["http://m.example/debian"]
            ),
            (
                "Types: deb deb-src\nURIs: http://a.example/d\n http://b.example/d\n# remark\nSuites: trixie\nComponents: main",
                ["http://a.example/d", "http://b.example/d"]
            ),
            ("Enabled: no\nTypes: deb\nURIs: http://m.example/d\nSuites: sid\nComponents: main", []),
            ("Types: deb-src\nURIs: http://m.example/d\nSuites: sid\nComponents: main", []),
            (
                "Types: deb\nURIs: http://m.example/d\nSuites: nodistro\nComponents: main\n\n"
                    + "types: deb\nuris: http://n.example/d\nsuites: sid\ncomponents: main", ["http://n.example/d"]
            ),
            (": no field\n\n continues nothing\nTypes", []),
        ] as [(String, [String])])
    func readsStanzas(text: String, mirrors: [String]) {
        var sources = AptSources()
        sources.add(text, isDeb822: true)
        #expect(sources.mirrors == mirrors)
    }

    @Test("reads both formats from a folder, through links too, and skips what it cannot read")
    func readsFolder() throws {
        let folder = try TemporaryFolder()
        try folder.write("sources.list", "deb http://one.example/d sid main\n".utf8)
        try folder.write(
            "sources.list.d/two.sources", "Types: deb\nURIs: http://two.example/d\nSuites: sid\nComponents: main".utf8)
        try folder.write("sources.list.d/three.list.disabled/x", [])
        #expect(AptSources.read(folder: folder.path).mirrors == ["http://one.example/d", "http://two.example/d"])
        #expect(AptSources.read(folder: folder.path.appending("missing")).mirrors == [])
    }

    @Test(
        "takes no address that could end its field in apt's sources",
        arguments: [
            "http://", "ftp://m.example/d", "http://m.example/d main\ndeb http://x", "http://m.example/ d", "m.example",
            "http://m.example/[d]", "http://m.example/\"d", "http://m.example/d;x", "", "http://\u{E4}.example/d",
        ])
    func refusesAddress(address: String) throws {
        #expect(!AptSources.isAddress(address))
        let folder = try TemporaryFolder()
        #expect(throws: ImageError.invalidMirror(address)) {
            try Apt(folder: folder.path, architecture: "riscv64", suite: "trixie", mirror: address)
        }
    }
}

@Suite("Apt")
struct AptTests {
    @Test("keeps all of apt's state in its own folder, verifies signatures and runs no hook of the host")
    func configuration() throws {
        let folder = try TemporaryFolder()
        _ = try Apt(folder: folder.path, architecture: "riscv64", suite: "trixie", mirror: "http://m.example/debian")
        let sources = String(decoding: try folder.read("sources.list"), as: UTF8.self)
        #expect(sources == "deb [arch=riscv64 signed-by=\(Apt.keyring)] http://m.example/debian trixie main\n")
        let lines = Set(String(decoding: try folder.read("apt.conf"), as: UTF8.self).split(separator: "\n"))
        let expected: Set<Substring> = [
            "#clear APT::Update::Post-Invoke;", "APT::Architecture \"riscv64\";",
            "APT::Get::AllowUnauthenticated \"false\";", "Acquire::AllowInsecureRepositories \"false\";",
            "Dir::State::status \"\(folder.path)/status\";", "Dir::Cache \"\(folder.path)/cache\";",
            "Dir::Etc::TrustedParts \"-\";",
        ]
        #expect(expected.subtracting(lines) == [])
    }

    @Test(
        "reads the progress that apt reports",
        arguments: [
            ("dlstatus:2:75.5000:Retrieving file 2 of 2", 0.755), ("dlstatus:1:100:x", 1), ("dlstatus:1:150:x", nil),
            ("pmstatus:a:10:x", nil), ("dlstatus", nil), ("dlstatus:1:nan:x", nil), ("", nil),
        ] as [(String, Double?)])
    func parsesStatus(line: String, part: Double?) {
        #expect(Apt.parseStatus(line) == part)
    }

    @Test("reads what apt would download")
    func parsesItems() {
        let text = "'http://m.example/a_1.deb' a_1_riscv64.deb 120 SHA256:00\nnoise\n'x' y -1 z\n"
        #expect(Apt.parseItems(text) == [Apt.Item(fileName: "a_1_riscv64.deb", size: 120)])
    }

    @Test(
        "names the mirror that cannot be used and what to do",
        arguments: ["http://127.0.0.1:9/debian", "file:/no/such/mirror"])
    func namesMirror(mirror: String) async throws {
        let folder = try TemporaryFolder()
        let apt = try Apt(folder: folder.path, architecture: "riscv64", suite: "trixie", mirror: mirror)
        let error = await #expect(throws: ImageError.self) { try await apt.update() }
        #expect(error?.description.hasPrefix("nothing could be fetched from the mirror \(mirror) (E: ") == true)
        #expect(error?.description.hasSuffix("name another one with --mirror URL") == true)
    }

    @Test("says that an archive without a valid signature is not trusted")
    func refusesUnsigned() async throws {
        let archive = try TemporaryFolder()
        try archive.write("dists/trixie/Release", "Origin: Debian\nSuite: trixie\nCodename: trixie\n".utf8)
        let folder = try TemporaryFolder()
        let apt = try Apt(
            folder: folder.path, architecture: "riscv64", suite: "trixie", mirror: "file:\(archive.path)")
        let error = await #expect(throws: ImageError.self) { try await apt.update() }
        #expect(error?.description.hasPrefix("the signature of the Debian archive at file:") == true)
    }
}

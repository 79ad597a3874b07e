// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProgramSupport
import Testing

/// Commands about guests that need no guest to boot.
@Suite("Guests on the command line", .timeLimit(.minutes(10)))
struct GuestCommandTests {
    private let scratch: Scratch
    private let kernel: String

    init() throws {
        scratch = try Scratch()
        kernel = try scratch.file("kernel", Data("kernel".utf8))
    }

    private func apus(_ arguments: String...) throws -> ApusProgram.Outcome {
        try ApusProgram.run(arguments, environment: ["APUS_HOME": scratch.url("home").path])
    }

    private func create(_ name: String) throws {
        let made = try apus("create", "--name", name, "--firmware", "none", "--kernel", kernel, "--memory", "64M")
        #expect(made.errors == "")
        #expect(made.text == "\(name)\n")
    }

    @Test("a guest that is kept is listed until it is removed")
    func life() throws {
        try create("web")
        #expect(try apus("list").text.split(separator: "\n").count == 1)
        let listed = try apus("list", "--all").text
        #expect(listed.contains("web"))
        #expect(listed.contains("created"))
        #expect(try apus("list", "--all", "--quiet").text == "web\n")
        #expect(try apus("remove", "web").status == 0)
        #expect(try apus("list", "--all", "--quiet").text == "")
    }

    @Test("a configuration that is printed can be changed and given back, also for a new name")
    func edit() throws {
        try create("web")
        let text = try apus("inspect", "--config", "web").text
        let more = text.replacingOccurrences(of: "\"memory\" : \"64M\"", with: "\"memory\" : \"96M\"")
        #expect(
            try apus("create", "--config", try scratch.file("web.json", Data(more.utf8))).errors
                == "apus: guest 'web' has a new configuration\n")
        #expect(try apus("inspect", "--config", "web").text.contains("96M"))
        let other = text.replacingOccurrences(of: "\"name\" : \"web\"", with: "\"name\" : \"db\"")
        #expect(try apus("create", "--config", try scratch.file("db.json", Data(other.utf8))).text == "db\n")
        #expect(try apus("list", "--all", "--quiet").text == "db\nweb\n")
    }

    @Test(
        "a guest that is there is not started with other options than it was made with: none is overlooked",
        arguments: [
            ["--cpus", "2"], ["--memory", "96M"], ["--overcommit"], ["--cpu-shares", "5"], ["--cpu-cap", "50%"],
            ["--cpuset", "0"], ["--append", "x"], ["--disk", "d"], ["--net", "none"], ["--virtio", "mmio"],
            ["--console", "pty"], ["--sandbox", "strict"], ["--user", "1"], ["--engine", "interpreter"],
        ])
    func otherOptions(_ options: [String]) throws {
        try create("web")
        let refused = try ApusProgram.run(
            ["run", "--name", "web"] + options, environment: ["APUS_HOME": scratch.url("home").path])
        #expect(refused.status == 125)
        #expect(refused.errors.hasPrefix("apus: guest 'web' has a machine of its own already; "))
    }

    @Test("how a guest that is there is run is said anew each time")
    func otherConduct() throws {
        try BareProgram.elf([BareProgram.loop]).write(to: URL(fileURLWithPath: kernel))
        try create("web")
        #expect(try apus("run", "--name", "web", "--timeout", "1").status == 124)
        #expect(try !apus("inspect", "--config", "web").text.contains("timeout"))
    }

    @Test("a guest that is there is started where no option is given")
    func noOptions() throws {
        try BareProgram.elf(BareProgram.finish(7)).write(to: URL(fileURLWithPath: kernel))
        try create("web")
        #expect(try apus("run", "--name", "web").status == 7)
    }

    @Test("a bad edit is refused with the file and the key, and the guest stays as it was")
    func badEdit() throws {
        try create("web")
        let text = try apus("inspect", "--config", "web").text
        let bad = text.replacingOccurrences(of: "\"memory\"", with: "\"memry\"")
        let refused = try apus("create", "--config", try scratch.file("web.json", Data(bad.utf8)))
        #expect(refused.status == 125)
        #expect(refused.errors.contains("memry"))
        #expect(try apus("inspect", "--config", "web").text == text)
    }

    @Test(
        "a guest that is not there is refused with a sentence",
        arguments: [
            ["stop", "web"], ["kill", "web"], ["pause", "web"], ["resume", "web"], ["reset", "web"], ["wait", "web"],
            ["console", "web"], ["logs", "web"], ["exec", "web", "--", "true"], ["inspect", "web"],
            ["inspect", "--config", "web"], ["remove", "web"], ["remove", "--force", "web"], ["start", "web"],
        ])
    func missing(_ arguments: [String]) throws {
        let outcome = try ApusProgram.run(arguments, environment: ["APUS_HOME": scratch.url("home").path])
        #expect(outcome.status == 125)
        #expect(outcome.errors.hasPrefix("apus: no guest 'web'"))
        #expect(outcome.errors.split(separator: "\n").count == 1)
    }

    @Test("a guest that is kept and does not run is told to be started")
    func stopped() throws {
        try create("web")
        #expect(
            try apus("pause", "web").errors == "apus: guest 'web' does not run; start it with apus start web\n")
    }

    @Test("a guest that cannot be started is not listed afterwards, and its files stay")
    func failedStart() throws {
        try create("web")
        try FileManager.default.removeItem(atPath: kernel)
        let started = try apus("start", "web")
        #expect(started.status == 125)
        #expect(started.errors.contains(kernel))
        #expect(try apus("list").text.split(separator: "\n").count == 1)
        #expect(try apus("list", "--all", "--quiet").text == "web\n")
    }

    @Test(
        "options that do not go together are refused",
        arguments: [
            (["create", "debian-micro"], "--name"), (["create", "--name", "a/b", "debian-micro"], "a/b"),
            (["run", "--detach", "debian-micro", "--", "true"], "--detach"), (["exec", "web"], "no command"),
            (["logs", "--tail", "x", "web"], "'x'"), (["top", "--interval", "0"], "'0'"),
            (["stop", "--timeout", "soon", "web"], "'soon'"), (["events", "--since", "now"], "'now'"),
        ] as [([String], String)])
    func options(_ arguments: [String], _ named: String) throws {
        let outcome = try ApusProgram.run(arguments, environment: ["APUS_HOME": scratch.url("home").path])
        #expect(outcome.status == 125)
        #expect(outcome.errors.contains(named))
    }

    @Test("a runtime folder that others may write is refused")
    func foreignFolder() throws {
        let folder = scratch.url("home/run")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.path)
        let outcome = try apus("list")
        #expect(outcome.status == 125)
        #expect(outcome.errors.contains("'\(folder.path)' can be written by others"))
    }

    private static let canMount =
        (try? ApusProgram.run([], shell: "unshare -rm sh -c 'mount -t tmpfs none /mnt'"))?.status == 0

    @Test(
        "a full disk is an error with its figures, and leaves no guest",
        .enabled(if: canMount, "this host lets nobody mount a file system of his own"))
    func diskFull() throws {
        let home = scratch.url("full")
        try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
        _ = try scratch.file("disk", Data(repeating: 1, count: 4 << 20))
        let manifest = """
            {"format": 1, "name": "big", "platform": "riscv64", "created": 1,
             "files": {"kernel": "kernel", "disk": "disk"}, "sizes": {"kernel": 6, "disk": \(4 << 20)}}
            """
        _ = try scratch.file("image.json", Data(manifest.utf8))
        let outcome = try ApusProgram.run(
            ["create", "--name", "web", "big"],
            environment: ["APUS_HOME": home.path, "FILES": scratch.folder.path],
            shell: """
                unshare -rm sh -c 'mount -t tmpfs -o size=2m none "$APUS_HOME" && mkdir "$APUS_HOME/images" &&
                    mkdir "$APUS_HOME/images/riscv64" && ln -s "$FILES" "$APUS_HOME/images/riscv64/big" &&
                    { "$0" "$@"; ls "$APUS_HOME/machines"; }' "$0" "$@"
                """)
        #expect(outcome.errors.contains("no space left on device; its data take 4 MiB"))
        #expect(outcome.text == "")
    }
}

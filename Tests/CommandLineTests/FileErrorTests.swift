// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProgramSupport
import Testing

/// Files that are not there, or not what they should be.
@Suite("Bad files")
struct FileErrorTests {
    private let scratch: Scratch
    private let kernel: String

    init() throws {
        scratch = try Scratch()
        kernel = try scratch.file("kernel.elf", BareProgram.elf(BareProgram.finish(0)))
    }

    private func refuse(_ arguments: [String], naming words: [String]) throws {
        let outcome = try ApusProgram.run(arguments)
        #expect(outcome.status == 125)
        #expect(outcome.errors.hasPrefix("apus: "))
        #expect(outcome.errors.split(separator: "\n").count == 1)
        #expect(words.filter { !outcome.errors.contains($0) } == [])
    }

    @Test("a kernel that is missing, a folder, empty or garbage is refused by name")
    func kernels() throws {
        let empty = try scratch.file("empty", Data())
        let garbage = try scratch.file("garbage", Data((0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 37) }))
        let cut = try scratch.file("cut", BareProgram.elf([0x13]).prefix(70))
        try refuse(["run", "--kernel", "/nonexistent/kernel"], naming: ["/nonexistent/kernel"])
        try refuse(["run", "--kernel", scratch.folder.path], naming: [scratch.folder.path])
        try refuse(["run", "--kernel", empty], naming: [empty])
        try refuse(["run", "--kernel", garbage], naming: [garbage])
        try refuse(["run", "--kernel", cut], naming: [cut])
    }

    @Test("an initrd or firmware that is missing is refused by name")
    func others() throws {
        try refuse(["run", "--kernel", kernel, "--initrd", "/nonexistent/i"], naming: ["/nonexistent/i"])
        try refuse(["run", "--firmware", "/nonexistent/f"], naming: ["/nonexistent/f"])
    }

    @Test("a disk that is missing, a folder, empty or a device of another kind is refused by name")
    func disks() throws {
        let run = ["run", "--firmware", "none", "--kernel", kernel, "--disk"]
        let empty = try scratch.file("empty", Data())
        try refuse(run + ["/nonexistent/d"], naming: ["/nonexistent/d"])
        try refuse(run + [scratch.folder.path], naming: [scratch.folder.path])
        try refuse(run + [empty], naming: [empty])
        try refuse(run + ["/dev/null"], naming: ["/dev/null"])
    }

    @Test("a disk that is given twice is refused: the first holds its lock")
    func locked() throws {
        let disk = try scratch.file("disk", Data(count: 1 << 20))
        let run = ["run", "--firmware", "none", "--kernel", kernel, "--disk", disk, "--disk", disk]
        try refuse(run, naming: [disk, "in use"])
    }

    @Test(
        "a console, trace or log that cannot be written is refused by name",
        arguments: [
            ["--console", "file:/nonexistent/c"], ["--console", "unix:/nonexistent/s"],
            ["--trace-file", "/nonexistent/t"], ["--log-file", "/nonexistent/l"],
        ])
    func outputs(_ option: [String]) throws {
        try refuse(["run", "--firmware", "none", "--kernel", kernel] + option, naming: ["/nonexistent/"])
    }

    @Test("an interface that is no tap is refused by name")
    func tap() throws {
        try refuse(
            ["run", "--firmware", "none", "--kernel", kernel, "--net", "tap,ifname=lo"], naming: ["lo"])
    }
}

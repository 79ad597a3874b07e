// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProgramSupport
import Testing

@Suite("xv6-riscv", .timeLimit(.minutes(30)))
struct XV6Tests {
    /// A folder with its `kernel` and `fs.img` (docs/conformance.md).
    static let folder = ProcessInfo.processInfo.environment["APUS_XV6"]

    @Test(
        "usertests -q passes on three harts",
        .enabled(if: ApusProgram.isOptimized && folder != nil, "APUS_XV6 names no folder with xv6's kernel and fs.img"))
    func userTests() throws {
        let folder = URL(fileURLWithPath: try #require(Self.folder))
        let scratch = try Scratch()
        let disk = try scratch.file("fs.img", Data(contentsOf: folder.appending(path: "fs.img")))
        let guest = try ApusConsole([
            "run", "--firmware", "none", "--kernel", folder.appending(path: "kernel").path, "--disk", disk,
            "--virtio", "mmio", "--cpus", "3", "--memory", "128M",
        ])
        try guest.expect("$ ")
        try guest.send("usertests -q")
        try guest.expect("ALL TESTS PASSED", seconds: 1700)
    }
}

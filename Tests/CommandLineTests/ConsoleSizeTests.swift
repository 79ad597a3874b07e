// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProgramSupport
import Testing

@Suite("apus console on a terminal", .timeLimit(.minutes(5)))
final class ConsoleSizeTests {
    private let scratch: Scratch
    private let ends: (controller: Int32, terminal: Int32)

    init() throws {
        scratch = try Scratch()
        var pair: (Int32, Int32) = (-1, -1)
        try #require(openpty(&pair.0, &pair.1, nil, nil, nil) == 0)
        ends = pair
        // What is awaited is looked for again and again, and never waited for here.
        _ = fcntl(ends.controller, F_SETFL, O_NONBLOCK)
    }

    deinit {
        _ = try? apus("kill", "web")
        close(ends.controller)
        close(ends.terminal)
    }

    @discardableResult
    private func apus(_ arguments: String...) throws -> ApusProgram.Outcome {
        try ApusProgram.run(arguments, environment: ["APUS_HOME": scratch.url("home").path])
    }

    private func resize(columns: UInt16) {
        var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(ends.controller, UInt(TIOCSWINSZ), &size)
    }

    /// What has come to the terminal since the last call.
    private func shown() -> String {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(ends.controller, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    /// Says the columns of the only virtio device, a console, as a character, whenever they change (virtio 1.2 §5.3.4;
    /// its configuration is 0x100 behind the registers of its slot, §4.2.2).
    private static let program: [UInt32] = [
        BareProgram.lui(5, 0x10000), BareProgram.lui(7, 0x10001), BareProgram.addi(28, 0, 0),
        BareProgram.lbu(6, 7, 0x100), BareProgram.beqz(6, -4), BareProgram.bne(6, 28, 8), BareProgram.beqz(0, -12),
        BareProgram.sb(6, at: 5), BareProgram.addi(28, 6, 0), BareProgram.beqz(0, -24),
    ]

    @Test("it tells the guest the terminal's size, and each change of it")
    func follows() throws {
        let kernel = try scratch.file("columns.elf", BareProgram.elf(Self.program))
        let guest = """
            {"name": "web", "machine": {"boot": {"bare": "\(kernel)"}, "memory": "64M", "virtio": "mmio",
             "console": "memory", "consoles": ["stdio"], "entropy": false, "balloon": false}}
            """
        try #require(try apus("create", "--config", try scratch.file("web.json", Data(guest.utf8))).errors == "")
        try #require(try apus("start", "web").errors == "")

        resize(columns: 65)
        let console = Process()
        console.executableURL = URL(fileURLWithPath: ApusProgram.path)
        console.arguments = ["console", "web"]
        console.environment = ProcessInfo.processInfo.environment.merging(["APUS_HOME": scratch.url("home").path]) {
            $1
        }
        console.standardInput = FileHandle(fileDescriptor: ends.terminal)
        console.standardOutput = FileHandle(fileDescriptor: ends.terminal)
        console.standardError = FileHandle(forWritingAtPath: "/dev/null")
        try console.run()
        // Foundation's threads block SIGTERM, and what they start inherits that.
        defer {
            kill(console.processIdentifier, SIGKILL)
            console.waitUntilExit()
        }
        #expect(holds { shown().contains("A") })
        // The terminal is not the process's own, so that the kernel tells nobody.
        resize(columns: 66)
        kill(console.processIdentifier, SIGWINCH)
        #expect(holds { shown().contains("B") })
    }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProgramSupport
import Testing

/// Whole runs of the Debian image, one after the other: each wants the host's cores.
@Suite("Debian systems", .serialized, .timeLimit(.minutes(Surroundings.limit)), .bootsDebian)
enum DebianTests {}

extension DebianTests {
    @Suite("Harts")
    struct HartTests {
        /// What runs in M-mode.
        enum Firmware: String, Sendable, CaseIterable {
            case builtIn, dynamic

            var options: [String] {
                self == .builtIn ? [] : ["--firmware", Surroundings.firmware + "/fw_\(rawValue).bin"]
            }
            var isThere: Bool { self == .builtIn || Surroundings.has(options[1]) }
        }

        static let short: [(Int, Firmware)] = [(8, .builtIn), (4, .dynamic)]
        static let all: [(Int, Firmware)] = [1, 4, 8].flatMap { harts in Firmware.allCases.map { (harts, $0) } }

        @Test(
            "under load on every hart the kernel has nothing to complain about, and eth0 has its address",
            arguments: (Surroundings.isLong ? all : short).filter(\.1.isThere))
        func load(_ harts: Int, _ firmware: Firmware) throws {
            let image = try #require(ApusProgram.image)
            let guest = try ApusConsole(
                [
                    "run", "--kernel", image.kernel, "--initrd", image.initialRamdisk, "--append", "console=ttyS0",
                    "--cpus", String(harts), "--net", "user",
                ] + firmware.options)
            try guest.expect(":/# ", seconds: 300)
            let seconds = Surroundings.isLong ? 60 : 5
            _ = try guest.shell(
                "for i in $(seq \(harts)); do timeout \(seconds) md5sum /dev/zero & done; wait", seconds: 300)
            let state = try guest.shell("echo harts=$(nproc); ip -4 -o addr show eth0")
            let complaints = try guest.shell("dmesg | grep -iE 'stall|lockup|hung|blocked for|unstable|skew|BUG:'")
            try guest.send("exit")

            #expect(state.contains("harts=\(harts)"))
            #expect(state.contains("inet 10.0.2.15/24"))
            #expect(!complaints.contains("["), "\(complaints)")
            #expect(try guest.end() == 0)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Runs of the Debian image: its console, commands in it, its network.
@Suite(
    "debian-micro", .serialized, .timeLimit(.minutes(10)),
    .enabled(if: ApusProgram.isOptimized, "a guest takes minutes without the optimizer: use swift test -c release"),
    .enabled(if: ImageRunTests.isBuilt, "the image is not built: apus image build debian-micro"))
struct ImageRunTests {
    static let isBuilt: Bool = {
        let listed = try? ApusProgram.run(["image", "list", "--json"])
        let listing = listed.flatMap { try? JSONSerialization.jsonObject(with: $0.output) } as? [String: Any]
        let built = listing?["built"] as? [[String: Any]] ?? []
        return built.contains { $0["name"] as? String == "debian-micro" }
    }()

    private func run(_ options: [String] = [], _ command: [String], input: Data? = nil) throws -> ApusProgram.Outcome {
        try ApusProgram.run(["run", "debian-micro"] + options + ["--"] + command, input: input, seconds: 240)
    }

    @Test("a command's streams are its own, byte for byte, and so is its status")
    func command() throws {
        var generator = SystemRandomNumberGenerator()
        let bytes = Data((0..<(16 << 20) / 8).flatMap { _ in
            withUnsafeBytes(of: generator.next()) { Array($0) }
        })
        let outcome = try run(["--net", "none"], ["sh", "-c", "cat; echo e >&2; exit 7"], input: bytes)
        #expect(outcome.output == bytes)
        #expect(outcome.errors == "e\n")
        #expect(outcome.status == 7)
    }

    @Test(
        "a command that is not there is 127, one that cannot be executed 126, each with a sentence",
        arguments: [("nonsense", 127), ("/etc/passwd", 126)] as [(String, Int32)])
    func notStarted(_ program: String, _ status: Int32) throws {
        let outcome = try run(["--net", "none"], [program])
        #expect(outcome.status == status)
        #expect(outcome.errors.hasPrefix("apus: '\(program)' did not start in the guest: "))
    }

    @Test("arguments and variables arrive as they are")
    func arguments() throws {
        let outcome = try run(
            ["--net", "none", "--env", "A=b c=d"], ["sh", "-c", "printf '%s|' \"$A\" \"$@\"", "x", "", "two words", "ü\n"])
        #expect(outcome.text == "b c=d||two words|ü\n|")
    }

    @Test("the guest gets an address by DHCP, and without host=on the host refuses")
    func network() throws {
        let outcome = try run(["--net", "user"], ["sh", "-c", "ip -4 -o addr show eth0; ping -c 1 -W 5 10.0.2.2 | tail -2"])
        #expect(outcome.text.contains("inet 10.0.2.15/24"))
        #expect(outcome.status == 0)
    }

    @Test("the console on pipes takes a line and gives the shell's answer")
    func console() throws {
        let outcome = try ApusProgram.run(
            ["run", "debian-micro", "--net", "none", "--timeout", "200"],
            input: Data("echo sum $((6 * 7)); poweroff -f\n".utf8), seconds: 240)
        #expect(outcome.text.contains("sum 42"))
        #expect(outcome.status == 0)
    }

    @Test("a guest whose system crashes is 70 with a sentence")
    func panic() throws {
        let outcome = try ApusProgram.run(
            ["run", "debian-micro", "--net", "none", "--timeout", "200"],
            input: Data("echo c > /proc/sysrq-trigger\n".utf8), seconds: 240)
        #expect(outcome.status == 70)
        #expect(outcome.errors.contains("apus: the guest's system crashed: "))
    }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProgramSupport
import Testing

/// Runs of the Debian image: its console, commands in it, its network.
@Suite(
    "debian-micro", .serialized, .timeLimit(.minutes(10)),
    .enabled(if: ApusProgram.isOptimized, "a guest takes minutes without the optimizer: use swift test -c release"),
    .enabled(if: ApusProgram.hasImage, "the image is not built: apus image build debian-micro"))
struct ImageRunTests {
    private func run(_ options: [String] = [], _ command: [String], input: Data? = nil) throws -> ApusProgram.Outcome {
        try ApusProgram.run(["run", "debian-micro"] + options + ["--"] + command, input: input, seconds: 240)
    }

    @Test("a command's streams are its own, byte for byte, and so is its status")
    func command() throws {
        var generator = SystemRandomNumberGenerator()
        let bytes = Data(
            (0..<(16 << 20) / 8).flatMap { _ in
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
            ["--net", "none", "--env", "A=b c=d"],
            ["sh", "-c", "printf '%s|' \"$A\" \"$@\"", "x", "", "two words", "ü\n"])
        #expect(outcome.text == "b c=d||two words|ü\n|")
    }

    @Test("the guest gets an address by DHCP and a gateway that answers")
    func network() throws {
        let outcome = try run(
            ["--net", "user"], ["sh", "-c", "ip -4 -o addr show eth0; ping -c 1 -W 5 10.0.2.2 | tail -2"])
        #expect(outcome.text.contains("inet 10.0.2.15/24"))
        #expect(outcome.status == 0)
    }

    /// Types `line` into a pipe when the guest's shell has prompted, as a script does; a serial port loses what comes
    /// before its driver listens.
    private func type(_ line: String) throws -> ApusProgram.Outcome {
        let scratch = try Scratch()
        return try ApusProgram.run(
            ["run", "debian-micro", "--net", "none", "--timeout", "200"],
            environment: ["SEEN": scratch.url("seen").path, "LINE": line],
            shell: """
                mkfifo "$SEEN.in"; : >"$SEEN"
                (
                    exec 3>"$SEEN.in"
                    until grep -q 'debian-micro:/#' "$SEEN"; do sleep 0.2; done
                    printf '%s\\n' "$LINE" >&3
                ) &
                "$0" "$@" <"$SEEN.in" >"$SEEN"
                status=$?
                kill $! 2>/dev/null
                cat "$SEEN"
                exit $status
                """, seconds: 240)
    }
    @Test("the console on pipes takes a line and gives the shell's answer")
    func console() throws {
        let outcome = try type("echo sum $((6 * 7)); poweroff -f")
        #expect(outcome.text.contains("sum 42"))
        #expect(outcome.status == 0)
    }

    @Test("a guest whose system crashes is 70 with a sentence")
    func panic() throws {
        let outcome = try type("echo c > /proc/sysrq-trigger")
        #expect(outcome.status == 70)
        #expect(outcome.errors.contains("apus: the guest's system crashed: "))
    }
}

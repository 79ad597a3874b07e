// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProgramSupport
import Testing

extension DebianTests {
    @Suite("Ends and scripts")
    struct EndTests {
        @Test(
            "SIGTERM during a command switches the guest off, and is the status",
            arguments: ["sleep 999", "trap '' TERM; sleep 999"])
        func terminated(_ command: String) throws {
            let run = try ApusConsole(["run", "debian-micro", "--net", "none", "--", "sh", "-c", "echo up; \(command)"])
            try run.expect("up\n")
            run.raise(SIGTERM)
            #expect(try run.end() == 128 + SIGTERM)
            #expect(run.errors == "")
        }

        @Test("a guest that switches off under its command is a failure with a sentence")
        func switchedOff() throws {
            let outcome = try ApusProgram.run(
                ["run", "debian-micro", "--net", "none", "--", "sh", "-c", "poweroff; sleep 99"], seconds: 240)
            #expect(outcome.errors == "apus: the guest switched off before 'sh' ended\n")
            #expect(outcome.status == 125)
        }

        @Test("output that nobody reads holds neither the guest nor, after a second SIGTERM, the process")
        func unread() throws {
            // The pipe is open for reading and never read. When the vCPU's thread is gone the guest has switched off.
            let shell = """
                d=$(mktemp -d); mkfifo "$d/f"; exec 4<>"$d/f" 5<&0; "$0" "$@" <&5 >"$d/f" & p=$!; sleep 2
                while cat $(pgrep -P $p | sed 's,.*,/proc/&/task/*/comm,') | grep -q vcpu; do sleep 0.2; done
                rm -r "$d"; kill -TERM $p; sleep 1; kill -TERM $p; wait $p
                """
            let outcome = try ApusProgram.run(
                ["run", "debian-micro", "--net", "none"],
                input: Data("yes 0123456789abcdef | head -n 9000; poweroff -f\n".utf8), shell: shell, seconds: 240)
            #expect(outcome.status == 0)
        }

        @Test("a script longer than a serial port's FIFO arrives whole on the console, from its first byte")
        func script() throws {
            let lines = (1...40).map { "echo line $((\($0) * 1000))" }.joined(separator: "\n")
            let outcome = try ApusProgram.run(
                ["run", "debian-micro", "--net", "none", "--timeout", "200"], input: Data((lines + "\nexit\n").utf8),
                seconds: 240)
            #expect((1...40).filter { !outcome.text.contains("line \($0 * 1000)") } == [])
            #expect(outcome.status == 0)
        }
    }
}

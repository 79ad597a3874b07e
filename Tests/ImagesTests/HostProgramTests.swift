// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Images

@Suite("HostProgram")
struct HostProgramTests {
    @Test("passes arguments as they are, without a shell")
    func passesArguments() async throws {
        let program = HostProgram(name: "printf", package: "coreutils")
        #expect(try await program.output(["%s|", "$HOME", "a b", "*"]) == "$HOME|a b|*|\n")
    }

    @Test("tells the end of what a failing program said")
    func tellsFailure() async {
        let program = HostProgram(name: "sh", package: "dash")
        let script = "for i in 1 2 3 4 5; do echo line $i >&2; done; exit 3"
        await #expect(
            throws: ImageError.programFailed(
                program: "sh", status: "exited with status 3", detail: "line 3; line 4; line 5")
        ) { try await program.output(["-c", script]) }
    }

    @Test("tells the signal that ended a program")
    func tellsSignal() async {
        let program = HostProgram(name: "sh", package: "dash")
        await #expect(throws: ImageError.programFailed(program: "sh", status: "was ended by signal 9", detail: "")) {
            try await program.output(["-c", "kill -9 $$"])
        }
    }

    @Test("names the package of a program that is not there")
    func namesPackage() async {
        let program = HostProgram(name: "no-such-program", package: "some-package")
        let error = ImageError.missingOnHost(what: "the program no-such-program", package: "some-package")
        await #expect(throws: error) { try await program.output([]) }
    }

    @Test("reads both streams to the end, however much comes")
    func readsBothStreams() async throws {
        let program = HostProgram(name: "sh", package: "dash")
        var lines = 0
        let outcome = try await program.run(["-c", "seq 100000; seq 100000 >&2"], onLine: { _ in lines += 1 })
        #expect(lines == 100_000)
        #expect(outcome.errorLines.last == "100000")
    }
}

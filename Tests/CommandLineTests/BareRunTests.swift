// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProgramSupport
import Testing

/// Runs of programs that are alone on the machine: what ends them, and what goes in and out.
@Suite("Bare programs", .timeLimit(.minutes(10)))
struct BareRunTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func run(
        _ program: [UInt32], _ options: [String] = [], input: Data? = nil, shell: String? = nil
    ) throws -> ApusProgram.Outcome {
        let kernel = try scratch.file("program.elf", BareProgram.elf(program))
        return try ApusProgram.run(
            ["run", "--firmware", "none", "--kernel", kernel] + options, input: input, shell: shell)
    }

    @Test("the test finisher's code is the exit status", arguments: [0, 1, 7, 255] as [UInt32])
    func finisher(_ code: UInt32) throws {
        let outcome = try run(BareProgram.finish(code))
        #expect(outcome.status == Int32(code))
        #expect(outcome.errors.isEmpty)
    }

    @Test("what the guest writes to its serial port is stdout, byte for byte")
    func output() throws {
        let outcome = try run(BareProgram.say("hello\r\nworld\n"))
        #expect(outcome.text == "hello\r\nworld\n")
        #expect(outcome.status == 0)
    }

    @Test("what comes on stdin reaches the guest without loss, Ctrl-A among it")
    func input() throws {
        let text = String(repeating: "apus\u{1}x ", count: 500) + "!"
        let outcome = try run(BareProgram.echo(until: "!"), input: Data(text.utf8))
        #expect(outcome.text == text)
        #expect(outcome.status == 0)
    }

    @Test(
        "the end of stdin does not end the machine",
        arguments: ["exec \"$0\" \"$@\" </dev/null", "exec \"$0\" \"$@\" <&-"])
    func noInput(_ shell: String) throws {
        let outcome = try run(BareProgram.say("done"), shell: shell)
        #expect(outcome.text == "done")
        #expect(outcome.status == 0)
    }

    @Test(
        "a stdout that is closed, full or gone does not stop the guest",
        arguments: [
            "exec \"$0\" \"$@\" >&-", "exec \"$0\" \"$@\" >/dev/full", "{ \"$0\" \"$@\"; echo $? >&2; } | true; exit 0",
        ])
    func noOutput(_ shell: String) throws {
        let outcome = try run(BareProgram.say("nobody hears"), shell: shell)
        #expect(outcome.status == 0)
        #expect(outcome.errors.isEmpty || outcome.errors == "0\n")
    }

    @Test("a program that never ends is ended by --timeout with 124 and a sentence")
    func timeout() throws {
        let outcome = try run([BareProgram.loop], ["--timeout", "1"])
        #expect(outcome.status == 124)
        #expect(outcome.errors == "apus: the machine was ended after the 1 second of --timeout\n")
    }

    @Test("a signal ends the machine with 128 and its number", arguments: [("TERM", 143), ("INT", 130), ("HUP", 129)])
    func signals(_ name: String, _ status: Int32) throws {
        // A shell without job control makes its background jobs ignore SIGINT, which `env` undoes.
        let outcome = try run(
            [BareProgram.wait, BareProgram.loop], ["--json"],
            shell: "env --default-signal=INT \"$0\" \"$@\" & p=$!; sleep 3; kill -\(name) $p; wait $p")
        #expect(outcome.status == status)
        // It was told, and did not just die of it.
        #expect(outcome.errors.contains("\"ended\":\"signal\""))
    }

    @Test("SIGUSR1 prints what each vCPU is doing")
    func report() throws {
        let outcome = try run(
            [BareProgram.loop], ["--cpus", "2", "--timeout", "6"],
            shell: "\"$0\" \"$@\" & p=$!; sleep 3; kill -USR1 $p; wait $p")
        #expect(outcome.errors.contains("apus: vcpu 0: pc 0000000080000000, ring M"))
        #expect(outcome.errors.contains("apus: vcpu 1: pc "))
    }

    @Test("--json tells a program who ended the machine, --stats the counters")
    func json() throws {
        let outcome = try run(BareProgram.finish(3), ["--json", "--stats"])
        #expect(outcome.status == 3)
        let report = try JSONSerialization.jsonObject(with: Data(outcome.errors.utf8)) as? [String: Any]
        #expect(report?["ended"] as? String == "poweroff")
        #expect(report?["code"] as? Int == 3)
        let statistics = report?["statistics"] as? [String: Any]
        #expect((statistics?["instructions"] as? Int ?? 0) >= 4)
    }

    @Test("--trace-file gets a line for each exception")
    func trace() throws {
        // An illegal instruction with mtvec 0: it traps, then faults for ever where nothing is.
        let file = scratch.url("trace").path
        let outcome = try run([0], ["--trace-file", file, "--timeout", "1"])
        #expect(outcome.status == 124)
        let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
        #expect(
            lines.first
                == "hart 0 M>M exception 2 illegal instruction pc 0x0000000080000000 value 0x0000000000000000")
    }

    @Test("a console in a file holds what the guest wrote, and stdout nothing")
    func fileConsole() throws {
        let file = scratch.url("console").path
        let outcome = try run(BareProgram.say("to the file\n"), ["--console", "file:\(file)"])
        #expect(outcome.output.isEmpty)
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "to the file\n")
    }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProgramSupport
import SandboxSupport
import Testing

/// The process of a machine, tested from inside: calls are made in the place of its threads, while a guest runs.
@Suite("Sandbox", .timeLimit(.minutes(10)))
struct SandboxTests {
    private static let threads = [
        "main", "signals", "clients", "control", "tasks 0", "io", "disk 0", "vcpu0", "conductor",
    ]
    /// What a process that its sandbox ends leaves for its starter to say.
    private static let sentence =
        "apus: the sandbox ended the machine's process, which made a system call that it may not"

    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func arguments(_ options: [String] = []) throws -> [String] {
        let kernel = try scratch.file("program.elf", BareProgram.elf([BareProgram.loop]))
        let disk = try scratch.file("disk", Data(count: 1 << 20))
        return ["run", "--firmware", "none", "--kernel", kernel, "--disk", disk, "--timeout", "5"] + options
    }

    private func probe(_ script: String) throws -> ApusProgram.Outcome {
        try ApusProgram.run(try arguments(), environment: ["APUS_SANDBOX_PROBE": script])
    }

    @Test("what is forbidden is refused on every thread, and the guest goes on")
    func refused() throws {
        let acts = ForbiddenAct.filesAndSockets + ForbiddenAct.internet + ForbiddenAct.limited
        let outcome = try probe(acts.map { "* \($0.call)" }.joined(separator: "\n"))
        let lines = outcome.errors.split(separator: "\n").map(String.init).filter { $0.hasPrefix("probe: ") }
        #expect(lines.count >= acts.count * Self.threads.count)
        #expect(lines.filter { line in !acts.contains { $0.isRefused(in: line) } } == [])
        #expect(outcome.status == 124)
    }

    @Test("an intruder's acts on a vCPU end the process, and its starter says why", arguments: ForbiddenAct.fatal)
    func fatal(act: ForbiddenAct) throws {
        let outcome = try probe("vcpu0 \(act.call)")
        #expect(outcome.errors.hasPrefix(Self.sentence))
        #expect(outcome.status == 125)
    }

    @Test("so they do on every other thread", arguments: threads)
    func everyThread(thread: String) throws {
        let outcome = try probe("\"\(thread)\" execve \"/bin/true\" 0 0")
        #expect(outcome.errors.hasPrefix(Self.sentence))
        #expect(outcome.status == 125)
    }

    @Test("every thread of the process has no new privileges, a filter, no capability and another user than root")
    func status() throws {
        let console = try ApusConsole(try arguments(["--verbose"]))
        let machine = try RunningMachine(of: console)
        let isRoot = geteuid() == 0
        let (user, group) = isRoot ? (65534, 65534) : (geteuid(), getegid())
        #expect(machine.statuses.count >= Self.threads.count)
        #expect(
            machine.statuses.filter { !$0.isConfined(user: user, group: group, wasRoot: isRoot) }.map(\.description)
                == [])
        #expect(console.errors.contains(", sandbox on (seccomp, landlock "))
    }

    @Test("root chooses whom the process becomes", .enabled(if: geteuid() == 0, "only root changes users"))
    func user() throws {
        let console = try ApusConsole(try arguments(["--user", "12345:678"]))
        let machine = try RunningMachine(of: console)
        #expect(machine.statuses.allSatisfy { $0.isConfined(user: 12345, group: 678, wasRoot: true) })
    }

    @Test(
        "what lies in the user's environment does not reach the machine's process",
        .enabled(if: geteuid() == 0, "only root may look at the environment of a confined process"))
    func environment() throws {
        setenv("SOME_TOKEN", "secret", 1)
        let console = try ApusConsole(try arguments())
        let machine = try RunningMachine(of: console)
        let texts = machine.processes.map { try? String(contentsOfFile: "/proc/\($0)/environ", encoding: .utf8) }
        #expect(texts.count == 1)
        #expect(texts.allSatisfy { $0?.contains("SWIFT_BACKTRACE=") == true && $0?.contains("SOME_TOKEN") == false })
    }

    @Test("without a sandbox the start line says so")
    func off() throws {
        let outcome = try ApusProgram.run(try arguments(["--verbose", "--sandbox", "off", "--timeout", "1"]))
        #expect(outcome.errors.contains(", sandbox OFF\n"))
    }

    @Test(
        "a sandbox or user that there is none of is an error",
        arguments: [
            (["--sandbox", "some"], "apus: sandbox 'some' is not known; valid are off, on, strict\n"),
            (
                ["--user", "no-such-user"],
                "apus: 'no-such-user' names no user of this host; give NAME, UID or UID:GID, as in 'nobody' or '1000:1000'\n"
            ),
        ])
    func wrong(options: [String], message: String) throws {
        let outcome = try ApusProgram.run(try arguments(options))
        #expect(outcome.errors == message)
        #expect(outcome.status == 125)
    }
}

/// The process that runs a machine, as /proc shows it once it is confined.
private struct RunningMachine {
    let statuses: [ThreadStatus]
    let processes: [String]

    /// Waits until the child of `console`'s program has a vCPU.
    init(of console: ApusConsole) throws {
        let deadline = Date(timeIntervalSinceNow: 60)
        var found: [(name: String, status: String)] = []
        while !found.contains(where: { $0.name == "vcpu0" }), Date() < deadline {
            usleep(20_000)
            found = Self.children(of: console.processID).flatMap(Self.threads)
        }
        // The vCPU's thread has its name before it takes its filter on.
        usleep(100_000)
        processes = Self.children(of: console.processID)
        statuses = processes.flatMap(Self.threads).map { ThreadStatus($0.status) }
    }

    private static func children(of process: Int32) -> [String] {
        let lists = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")) ?? []
        return lists.flatMap { thread in
            let text = try? String(contentsOfFile: "/proc/\(process)/task/\(thread)/children", encoding: .utf8)
            return (text ?? "").split(separator: " ").map(String.init)
        }
    }

    private static func threads(of process: String) -> [(name: String, status: String)] {
        let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")) ?? []
        return numbers.compactMap { thread in
            let folder = "/proc/\(process)/task/\(thread)"
            guard let name = try? String(contentsOfFile: folder + "/comm", encoding: .utf8),
                let status = try? String(contentsOfFile: folder + "/status", encoding: .utf8)
            else { return nil }
            return (name.trimmingCharacters(in: .newlines), status)
        }
    }
}

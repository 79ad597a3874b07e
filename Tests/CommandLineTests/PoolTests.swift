// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProgramSupport
import Testing

/// Guests of the program that share its host. The host may be busy, so that the bounds are wide: docs/pool.md says where
/// the narrow ones are.
@Suite(
    "The pool", .serialized, .timeLimit(.minutes(10)),
    .enabled(
        if: ProcessInfo.processInfo.environment["APUS_LONG_TESTS"] != nil,
        "APUS_LONG_TESTS is not set: it measures shares of a CPU, which other tests would take part in"))
final class PoolTests {
    private let scratch: Scratch
    private let kernel: String

    init() throws {
        scratch = try Scratch()
        kernel = try scratch.file("spin.elf", BareProgram.elf([BareProgram.loop]))
    }

    deinit {
        _ = try? apus(["kill", "one"])
        _ = try? apus(["kill", "three"])
    }

    private func apus(_ arguments: [String]) throws -> ApusProgram.Outcome {
        try ApusProgram.run(arguments, environment: ["APUS_HOME": scratch.folder.path])
    }

    /// Starts a guest that spins; the number of its process.
    private func start(_ name: String, _ options: [String]) throws -> Int {
        let outcome = try apus(
            ["run", "--detach", "--name", name, "--firmware", "none", "--kernel", kernel, "--memory", "64M"] + options)
        try #require(outcome.status == 0, "\(outcome.errors)")
        return try #require(try record(name)["processID"] as? Int)
    }

    private func record(_ name: String) throws -> [String: Any] {
        let guests = scratch.url("run/guests")
        let records = try FileManager.default.contentsOfDirectory(atPath: guests.path).compactMap { id in
            try JSONSerialization.jsonObject(with: Data(contentsOf: guests.appending(path: "\(id)/record.json")))
                as? [String: Any]
        }
        return try #require(records.first { $0["name"] as? String == name })
    }

    /// Clock ticks of CPU that the vCPUs of `processes` use in `seconds` (proc(5), /proc/PID/task/TID/stat).
    private func use(_ processes: [Int], seconds: Double) -> [Int] {
        let before = processes.map(Self.ticks)
        Thread.sleep(forTimeInterval: seconds)
        return zip(processes.map(Self.ticks), before).map { $0 - $1 }
    }

    private static func ticks(_ process: Int) -> Int {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")) ?? []
        return tasks.reduce(0) { sum, task in
            let text = (try? String(contentsOfFile: "/proc/\(process)/task/\(task)/stat", encoding: .utf8)) ?? ""
            let parts = text.components(separatedBy: ") ")
            guard parts.count == 2, parts[0].contains("(vcpu") else { return sum }
            let fields = parts[1].split(separator: " ")
            return sum + (Int(fields[11]) ?? 0) + (Int(fields[12]) ?? 0)
        }
    }

    @Test("guests of shares 1 and 3 get one CPU so, and the other way round when that is set")
    func shares() throws {
        let one = try start("one", ["--cpu-shares", "1", "--cpuset", "0"])
        let three = try start("three", ["--cpu-shares", "3", "--cpuset", "0"])
        Thread.sleep(forTimeInterval: 0.5)
        let first = use([one, three], seconds: 4)
        #expect((2...4.5).contains(Double(first[1]) / Double(max(1, first[0]))))
        #expect(try apus(["set", "one", "--cpu-shares", "9"]).status == 0)
        Thread.sleep(forTimeInterval: 0.5)
        let second = use([one, three], seconds: 4)
        #expect((2...4.5).contains(Double(second[0]) / Double(max(1, second[1]))))
        #expect(try record("one")["cpuShares"] as? Int == 9)
    }

    @Test("a cap is held, changed and lifted while the guest runs")
    func cap() throws {
        let process = try start("one", ["--cpu-cap", "10%"])
        Thread.sleep(forTimeInterval: 0.5)
        // A hundred ticks a second.
        let capped = use([process], seconds: 3)[0]
        #expect((3...60).contains(capped))
        #expect(try apus(["set", "one", "--cpu-cap", "none"]).status == 0)
        #expect(use([process], seconds: 3)[0] > capped)
    }

    @Test("more memory than is free is refused with the figures, unless it may be overcommitted")
    func admission() throws {
        let report = try JSONSerialization.jsonObject(with: apus(["host", "--json"]).output) as? [String: Any]
        let total = try #require(report?["memory"] as? Int)
        let program = try scratch.file("end.elf", BareProgram.elf(BareProgram.finish(7)))
        let run = ["run", "--firmware", "none", "--kernel", program, "--memory", "\(total >> 20)M"]
        let refused = try apus(run)
        #expect(refused.status == 125)
        #expect(refused.errors.contains("the guest asks for \(total >> 20) MiB of memory, and "))
        #expect(refused.errors.contains("; ask for less, or add --overcommit"))
        #expect(try apus(run + ["--overcommit"]).status == 7)
    }

    @Test("host shows what guests have been given")
    func host() throws {
        _ = try start("one", ["--cpu-shares", "7", "--cpu-cap", "20%", "--cpuset", "0"])
        let report = try JSONSerialization.jsonObject(with: apus(["host", "--json"]).output) as? [String: Any]
        #expect(report?["allocatedMemory"] as? Int == 64 << 20)
        #expect(report?["virtualCPUs"] as? Int == 1)
        let guest = try #require((report?["guests"] as? [[String: Any]])?.first)
        #expect(guest["name"] as? String == "one")
        #expect(guest["cpuShares"] as? Int == 7)
        #expect(guest["cpuCap"] as? String == "20%")
        #expect(guest["cpuset"] as? String == "0")
    }

    @Test(
        "what cannot be set is refused in a sentence",
        arguments: [
            (["--cpu-shares", "0"], "CPU shares of 0 are out of range"),
            (["--cpu-cap", "25"], "cap '25' cannot be read"),
            (["--cpuset", "x"], "CPU list 'x' cannot be read"), ([], "nothing is to be set"),
            (["--cpu-cap", "5%"], "no guest 'nobody' runs"),
        ])
    func refusals(_ options: [String], _ sentence: String) throws {
        let outcome = try apus(["set", "nobody"] + options)
        #expect(outcome.errors.hasPrefix("apus: \(sentence)"))
        #expect(outcome.status == 125)
    }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProgramSupport
import Testing

@Suite("apus set", .timeLimit(.minutes(5)))
final class SetTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    deinit { _ = try? apus("kill", "web") }

    @discardableResult
    private func apus(_ arguments: String...) throws -> ApusProgram.Outcome {
        try ApusProgram.run(arguments, environment: ["APUS_HOME": scratch.url("home").path])
    }

    private func object(_ arguments: String...) throws -> [String: Any] {
        let outcome = try ApusProgram.run(arguments, environment: ["APUS_HOME": scratch.url("home").path])
        return try #require(try JSONSerialization.jsonObject(with: outcome.output) as? [String: Any])
    }

    private func running() throws -> [String: Any] {
        try #require(try object("inspect", "web")["running"] as? [String: Any])
    }

    @Test("what a guest's definition cannot take is refused before the running guest is asked")
    func definitionFirst() throws {
        let kernel = try scratch.file("idle.elf", BareProgram.elf([BareProgram.wait, BareProgram.loop]))
        let disk = try scratch.file("disk", Data(count: 1 << 16))
        let started = try apus(
            "run", "--detach", "--name", "web", "--firmware", "none", "--kernel", kernel, "--memory", "64M", "--disk",
            disk)
        try #require(started.status == 0, "\(started.errors)")
        // Its next run has no disk any more.
        var kept = try object("inspect", "--config", "web")
        var machine = try #require(kept["machine"] as? [String: Any])
        machine["disks"] = [Any]()
        kept["machine"] = machine
        let file = try scratch.file("web.json", JSONSerialization.data(withJSONObject: kept))
        #expect(try apus("create", "--config", file).status == 0)

        let refused = try apus("set", "web", "--cpu-shares", "300", "--disk", "0,iops=5")
        #expect(refused.status == 125)
        #expect(refused.errors == "apus: there is no disk 0: the machine has none\n")
        #expect(try running()["cpuShares"] as? Int == 100)
        #expect(try apus("set", "web", "--cpu-shares", "300").status == 0)
        #expect(try running()["cpuShares"] as? Int == 300)
    }
}

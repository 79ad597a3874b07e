// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProgramSupport
import Testing

/// Sockets at places of the user's: a machine's process makes them, and may not remove them once it is confined.
@Suite("Sockets that a guest leaves", .timeLimit(.minutes(5)))
final class SocketTests {
    private let scratch: Scratch
    private let console: String
    private let control: String

    init() throws {
        scratch = try Scratch()
        (console, control) = (scratch.url("console").path, scratch.url("control").path)
    }

    deinit { _ = try? apus("kill", "web") }

    @discardableResult
    private func apus(_ arguments: String...) throws -> ApusProgram.Outcome {
        try ApusProgram.run(arguments, environment: ["APUS_HOME": scratch.url("home").path])
    }

    private func exists(_ path: String) -> Bool { (try? FileManager.default.attributesOfItem(atPath: path)) != nil }

    /// Starts a guest that idles; its process.
    private func start() throws -> Int32 {
        let kernel = try scratch.file("idle.elf", BareProgram.elf([BareProgram.wait, BareProgram.loop]))
        let outcome = try apus(
            "run", "--detach", "--name", "web", "--firmware", "none", "--kernel", kernel, "--memory", "64M",
            "--console", "unix:\(console)", "--control", "unix:\(control)")
        try #require(outcome.status == 0, "\(outcome.errors)")
        let found = try JSONSerialization.jsonObject(with: try apus("inspect", "web").output) as? [String: Any]
        return try #require((found?["running"] as? [String: Any])?["processID"] as? Int32)
    }

    @Test("they go with a guest that ends")
    func end() throws {
        let kernel = try scratch.file("end.elf", BareProgram.elf(BareProgram.finish(3)))
        let outcome = try apus(
            "run", "--firmware", "none", "--kernel", kernel, "--memory", "64M", "--console", "unix:\(console)",
            "--control", "unix:\(control)")
        #expect(outcome.status == 3)
        #expect(!exists(console))
        #expect(!exists(control))
    }

    @Test("they stand while a detached guest runs, and go with what looks next when it was killed")
    func killed() throws {
        let process = try start()
        #expect(exists(console))
        #expect(exists(control))
        kill(process, SIGKILL)
        // Who looks while it is dying finds nothing to clear.
        #expect(try holds { try apus("list", "--quiet").text == "" && !exists(console) })
        #expect(!exists(control))
    }

    @Test("what somebody else has put there meanwhile stays")
    func replaced() throws {
        let process = try start()
        try FileManager.default.removeItem(atPath: console)
        try Data("mine".utf8).write(to: URL(fileURLWithPath: console))
        kill(process, SIGKILL)
        #expect(try holds { try apus("list", "--quiet").text == "" && !exists(control) })
        #expect(try Data(contentsOf: URL(fileURLWithPath: console)) == Data("mine".utf8))
    }
}

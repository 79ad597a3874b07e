// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProgramSupport

/// A user's data and runtime folders for guests of a test's own, with the images that are built. What still runs in it
/// is ended with it.
final class GuestHome {
    private let scratch: Scratch
    let folder: String

    init() throws {
        scratch = try Scratch()
        folder = scratch.folder.path
        guard let kernel = ApusProgram.image?.kernel else { throw ApusProgram.Trouble(description: "no image") }
        // …/images/riscv64/debian-micro/Image
        let images = URL(fileURLWithPath: kernel).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        try FileManager.default.createSymbolicLink(at: scratch.url("images"), withDestinationURL: images)
    }

    deinit {
        for guest in (try? running()) ?? [] { kill(guest.process, SIGKILL) }
    }

    /// Runs `apus` to its end.
    @discardableResult
    func apus(_ arguments: [String], input: Data? = nil, seconds: Double = 120) throws -> ApusProgram.Outcome {
        try ApusProgram.run(arguments, input: input, environment: ["APUS_HOME": folder], seconds: seconds)
    }

    /// Runs `apus`, which must succeed; what it printed.
    @discardableResult
    func succeed(_ arguments: [String], seconds: Double = 120) throws -> String {
        let outcome = try apus(arguments, seconds: seconds)
        guard outcome.status == 0 else {
            throw ApusProgram.Trouble(description: "apus \(arguments) is \(outcome.status): \(outcome.errors)")
        }
        return outcome.text
    }

    /// Runs a shell's line in the guest; what it printed.
    func shell(_ guest: String, _ line: String, seconds: Double = 120) throws -> String {
        try succeed(["exec", guest, "--", "sh", "-c", line], seconds: seconds)
    }

    /// A program that goes on while the test does; its stdout is in the file `out`.
    func begin(_ arguments: [String], out: String) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: ApusProgram.path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(["APUS_HOME": folder]) { _, new in new }
        process.standardInput = FileHandle.nullDevice
        try Data().write(to: scratch.url(out))
        process.standardOutput = try FileHandle(forWritingTo: scratch.url(out))
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }

    func text(_ name: String) -> String {
        String(decoding: (try? Data(contentsOf: scratch.url(name))) ?? Data(), as: UTF8.self)
    }

    func url(_ name: String) -> URL { scratch.url(name) }

    struct Listed: Decodable, Equatable {
        var name: String?
        var id: String?
        var state: String
        var processID: Int32?

        var process: Int32 { processID ?? 0 }
    }

    func list(all: Bool) throws -> [Listed] {
        let text = try succeed(["list", "--json"] + (all ? ["--all"] : []))
        return try JSONDecoder().decode([Listed].self, from: Data(text.utf8))
    }

    /// The guests that run.
    func running() throws -> [Listed] { try list(all: false) }

    /// The states of all guests by their names.
    func states() throws -> [String: String] {
        Dictionary(try list(all: true).map { ($0.name ?? "", $0.state) }, uniquingKeysWith: { first, _ in first })
    }

    /// The process of the guest called `name`.
    func process(_ name: String) throws -> Int32 {
        guard let found = try running().first(where: { $0.name == name })?.processID else {
            throw ApusProgram.Trouble(description: "no guest \(name) runs")
        }
        return found
    }

    /// What is in the folder of running guests.
    func runtimeEntries() -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: scratch.url("run/guests").path)) ?? []
    }
}

/// Whether a process of this number is there and no zombie.
func isThere(_ process: Int32) -> Bool {
    let status = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
    return !status.isEmpty && !status.contains(") Z ")
}

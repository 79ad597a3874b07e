// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The built program: where `APUS_EXECUTABLE` says, else beside the tests.
struct ApusProgram {
    /// What a run left.
    struct Outcome: Sendable {
        var status: Int32
        var output: Data
        var errors: String

        var text: String { String(decoding: output, as: UTF8.self) }
    }

    /// Something about the tests' own surroundings is wrong.
    struct Trouble: Error, CustomStringConvertible {
        var description: String
    }

    static let path: String = {
        if let named = ProcessInfo.processInfo.environment["APUS_EXECUTABLE"] { return named }
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: tests).deletingLastPathComponent().appending(path: "apus").path
    }()

    /// Whether the program was made for speed: a system that boots takes too long without the optimizer.
    static var isOptimized: Bool {
        #if DEBUG
        ProcessInfo.processInfo.environment["APUS_EXECUTABLE"] != nil
        #else
        true
        #endif
    }

    /// Whether the Debian image is built.
    static let hasImage: Bool = {
        let listed = try? run(["image", "list", "--json"])
        let listing = listed.flatMap { try? JSONSerialization.jsonObject(with: $0.output) } as? [String: Any]
        let built = listing?["built"] as? [[String: Any]] ?? []
        return built.contains { $0["name"] as? String == "debian-micro" }
    }()

    /// Runs `apus` to its end. `shell` is put between: `$APUS` and the arguments are its parameters.
    static func run(
        _ arguments: [String], input: Data? = nil, environment: [String: String] = [:], shell: String? = nil,
        seconds: Double = 60
    ) throws -> Outcome {
        let process = Process()
        if let shell {
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", shell, path] + arguments
        } else {
            process.executableURL = URL(fileURLWithPath: path)
            process.arguments = arguments
        }
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        // Files, not pipes: whatever is written, nobody has to read along.
        let folder = try Scratch()
        let (out, err, source) = (folder.url("out"), folder.url("err"), folder.url("in"))
        for file in [out, err] { try Data().write(to: file) }
        try (input ?? Data()).write(to: source)
        process.standardInput = input == nil ? FileHandle.nullDevice : try FileHandle(forReadingFrom: source)
        process.standardOutput = try FileHandle(forWritingTo: out)
        process.standardError = try FileHandle(forWritingTo: err)
        try process.run()
        let deadline = Date(timeIntervalSinceNow: seconds)
        while process.isRunning, Date() < deadline { Thread.sleep(forTimeInterval: 0.01) }
        guard !process.isRunning else {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            let said = String(decoding: try Data(contentsOf: err), as: UTF8.self)
            throw Trouble(description: "apus \(arguments) still ran after \(seconds) seconds: \(said)")
        }
        let isSignal = process.terminationReason == .uncaughtSignal
        return Outcome(
            status: isSignal ? -process.terminationStatus : process.terminationStatus,
            output: try Data(contentsOf: out), errors: String(decoding: try Data(contentsOf: err), as: UTF8.self))
    }
}

/// A folder that goes with its object.
final class Scratch: Sendable {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "apus-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func url(_ name: String) -> URL { folder.appending(path: name) }

    /// Makes a file; its path.
    func file(_ name: String, _ content: Data) throws -> String {
        try content.write(to: url(name))
        return url(name).path
    }
}

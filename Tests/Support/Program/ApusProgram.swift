// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The built program: where `APUS_EXECUTABLE` says, else beside the tests.
package struct ApusProgram {
    /// What a run left.
    package struct Outcome: Sendable {
        package var status: Int32
        package var output: Data
        package var errors: String

        package var text: String { String(decoding: output, as: UTF8.self) }
    }

    /// Something about the tests' own surroundings is wrong.
    package struct Trouble: Error, CustomStringConvertible {
        package var description: String

        package init(description: String) { self.description = description }
    }

    package static let path: String = {
        if let named = ProcessInfo.processInfo.environment["APUS_EXECUTABLE"] { return named }
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: tests).deletingLastPathComponent().appending(path: "apus").path
    }()

    /// Whether the program was made for speed: a system that boots takes too long without the optimizer.
    package static var isOptimized: Bool {
        #if DEBUG
        ProcessInfo.processInfo.environment["APUS_EXECUTABLE"] != nil
        #else
        true
        #endif
    }

    /// The files of a built image.
    package struct Image: Sendable {
        package var kernel: String
        package var initialRamdisk: String
    }

    /// The Debian image, if it is built.
    package static let image: Image? = {
        let listed = try? run(["image", "list", "--json"])
        let listing = listed.flatMap { try? JSONSerialization.jsonObject(with: $0.output) } as? [String: Any]
        let built = listing?["built"] as? [[String: Any]] ?? []
        guard let found = built.first(where: { $0["name"] as? String == "debian-micro" }),
            let kernel = found["kernel"] as? String, let ramdisk = found["initialRamdisk"] as? String
        else { return nil }
        return Image(kernel: kernel, initialRamdisk: ramdisk)
    }()

    /// Whether the Debian image is built.
    package static var hasImage: Bool { image != nil }

    /// Runs `apus` to its end. `shell` is put between: `$APUS` and the arguments are its parameters.
    package static func run(
        _ arguments: [String], input: Data? = nil, environment: [String: String] = [:], shell: String? = nil,
        seconds: Double = 300
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

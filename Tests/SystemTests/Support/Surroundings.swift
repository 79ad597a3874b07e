// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProgramSupport
import Testing

/// What the tests of whole systems need around them.
enum Surroundings {
    /// The variations that take minutes: `APUS_LONG_TESTS=1`.
    static let isLong = ProcessInfo.processInfo.environment["APUS_LONG_TESTS"] == "1"

    /// `CrashCycleTests` kill a guest so many times: `APUS_CYCLES`.
    static let cycles = Int(ProcessInfo.processInfo.environment["APUS_CYCLES"] ?? "") ?? 5

    /// Minutes that a test may take; the limits of suites hold for each of their tests.
    static let limit = isLong || cycles > 5 ? 150 : 10

    /// The folder of Debian's package opensbi, or `APUS_OPENSBI`.
    static let firmware =
        ProcessInfo.processInfo.environment["APUS_OPENSBI"] ?? "/usr/lib/riscv64-linux-gnu/opensbi/generic"

    static func has(_ file: String) -> Bool { FileManager.default.fileExists(atPath: file) }

    /// Runs a program of the host; its status and what it printed.
    @discardableResult
    static func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }

    static func sha256(_ file: String) throws -> String {
        String(try run("/usr/bin/sha256sum", [file]).output.prefix(64))
    }
}

extension Trait where Self == ConditionTrait {
    /// A Debian guest boots, and in bearable time.
    static var bootsDebian: Self {
        .enabled(
            if: ApusProgram.isOptimized && ApusProgram.hasImage,
            "needs the release build and a built image: apus image build debian-micro, then make test")
    }
}

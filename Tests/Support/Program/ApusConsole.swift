// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A run of `apus` that a test talks with: lines to its stdin, text awaited on its stdout.
package final class ApusConsole {
    private let process = Process()
    private let input = Pipe()
    private let scratch: Scratch
    /// How much of the output earlier calls of `expect` went past.
    private var passed = 0

    package init(_ arguments: [String]) throws {
        // A guest that ends early must not end the tests by a write to its stdin.
        signal(SIGPIPE, SIG_IGN)
        scratch = try Scratch()
        for name in ["out", "err"] { try Data().write(to: scratch.url(name)) }
        process.executableURL = URL(fileURLWithPath: ApusProgram.path)
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = try FileHandle(forWritingTo: scratch.url("out"))
        process.standardError = try FileHandle(forWritingTo: scratch.url("err"))
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    package var errors: String { text("err") }

    package var processID: Int32 { process.processIdentifier }

    private func text(_ name: String) -> String {
        // Lossy: boot firmware may print what is not UTF-8.
        String(decoding: (try? Data(contentsOf: scratch.url(name))) ?? Data(), as: UTF8.self)
    }

    /// Waits until `wanted` comes behind all that was awaited before; what came up to it.
    @discardableResult
    package func expect(_ wanted: String, seconds: Double = 400) throws -> String {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while true {
            let isOver = !process.isRunning || Date() > deadline
            let rest = text("out").dropFirst(passed)
            if let found = rest.range(of: wanted) {
                passed += rest.distance(from: rest.startIndex, to: found.upperBound)
                return String(rest[..<found.lowerBound])
            }
            guard !isOver else {
                let why = process.isRunning ? "within \(seconds) seconds" : "before the end"
                throw ApusProgram.Trouble(description: "no '\(wanted)' \(why); there was: \(rest) \(errors)")
            }
            Thread.sleep(forTimeInterval: 0.02)
        }
    }

    /// Types a line.
    package func send(_ line: String) throws {
        try input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
    }

    /// Types a line for a shell; what it printed, once it is done.
    package func shell(_ line: String, seconds: Double = 400) throws -> String {
        // The terminal echoes what is typed: only the shell makes 42 of this.
        try send(line + "; echo done=$((6 * 7))")
        let printed = try expect("done=42", seconds: seconds)
        return printed.components(separatedBy: "done=$((6 * 7))").last ?? ""
    }

    package func raise(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Waits for the end; the exit status, negative for a signal.
    package func end(seconds: Double = 300) throws -> Int32 {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while process.isRunning, Date() < deadline { Thread.sleep(forTimeInterval: 0.02) }
        guard !process.isRunning else {
            throw ApusProgram.Trouble(description: "still running after \(seconds) seconds: \(text("out")) \(errors)")
        }
        return process.terminationReason == .uncaughtSignal ? -process.terminationStatus : process.terminationStatus
    }
}

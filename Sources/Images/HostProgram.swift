// SPDX-License-Identifier: Apache-2.0
import Subprocess
import SystemPackage

/// A program of the host, run without a shell, with bounded output.
struct HostProgram {
    /// Looked for on PATH, then in the system's folders, which an ordinary user's PATH may lack.
    let name: String
    /// The Debian package that has it, for the error when it is missing.
    let package: String

    private enum Limit {
        static let output = 16 << 20
        static let line = 64 * 1024
        static let errorLines = 12
    }

    /// How a run ended.
    struct Outcome {
        let succeeded: Bool
        /// "exited with status 1", "was ended by signal 9".
        let status: String
        /// The last lines of standard error.
        let errorLines: [String]
    }

    /// Runs the program and returns its standard output. A failure of the program is an error with the end of what it
    /// said.
    func output(_ arguments: [String], in folder: FilePath? = nil) async throws(ImageError) -> String {
        var text = ""
        let outcome = try await run(arguments, in: folder) { line in
            if text.utf8.count < Limit.output { text += line + "\n" }
        }
        try check(outcome)
        return text
    }

    func check(_ outcome: Outcome) throws(ImageError) {
        guard !outcome.succeeded else { return }
        let detail = outcome.errorLines.suffix(3).joined(separator: "; ")
        throw .programFailed(program: name, status: outcome.status, detail: detail)
    }

    /// Runs the program; `onLine` hears each line of its standard output. Cancelling the task ends the program.
    func run(
        _ arguments: [String], in folder: FilePath? = nil, onLine: (String) -> Void
    ) async throws(ImageError) -> Outcome {
        var options = PlatformOptions()
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(2))]
        do {
            let result = try await Subprocess.run(
                .path(try locate()), arguments: Arguments(arguments),
                environment: .inherit.updating(["LC_ALL": "C"]), workingDirectory: folder, platformOptions: options,
                input: .none, output: .sequence, error: .sequence
            ) { execution in
                async let errorLines = Self.lastLines(of: execution.standardError)
                let lines = execution.standardOutput.strings(bufferingPolicy: .maxLineLength(Limit.line))
                for try await line in lines { onLine(Self.trimmed(line)) }
                return try await errorLines
            }
            let status =
                switch result.terminationStatus {
                case .exited(let code): "exited with status \(code)"
                case .signaled(let signal): "was ended by signal \(signal)"
                }
            return Outcome(
                succeeded: result.terminationStatus.isSuccess, status: status, errorLines: result.closureResult)
        } catch let error as ImageError {
            throw error
        } catch {
            throw .programFailed(program: name, status: "could not be run", detail: "\(error)")
        }
    }

    private func locate() throws(ImageError) -> FilePath {
        let path = Files.environment("PATH") ?? ""
        let folders =
            path.split(separator: ":").map(String.init) + ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin"]
        for folder in folders where folder.hasPrefix("/") {
            let candidate = FilePath(folder).appending(name)
            if Files.isExecutable(candidate) { return candidate }
        }
        throw .missingOnHost(what: "the program \(name)", package: package)
    }

    private static func lastLines(of stream: SubprocessOutputSequence) async throws -> [String] {
        var lines: [String] = []
        for try await line in stream.strings(bufferingPolicy: .maxLineLength(Limit.line)) {
            let text = trimmed(line)
            if text.isEmpty { continue }
            lines.append(text)
            if lines.count > Limit.errorLines { lines.removeFirst() }
        }
        return lines
    }

    private static func trimmed(_ line: String) -> String {
        var text = Substring(line)
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Programs of the host that tests compare with: Debian's cross tools and QEMU's user mode, as black boxes.
package enum HostProgram {
    /// Why a program gave no output.
    package struct Failure: Error, CustomStringConvertible {
        package var description: String

        package init(description: String) { self.description = description }
    }

    package static let assembler = "riscv64-linux-gnu-as"
    package static let disassembler = "riscv64-linux-gnu-objdump"
    package static let compiler = "riscv64-linux-gnu-gcc"
    package static let emulator = "qemu-riscv64"

    /// Whether all are on PATH.
    package static func exist(_ names: String...) -> Bool { names.allSatisfy { path(of: $0) != nil } }

    /// Where a program is, or nil where it is not on PATH.
    package static func path(of name: String) -> URL? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
            .map { URL(filePath: String($0)).appending(path: name) }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }

    /// Runs `name` in `folder` on `input` and returns its output, through files: a pipe could fill up on either side.
    @discardableResult
    package static func run(
        _ name: String, _ arguments: [String], in folder: TestFolder, input: Data = Data()
    ) throws -> Data {
        guard let path = path(of: name) else { throw Failure(description: "\(name) is not on PATH") }
        let (stdin, stdout) = (try folder.write(input, to: "stdin"), try folder.write(Data(), to: "stdout"))
        let stderr = try folder.write(Data(), to: "stderr")
        let process = Process()
        process.executableURL = path
        process.arguments = arguments
        process.currentDirectoryURL = folder.url
        process.standardInput = try FileHandle(forReadingFrom: stdin)
        process.standardOutput = try FileHandle(forWritingTo: stdout)
        process.standardError = try FileHandle(forWritingTo: stderr)
        try process.run()
        process.waitUntilExit()
        guard process.terminationReason == .exit && process.terminationStatus == 0 else {
            let messages = String(decoding: try Data(contentsOf: stderr).prefix(2000), as: UTF8.self)
            throw Failure(description: "\(name) ended with status \(process.terminationStatus): \(messages)")
        }
        return try Data(contentsOf: stdout)
    }
}

/// A folder for a test's files, gone with it.
package final class TestFolder {
    package let url: URL

    package init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "apus-oracle-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    @discardableResult
    package func write(_ data: Data, to name: String) throws -> URL {
        let file = url.appending(path: name)
        try data.write(to: file)
        return file
    }
}

/// Whether the long forms of the comparisons run.
package let isConformanceRun = ProcessInfo.processInfo.environment["APUS_CONFORMANCE"] == "1"

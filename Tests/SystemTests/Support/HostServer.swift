// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProgramSupport

/// An HTTP server on the host's loopback, for one folder.
final class HostServer {
    static let python = "/usr/bin/python3"

    let port: Int
    private let process = Process()
    private let log = Pipe()

    init(folder: URL) throws {
        process.executableURL = URL(fileURLWithPath: HostServer.python)
        process.arguments = ["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", folder.path]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = log
        process.standardError = FileHandle.nullDevice
        try process.run()
        // "Serving HTTP on 127.0.0.1 port 40123 (…"
        let line = String(decoding: log.fileHandleForReading.availableData, as: UTF8.self)
        let words = line.split(separator: " ")
        guard let word = words.firstIndex(of: "port"), word + 1 < words.count, let port = Int(words[word + 1]) else {
            process.terminate()
            throw ApusProgram.Trouble(description: "python's HTTP server says '\(line)' instead of its port")
        }
        self.port = port
    }

    deinit { process.terminate() }
}

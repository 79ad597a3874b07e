// SPDX-License-Identifier: Apache-2.0

import Host
import SystemPackage

/// The process's own stdin, stdout and stderr.
public enum StandardStreams {
    /// Opens the null device where one of the three is closed, so that no file that is opened later takes its number,
    /// and makes a write to a closed pipe an error instead of the process's end. Called first of all.
    public static func secure() {
        SignalSource.ignoreBrokenPipes()
        // The lowest free number is taken, so it is the closed one. Only for reading, also as stdout: what is written
        // there must fail, not vanish.
        while let descriptor = try? FileDescriptor.open(FilePath("/dev/null"), .readOnly) {
            if descriptor.rawValue > 2 {
                try? descriptor.close()
                return
            }
        }
    }

    /// Whether stderr is a terminal.
    public static var isErrorTerminal: Bool { Terminal(.standardError) != nil }

    /// Whether stdout is a terminal.
    public static var isOutputTerminal: Bool { Terminal(.standardOutput) != nil }

    /// Puts the null device in the place of stdin: what others wrote there is left to others.
    public static func closeInput() {
        guard let null = try? FileDescriptor.open(FilePath("/dev/null"), .readOnly) else { return }
        _ = try? null.duplicate(as: .standardInput)
        try? null.close()
    }

    /// Writes bytes to stdout; false where nobody takes them.
    public static func writeOutput(_ bytes: [UInt8]) -> Bool {
        (try? FileDescriptor.standardOutput.writeAll(bytes)) != nil
    }

    /// Writes to stdout; what cannot be written is lost, and a command that prints a report says so by its status.
    @discardableResult
    public static func writeOutput(_ text: String) -> Bool { write(text, to: .standardOutput) }

    /// Writes to stderr; where that fails there is nobody to tell.
    public static func writeError(_ text: String) { _ = write(text, to: .standardError) }

    private static func write(_ text: String, to descriptor: FileDescriptor) -> Bool {
        do {
            try descriptor.writeAll(text.utf8)
            return true
        } catch {
            return false
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

/// The monitor's one-line editor on a raw terminal: what to echo, and the lines that were ended.
struct MonitorLine: Sendable {
    /// What a key did.
    enum Outcome: Equatable {
        /// Write these bytes to the terminal.
        case echo([UInt8])
        /// The line was ended.
        case line(String)
        /// `Ctrl-D` on an empty line: leave the monitor.
        case leave
    }

    /// The longest line; what goes past it is not taken.
    static let limit = 256
    static let prompt = "(apus) "

    private var line: [UInt8] = []

    /// Takes what was typed.
    mutating func take(_ bytes: [UInt8]) -> [Outcome] { bytes.compactMap { take($0) } }

    private mutating func take(_ byte: UInt8) -> Outcome? {
        switch byte {
        case 0x0D, 0x0A:  // Enter
            defer { line = [] }
            return .line(String(decoding: line, as: UTF8.self))
        case 0x08, 0x7F:  // Backspace
            guard !line.isEmpty else { return nil }
            line.removeLast()
            return .echo(Array("\u{8} \u{8}".utf8))
        case 0x15, 0x03:  // Ctrl-U, Ctrl-C: start over
            defer { line = [] }
            return .echo(Array(String(repeating: "\u{8} \u{8}", count: line.count).utf8))
        case 0x04: return line.isEmpty ? .leave : nil
        case 0x20..<0x7F:
            guard line.count < MonitorLine.limit else { return nil }
            line.append(byte)
            return .echo([byte])
        default: return nil
        }
    }
}

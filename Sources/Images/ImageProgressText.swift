// SPDX-License-Identifier: Apache-2.0

/// Progress as text for a person: on a terminal one line a step that counts up in its place, elsewhere plain lines.
public struct ImageProgressText: Sendable {
    private let isTerminal: Bool
    private var title = ""
    private var shownPercent: Int64 = -1

    /// - Parameter isTerminal: whether the text goes to a terminal that understands a carriage return.
    public init(isTerminal: Bool) {
        self.isTerminal = isTerminal
    }

    /// The text to write for `event`, with its line end where it has one; empty where nothing new is to be seen.
    public mutating func text(for event: ImageProgress) -> String {
        switch event {
        case .step(let number, let count, let title):
            let end = endOfLine()
            self.title = "[\(number)/\(count)] \(title)"
            return end + (isTerminal ? self.title : "\(self.title)\n")
        case .bytes(let done, let total):
            guard isTerminal, let total, total > 0 else { return "" }
            let percent = min(max(done, 0), total) * 100 / total
            guard percent != shownPercent else { return "" }
            shownPercent = percent
            return "\r\(title): \(percent)%"
        case .waiting(let name):
            return endOfLine() + "another process is building \(name); waiting for it\n"
        case .notice(let text):
            return endOfLine() + "note: \(text)\n"
        case .finished:
            return endOfLine()
        }
    }

    /// Ends a step's line on a terminal.
    private mutating func endOfLine() -> String {
        defer { (title, shownPercent) = ("", -1) }
        return isTerminal && !title.isEmpty ? "\n" : ""
    }
}

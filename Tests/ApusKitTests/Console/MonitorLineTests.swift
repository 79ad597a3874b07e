// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusKit

@Suite("Monitor line")
struct MonitorLineTests {
    private func lines(_ typed: String) -> [String] {
        var editor = MonitorLine()
        return editor.take(Array(typed.utf8)).compactMap { if case .line(let line) = $0 { line } else { nil } }
    }

    @Test(
        "Enter ends a line, Backspace and Ctrl-U take back",
        arguments: [
            ("status\r", ["status"]), ("status\n", ["status"]), ("statux\u{7F}s\r", ["status"]),
            ("nonsense\u{15}quit\r", ["quit"]), ("nonsense\u{3}quit\r", ["quit"]), ("\u{7F}\u{7F}x\r", ["x"]),
            ("a\rb\r", ["a", "b"]), ("\u{1B}x\r", ["x"]), ("quit", []),
        ])
    func editing(_ typed: String, _ expected: [String]) {
        #expect(lines(typed) == expected)
    }

    @Test("a line past the limit is cut")
    func limit() {
        let long = String(repeating: "a", count: 3 * MonitorLine.limit)
        #expect(lines(long + "\r") == [String(repeating: "a", count: MonitorLine.limit)])
    }

    @Test("Ctrl-D leaves on an empty line only")
    func leave() {
        var editor = MonitorLine()
        #expect(editor.take([4]) == [.leave])
        #expect(editor.take([0x61, 4]) == [.echo([0x61])])
    }
}

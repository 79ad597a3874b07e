// SPDX-License-Identifier: Apache-2.0

import ApusKit
import Testing

@Suite("Console escapes")
struct ConsoleEscapeTests {
    private func inputs(_ pieces: [String]) -> [ConsoleEscape.Input] {
        var escape = ConsoleEscape()
        return pieces.flatMap { escape.take(Array($0.utf8)) }
    }

    @Test(
        "what is typed is for the guest, but for Ctrl-A and the letter after it",
        arguments: [
            (["ls\r"], [ConsoleEscape.Input.guest(Array("ls\r".utf8))]),
            (["\u{1}x"], [.quit]),
            (["\u{1}X"], [.quit]),
            (["\u{1}c"], [.monitor]),
            (["\u{1}h"], [.help]),
            (["\u{1}?"], [.help]),
            (["\u{1}\u{1}"], [.guest([1])]),
            (["a\u{1}cb"], [.guest([0x61]), .monitor, .guest([0x62])]),
            (["\u{1}", "x"], [.quit]),
            (["a\u{1}", "\u{1}b"], [.guest([0x61]), .guest([1, 0x62])]),
            (["\u{1}"], []),
            ([""], []),
        ])
    func escapes(_ pieces: [String], _ expected: [ConsoleEscape.Input]) {
        #expect(inputs(pieces) == expected)
    }

    @Test("bytes above ASCII reach the guest as they are")
    func bytes() {
        var escape = ConsoleEscape()
        let all = (UInt8.min...UInt8.max).filter { $0 != ConsoleEscape.prefix }
        #expect(escape.take(all) == [.guest(all)])
    }
}

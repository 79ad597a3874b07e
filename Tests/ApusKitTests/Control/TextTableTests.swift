// SPDX-License-Identifier: Apache-2.0

import ApusKit
import Testing

@Suite("Text tables")
struct TextTableTests {
    @Test("columns are as wide as their widest cell, lines end without blanks")
    func columns() {
        let table = TextTable([["a", "bb", ""], ["ccc", "d"]], header: ["x", "y"])
        #expect(table.text == "x    y\na    bb\nccc  d\n")
    }

    @Test("no rows make no text")
    func empty() {
        #expect(TextTable([]).text.isEmpty)
    }
}

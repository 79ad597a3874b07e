// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import ApusKit

@Suite("GuestName and GuestIdentifier")
struct GuestNameTests {
    @Test(
        "letters, digits and some marks make a name", arguments: ["a", "web-1", "A.b_c", "0", "abcdef01234", "9-lives"])
    func valid(_ text: String) throws {
        #expect(try GuestName(parsing: text).rawValue == text)
    }

    @Test(
        "what could be a path, an option, an ID or nothing is no name",
        arguments: [
            "", ".", "..", ".hidden", "-x", "a/b", "a b", "ü", "a\n", "0123456789ab", String(repeating: "a", count: 64),
        ])
    func invalid(_ text: String) {
        #expect(throws: VirtualMachineError.self) { _ = try GuestName(parsing: text) }
        #expect(GuestName(rawValue: text) == nil)
    }

    @Test("an identifier is 12 lower-case hexadecimal digits, another one each time")
    func identifier() {
        let made = (0..<100).map { _ in GuestIdentifier.random() }
        #expect(Set(made).count == 100)
        #expect(made.allSatisfy { GuestIdentifier(rawValue: $0.rawValue) == $0 })
        #expect(GuestIdentifier(rawValue: "0123456789AB") == nil)
        #expect(GuestIdentifier(rawValue: "0123456789abc") == nil)
    }

    @Test("a record reads back as it was written, and a bad name in one does not pass")
    func coding() throws {
        let record = GuestRecord(name: try GuestName(parsing: "web"), image: "debian-micro", isDetached: true)
        let text = JSONText.encode(record)
        #expect(try JSONDecoder().decode(GuestRecord.self, from: Data(text.utf8)) == record)
        let bad = text.replacingOccurrences(of: "\"web\"", with: "\"../web\"")
        #expect(throws: (any Error).self) { try JSONDecoder().decode(GuestRecord.self, from: Data(bad.utf8)) }
    }
}

// SPDX-License-Identifier: Apache-2.0
import Images
import Testing

@Suite("ImageProgressText")
struct ImageProgressTextTests {
    private static let story: [ImageProgress] = [
        .waiting(name: "debian-micro"), .step(number: 1, count: 2, title: "download"), .bytes(done: 0, total: 200),
        .bytes(done: 1, total: 200), .bytes(done: 100, total: 200), .bytes(done: 500, total: 200),
        .bytes(done: 5, total: nil), .bytes(done: 5, total: 0), .step(number: 2, count: 2, title: "pack"),
        .notice("a socket is left out"), .finished,
    ]

    private func tell(isTerminal: Bool) -> String {
        var text = ImageProgressText(isTerminal: isTerminal)
        return Self.story.map { text.text(for: $0) }.joined()
    }

    @Test("counts in place on a terminal")
    func terminal() {
        #expect(
            tell(isTerminal: true)
                == "another process is building debian-micro; waiting for it\n"
                + "[1/2] download\r[1/2] download: 0%\r[1/2] download: 50%\r[1/2] download: 100%\n"
                + "[2/2] pack\nnote: a socket is left out\n")
    }

    @Test("writes plain lines elsewhere")
    func plain() {
        #expect(
            tell(isTerminal: false)
                == "another process is building debian-micro; waiting for it\n[1/2] download\n[2/2] pack\n"
                + "note: a socket is left out\n")
    }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProgramSupport
import Testing

/// The manual pages, as `make install` makes them from the parser.
@Suite("Manual pages", .enabled(if: HostTool.exist("python3", "mandoc", "groff"), "needs python3, mandoc and groff"))
struct ManualTests {
    private let scratch: Scratch
    private let pages: [String]

    init() throws {
        scratch = try Scratch()
        let generator = HostTool.repository.appending(path: "Scripts/manual/manual.py").path
        let made = try HostTool.run("python3", [generator, ApusProgram.path, scratch.url("").path])
        try #require(made.status == 0, "\(made.errors)")
        pages = made.output.split(separator: "\n").map(String.init)
    }

    @Test("each command has a page, and what is hidden has none")
    func commands() throws {
        #expect(
            Set(pages).isSuperset(of: ["apus.1", "apus-run.1", "apus-image.1", "apus-image-build.1", "apus-host.1"]))
        #expect(!pages.contains { $0.contains("help") || $0.contains("machine") })
    }

    @Test("mandoc has no warning about any page")
    func mandoc() throws {
        let files = pages.map { scratch.url($0).path }
        let checked = try HostTool.run("mandoc", ["-T", "lint", "-W", "warning"] + files)
        #expect(checked.output == "")
        #expect(checked.status == 0)
    }

    @Test("groff has no warning about any page")
    func groff() throws {
        let checked = try HostTool.run("groff", ["-mdoc", "-ww", "-z", "-Tutf8"] + pages.map { scratch.url($0).path })
        #expect(checked.errors == "")
        #expect(checked.status == 0)
    }

    @Test("a page has the options, defaults and examples of the parser's help")
    func content() throws {
        let shown = try HostTool.run("mandoc", ["-T", "ascii", scratch.url("apus-run.1").path]).output
        // Bold and underlined characters are typed twice, with a backspace between.
        let text = shown.replacing(/.\x08/, with: "")
        #expect(text.contains("-m, --memory size"))
        #expect(text.contains("Default: 1G."))
        #expect(text.contains("apus run debian-micro -- sh -c 'cat; exit 7' <input"))
    }
}

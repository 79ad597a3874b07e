// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProgramSupport
import Testing

/// The completions that `make install` takes from the parser.
@Suite("Completions")
struct CompletionTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func script(for shell: String) throws -> String {
        let made = try ApusProgram.run(["--generate-completion-script", shell])
        return try scratch.file("completion.\(shell)", made.output)
    }

    @Test("each shell can read its script", arguments: ["bash", "zsh", "fish"].filter { HostTool.exist($0) })
    func syntax(_ shell: String) throws {
        let checked = try HostTool.run(shell, ["-n", try script(for: shell)])
        #expect(checked.errors == "")
        #expect(checked.status == 0)
    }

    @Test(
        "bash completes commands and options",
        arguments: [("apus ho", "host"), ("apus run --mem", "--memory"), ("apus image bu", "build")])
    func bash(_ line: String, _ expected: String) throws {
        let program = """
            . "$1"; read -ra COMP_WORDS <<<"$2"; COMP_LINE=$2 COMP_POINT=${#2} COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            COMP_TYPE=9 COMP_KEY=9; _apus apus "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let said = try HostTool.run("bash", ["-c", program, "bash", try script(for: "bash"), line])
        #expect(said.output.split(whereSeparator: \.isWhitespace).contains { $0 == expected }, "\(said.errors)")
    }
}

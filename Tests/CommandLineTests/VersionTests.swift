// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProgramSupport
import Testing

/// `apus --version`.
@Suite("Version")
struct VersionTests {
    /// What the scripts passed to the build, where they ran these tests too.
    private static let commit = ProcessInfo.processInfo.environment["APUS_COMMIT"] ?? ""

    @Test("--version is one line: the name, the number and at most the commit")
    func form() throws {
        let outcome = try ApusProgram.run(["--version"])
        #expect(outcome.status == 0)
        #expect(outcome.text.wholeMatch(of: /apus \d+\.\d+\.\d+( \([0-9a-f]{7,40}(\+dirty)?\))?\n/) != nil)
    }

    @Test("a build of the scripts names the commit", .enabled(if: !commit.isEmpty, "not run by Scripts/test.sh"))
    func commitIsNamed() throws {
        #expect(try ApusProgram.run(["--version"]).text.hasSuffix(" (\(Self.commit))\n"))
    }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProgramSupport
import Testing

@Suite("apus host and apus image list")
struct HostTests {
    @Test("host says where the hypervisor stands and what runs guests")
    func text() throws {
        let outcome = try ApusProgram.run(["host"])
        #expect(outcome.text.contains("type 2 (hosted) on Linux"))
        #expect(outcome.text.contains("engines interpreter"))
        #expect(outcome.status == 0)
    }

    @Test("host --json is an object with the same facts")
    func json() throws {
        let outcome = try ApusProgram.run(["host", "--json"])
        let report = try JSONSerialization.jsonObject(with: outcome.output) as? [String: Any]
        #expect(report?["kind"] as? String == "type 2 (hosted)")
        #expect((report?["cores"] as? Int ?? 0) >= 1)
        let offers = report?["offers"] as? [[String: Any]]
        #expect(offers?.first?["engines"] as? [String] == ["interpreter"])
    }

    @Test("an empty library lists what can be built")
    func images() throws {
        let scratch = try Scratch()
        let outcome = try ApusProgram.run(["image", "list"], environment: ["APUS_HOME": scratch.folder.path])
        #expect(outcome.text.contains("debian-micro  riscv64   can be built"))
    }

    @Test("an image that is not built cannot be removed")
    func remove() throws {
        let scratch = try Scratch()
        let outcome = try ApusProgram.run(
            ["image", "remove", "debian-micro"], environment: ["APUS_HOME": scratch.folder.path])
        #expect(outcome.errors == "apus: image 'debian-micro' for riscv64 is not built; no image is\n")
        #expect(outcome.status == 125)
    }
}

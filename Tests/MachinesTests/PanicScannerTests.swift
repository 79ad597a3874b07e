// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Machines

@Suite struct PanicScannerTests {
    private static let report = "[    1.0] Kernel panic - not syncing: VFS: no root\r\nCPU: 0\n"

    private static func scan(_ text: String, pieces: Int) -> [PanicScanner.Finding] {
        var scanner = PanicScanner()
        let bytes = Array(text.utf8)
        return stride(from: 0, to: bytes.count, by: pieces).flatMap { start in
            scanner.scan(Array(bytes[start..<min(start + pieces, bytes.count)]))
        }
    }

    @Test("the line is found whatever pieces it comes in", arguments: [1, 2, 3, 7, 31, 1000])
    func pieces(size: Int) {
        #expect(Self.scan(Self.report, pieces: size) == [.panic("Kernel panic - not syncing: VFS: no root")])
    }

    @Test("the report's end is told apart")
    func end() {
        #expect(Self.scan("---[ end Kernel panic - not syncing: VFS ]---\n", pieces: 5) == [.end])
    }

    @Test(
        "other text is no crash",
        arguments: [
            "Kernel panic\n", "kernel panic - not syncing\n", "Kernel panic -\nnot syncing\n",
            "Kernel panic - not syncing",
        ])
    func nothing(text: String) { #expect(Self.scan(text, pieces: 4) == []) }

    @Test("a line without end takes no memory and hides nothing after it")
    func longLine() {
        var scanner = PanicScanner()
        let findings = (0..<100).flatMap { _ in scanner.scan([UInt8](repeating: 0x41, count: 4096)) }
        #expect(findings == [])
        #expect(
            scanner.scan(Array("\nKernel panic - not syncing: x\n".utf8)) == [.panic("Kernel panic - not syncing: x")])
    }
}

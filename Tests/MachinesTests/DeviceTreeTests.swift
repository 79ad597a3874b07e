// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Machines

@Suite struct DeviceTreeTests {
    private static let boot = VirtDeviceTree.Boot(
        commandLine: "console=ttyS0 quiet", initrd: BootPlan.Span(start: 0x8800_0000, size: 0x1234),
        randomSeed: [UInt8](0..<32), layoutSeed: [UInt8](1...8))

    private static func board(harts: Int = 2, pci: Bool = true, machineMode: Bool = true) -> VirtDeviceTree.Board {
        VirtDeviceTree.Board(harts: harts, memorySize: 1 << 30, hasPCI: pci, showsMachineMode: machineMode)
    }

    @Test("a small tree has exactly the bytes of the specification (DTSpec 0.4 chapter 5)")
    func golden() {
        let blob = FDTNode("") { root in
            root.set("a", cells: 1)
            root.node("b") { $0.set(flag: "a") }
        }.flattened(bootHart: 3)
        let words: [UInt32] = [
            0xD00D_FEED, 114, 56, 112, 40, 17, 16, 3, 2, 56,
            0, 0, 0, 0,
            1, 0, 3, 4, 0, 1, 1, 0x6200_0000, 3, 0, 0, 2, 2, 9,
        ]
        let expected = words.flatMap { word in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) } }
        #expect(blob == expected + Array("a\0".utf8))
    }

    @Test("its size does not depend on the seeds, nor on where the initrd lies")
    func stableSize() {
        let tree = VirtDeviceTree(board: Self.board())
        var other = Self.boot
        other.initrd = BootPlan.Span(start: 0xFFFF_F000, size: 1)
        other.randomSeed = [UInt8](repeating: 0, count: 32)
        #expect(tree.flattened(Self.boot).count == tree.flattened(other).count)
    }

    @Test(
        "the device tree compiler reads it without a warning",
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/dtc"), "device-tree-compiler is missing"),
        arguments: [
            board(), board(harts: 1), board(harts: 16), board(pci: false), board(machineMode: false),
        ])
    func compiles(board: VirtDeviceTree.Board) throws {
        let result = try Self.decompile(VirtDeviceTree(board: board).flattened(Self.boot))
        #expect(result.warnings == "")
        #expect(result.source.contains("bootargs = \"console=ttyS0 quiet\""))
        #expect(result.source.contains("linux,initrd-end = <0x00 0x88001234>"))
        #expect(result.source.contains("clint@2000000") == board.showsMachineMode)
        #expect(result.source.contains("pci@30000000") == board.hasPCI)
        #expect(result.source.components(separatedBy: "riscv,cpu-intc").count - 1 == board.harts)
    }

    private static func decompile(_ blob: [UInt8]) throws -> (source: String, warnings: String) {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("apus-\(UUID().uuidString).dtb")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(blob).write(to: file)
        let process = Process()
        let output = Pipe()
        let errors = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/dtc")
        process.arguments = ["-I", "dtb", "-O", "dts", file.path]
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let source = try output.fileHandleForReading.readToEnd() ?? Data()
        let warnings = try errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (String(decoding: source, as: UTF8.self), String(decoding: warnings, as: UTF8.self))
    }
}

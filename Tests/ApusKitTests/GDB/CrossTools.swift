// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The cross compiler and the debugger of the host, and a folder for what they make.
final class CrossTools: Sendable {
    struct Trouble: Error, CustomStringConvertible {
        var description: String
    }

    private static let compiler = "/usr/bin/riscv64-linux-gnu-gcc"
    private static let debugger = "/usr/bin/gdb-multiarch"

    static var areThere: Bool {
        [compiler, debugger].allSatisfy { FileManager.default.isExecutableFile(atPath: $0) }
    }

    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "apus-gdb-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// Compiles `source` for the bare machine, with symbols; the program's path.
    func compile(_ source: String) throws -> String {
        let input = folder.appending(path: "program.c")
        let output = folder.appending(path: "program.elf")
        try Data(source.utf8).write(to: input)
        let layout = folder.appending(path: "layout.ld")
        try Data(
            """
            SECTIONS {
              . = 0x80000000;
              .text : { *(.text.start) *(.text*) }
              .data : { *(.rodata* .srodata*) *(.data* .sdata*) }
              .bss : { *(.bss* .sbss*) }
            }
            """.utf8
        ).write(to: layout)
        let said = try run(
            Self.compiler,
            [
                "-g", "-O1", "-fno-omit-frame-pointer", "-ffreestanding", "-nostdlib", "-static", "-fno-pic", "-no-pie",
                "-mcmodel=medany", "-Wl,--build-id=none", "-Wl,-n", "-Wl,-T,\(layout.path)", input.path, "-o",
                output.path,
            ])
        guard FileManager.default.fileExists(atPath: output.path) else { throw Trouble(description: said) }
        return output.path
    }

    /// Runs the debugger's commands, one after the other; what it said.
    func debug(_ program: String, _ commands: [String]) async throws -> String {
        let settings = [
            "set pagination off", "set confirm off", "set remotetimeout 60", "set print thread-events off",
            "set print entry-values no",
        ]
        // Command by command, so that one that fails does not end the rest.
        let arguments = ["-q", "-nx", "-batch", program] + (settings + commands).flatMap { ["-ex", $0] }
        // On a thread of its own: tasks share few, and the machine's need theirs.
        return try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try self.run(Self.debugger, arguments) }) }
        }
    }

    private func run(_ program: String, _ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        let said = folder.appending(path: UUID().uuidString)
        try Data().write(to: said)
        let output = try FileHandle(forWritingTo: said)
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return String(decoding: try Data(contentsOf: said), as: UTF8.self)
    }
}

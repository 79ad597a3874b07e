// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Programs of the host that tests compare with: Debian's cross tools and QEMU's user mode, as black boxes.
enum HostProgram {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    static let assembler = "riscv64-linux-gnu-as"
    static let disassembler = "riscv64-linux-gnu-objdump"
    static let compiler = "riscv64-linux-gnu-gcc"
    static let emulator = "qemu-riscv64"

    static func exist(_ names: String...) -> Bool { names.allSatisfy { path(of: $0) != nil } }

    static func path(of name: String) -> URL? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
            .map { URL(filePath: String($0)).appending(path: name) }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }

    /// Runs `name` in `folder` on `input` and returns its output, through files: a pipe could fill up on either side.
    @discardableResult
    static func run(_ name: String, _ arguments: [String], in folder: TestFolder, input: Data = Data()) throws -> Data {
        guard let path = path(of: name) else { throw Failure(description: "\(name) is not on PATH") }
        let (stdin, stdout) = (try folder.write(input, to: "stdin"), try folder.write(Data(), to: "stdout"))
        let stderr = try folder.write(Data(), to: "stderr")
        let process = Process()
        process.executableURL = path
        process.arguments = arguments
        process.currentDirectoryURL = folder.url
        process.standardInput = try FileHandle(forReadingFrom: stdin)
        process.standardOutput = try FileHandle(forWritingTo: stdout)
        process.standardError = try FileHandle(forWritingTo: stderr)
        try process.run()
        process.waitUntilExit()
        guard process.terminationReason == .exit && process.terminationStatus == 0 else {
            let messages = String(decoding: try Data(contentsOf: stderr).prefix(2000), as: UTF8.self)
            throw Failure(description: "\(name) ended with status \(process.terminationStatus): \(messages)")
        }
        return try Data(contentsOf: stdout)
    }

    /// All that binutils 2.40 knows of what the tables have.
    static let architecture = "rv64gc_zba_zbb_zbc_zbs_zfh_zicbom_zicboz_svinval_zawrs_zihintpause"

    /// objdump's text of each 4 bytes of `words`, the first at address 0, in the assembler's short forms: RV64GC only.
    static func disassemble(raw words: [UInt32], in folder: TestFolder) throws -> [String] {
        try folder.write(words.withUnsafeBytes { Data($0) }, to: "code.bin")
        let arguments = ["-D", "-z", "-b", "binary", "-m", "riscv:rv64", "code.bin"]
        return texts(try run(disassembler, arguments, in: folder), count: words.count)
    }

    /// objdump's text of each of `words`, 32-bit instructions of any extension, in their long forms.
    static func disassemble(_ words: [UInt32], in folder: TestFolder) throws -> [String] {
        let source = words.map { ".insn 0x" + String($0, radix: 16) + "\n" }.joined()
        try folder.write(Data(source.utf8), to: "list.s")
        try run(assembler, ["-march=" + architecture, "list.s", "-o", "list.o"], in: folder)
        let listing = try run(disassembler, ["-d", "-z", "-M", "no-aliases", "list.o"], in: folder)
        return texts(listing, count: words.count)
    }

    private static func texts(_ listing: Data, count: Int) -> [String] {
        var texts = [String](repeating: "", count: count)
        for line in String(decoding: listing, as: UTF8.self).split(separator: "\n") {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
            let place = line.drop { $0 == " " }.prefix { $0.isHexDigit }
            guard fields.count > 2, let address = Int(place, radix: 16), address % 4 == 0 else { continue }
            let text = fields[2...].joined(separator: " ").split(separator: "#")[0].split(separator: "<")[0]
            texts[address / 4] = text.split(separator: " ").joined(separator: " ")
        }
        return texts
    }
}

/// A folder for a test's files, gone with it.
final class TestFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "riscv64-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    @discardableResult
    func write(_ data: Data, to name: String) throws -> URL {
        let file = url.appending(path: name)
        try data.write(to: file)
        return file
    }
}

/// Random numbers from a seed (SplitMix64), so that a failure can be seen again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}

/// Whether the long forms of the comparisons run.
let isConformanceRun = ProcessInfo.processInfo.environment["APUS_CONFORMANCE"] == "1"

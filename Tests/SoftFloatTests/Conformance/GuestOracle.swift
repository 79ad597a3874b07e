// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The guest program under `qemu-riscv64`: a black box that executes an instruction on operands.
struct GuestOracle: Sendable {
    /// An instruction's result and `fflags`.
    struct Answer {
        var result: UInt64
        var flags: UInt64
    }

    /// Why a run gave no answers.
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    private static let emulator = "qemu-riscv64"
    private static let compiler = "riscv64-linux-gnu-gcc"

    /// Whether this host has what the comparison needs.
    static let isAvailable = path(of: emulator) != nil && path(of: compiler) != nil

    /// The compiled guest and the emulator, set up once; throws a `Failure` that says what is missing.
    static let shared = Result { try GuestOracle() }

    private let emulator: URL
    private let program: URL
    private let processor: String

    private init() throws {
        guard let emulator = Self.path(of: Self.emulator), let compiler = Self.path(of: Self.compiler) else {
            throw Failure(description: "\(Self.emulator) or \(Self.compiler) is not on PATH")
        }
        let source = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Guest/float_oracle.c")
        let program = try Self.temporaryFile("oracle")
        let options = ["-O2", "-static", "-nostdlib", "-ffreestanding", "-march=rv64gc_zfh", "-mabi=lp64d"]
        try Self.run(compiler, options + ["-o", program.path, source.path])
        // The property's spelling changed with QEMU 8.
        let spellings = ["rv64,zfh=true", "rv64,Zfh=true"]
        let probe = Self.request("fadd.h", rounding: 0, [Operands()])
        let works = { (try? Self.run(emulator, ["-cpu", $0, program.path], probe)) != nil }
        guard let spelling = spellings.first(where: works) else {
            throw Failure(description: "\(Self.emulator) executes Zfh with none of \(spellings)")
        }
        (self.emulator, self.program, processor) = (emulator, program, spelling)
    }

    /// The answers for the operands, in their order.
    func answers(_ name: String, rounding: UInt8, _ operands: [Operands]) throws -> [Answer] {
        let request = Self.request(name, rounding: rounding, operands)
        let reply = try Self.run(emulator, ["-cpu", processor, program.path], request)
        guard reply.count == 16 * operands.count else {
            throw Failure(description: "\(name): the guest answered \(reply.count) bytes for \(operands.count) records")
        }
        return reply.withUnsafeBytes { bytes in
            operands.indices.map {
                Answer(
                    result: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 16 * $0, as: UInt64.self)),
                    flags: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 16 * $0 + 8, as: UInt64.self)))
            }
        }
    }

    /// One batch in the format that `float_oracle.c` reads.
    private static func request(_ name: String, rounding: UInt8, _ operands: [Operands]) -> Data {
        var data = Data(name.utf8)
        data.append(Data(count: 16 - data.count))
        func append(_ values: [UInt64]) { values.withUnsafeBytes { data.append(contentsOf: $0) } }
        append([UInt64(rounding).littleEndian, UInt64(operands.count).littleEndian])
        append(operands.flatMap { [$0.a.littleEndian, $0.b.littleEndian, $0.c.littleEndian] })
        return data
    }

    /// Runs a program on `input` and returns its output. Both go through files: a pipe could fill up on either side.
    @discardableResult
    private static func run(_ executable: URL, _ arguments: [String], _ input: Data = Data()) throws -> Data {
        let (stdin, stdout) = (try temporaryFile("in"), try temporaryFile("out"))
        defer { for file in [stdin, stdout] { try? FileManager.default.removeItem(at: file) } }
        try input.write(to: stdin)
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.standardInput = try FileHandle(forReadingFrom: stdin)
        process.standardOutput = try FileHandle(forWritingTo: stdout)
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationReason == .exit && process.terminationStatus == 0 else {
            throw Failure(
                description: "\(executable.lastPathComponent) \(arguments.joined(separator: " ")) ended with status "
                    + "\(process.terminationStatus)")
        }
        return try Data(contentsOf: stdout)
    }

    private static func temporaryFile(_ kind: String) throws -> URL {
        let file = FileManager.default.temporaryDirectory.appending(path: "softfloat-\(kind)-\(UUID().uuidString)")
        guard FileManager.default.createFile(atPath: file.path, contents: nil) else {
            throw Failure(description: "cannot create \(file.path)")
        }
        return file
    }

    private static func path(of program: String) -> URL? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
            .map { URL(filePath: String($0)).appending(path: program) }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }
}

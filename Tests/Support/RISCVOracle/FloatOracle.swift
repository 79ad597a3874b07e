// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What an instruction reads: f0, f1 and f2 as they are, or the first as x register. Those that it lacks are ignored.
package struct Operands: Sendable {
    package var a: UInt64
    package var b: UInt64
    package var c: UInt64

    package init(a: UInt64 = 0, b: UInt64 = 0, c: UInt64 = 0) { (self.a, self.b, self.c) = (a, b, c) }
}

/// A guest program under `qemu-riscv64`: a black box that executes a floating-point instruction on operands.
package struct FloatOracle: Sendable {
    /// All of the result's register, and `fflags`.
    package struct Answer: Equatable, Sendable {
        package var result: UInt64
        package var flags: UInt64

        package init(result: UInt64, flags: UInt64) { (self.result, self.flags) = (result, flags) }
    }

    /// Whether this host has what the comparison needs.
    package static let isAvailable = HostProgram.exist(HostProgram.emulator, HostProgram.compiler)
    /// What to say where it has not.
    package static let remedy =
        "needs qemu-riscv64 and riscv64-linux-gnu-gcc (apt install qemu-user gcc-riscv64-linux-gnu)"

    /// The compiled guest and the emulator's options, set up once.
    package static let shared = Result { try FloatOracle() }

    private let program: Data
    private let processor: String

    private init() throws {
        let folder = try TestFolder()
        let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Guest/float_oracle.c")
        let options = ["-O2", "-static", "-nostdlib", "-ffreestanding", "-march=rv64gc_zfh", "-mabi=lp64d"]
        try HostProgram.run(HostProgram.compiler, options + ["-o", "oracle", source.path], in: folder)
        let program = try Data(contentsOf: folder.url.appending(path: "oracle"))
        // The property's spelling changed with QEMU 8.
        let spellings = ["rv64,zfh=true", "rv64,Zfh=true"]
        let probe = Self.request("fadd.h", rounding: 0, [Operands()])
        let works = { (try? Self.run(program, $0, probe)) != nil }
        guard let spelling = spellings.first(where: works) else {
            throw HostProgram.Failure(description: "\(HostProgram.emulator) executes Zfh with none of \(spellings)")
        }
        (self.program, processor) = (program, spelling)
    }

    /// The answers of the instruction `name` for the operands, in their order, with `rounding` in frm.
    package func answers(_ name: String, rounding: UInt8, _ operands: [Operands]) throws -> [Answer] {
        let reply = try Self.run(program, processor, Self.request(name, rounding: rounding, operands))
        guard reply.count == 16 * operands.count else {
            throw HostProgram.Failure(
                description: "\(name): the guest answered \(reply.count) bytes for \(operands.count) records")
        }
        return reply.withUnsafeBytes { bytes in
            operands.indices.map {
                Answer(
                    result: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 16 * $0, as: UInt64.self)),
                    flags: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 16 * $0 + 8, as: UInt64.self)))
            }
        }
    }

    /// Runs the guest in a folder of its own: tests run side by side.
    private static func run(_ program: Data, _ processor: String, _ request: Data) throws -> Data {
        let folder = try TestFolder()
        let file = try folder.write(program, to: "oracle")
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: file.path)
        return try HostProgram.run(HostProgram.emulator, ["-cpu", processor, file.path], in: folder, input: request)
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
}

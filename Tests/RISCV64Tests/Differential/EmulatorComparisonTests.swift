// SPDX-License-Identifier: Apache-2.0

import Foundation
import RISCVOracle
import Testing

@testable import RISCV64

/// Random blocks of instructions, run by the interpreter and by QEMU's user mode as a black box: all x and f registers,
/// fcsr and the memory must end alike.
@Suite("Interpreter beside QEMU")
struct EmulatorComparisonTests {
    private static let isAvailable = HostProgram.exist(HostProgram.emulator, HostProgram.compiler)
    private static let batches: UInt64 = isConformanceRun ? 100 : 2

    @Test(
        "random blocks leave the same state",
        .enabled(if: isAvailable, "qemu-riscv64 or riscv64-linux-gnu-gcc is not on PATH"),
        arguments: RandomBlock.Kind.allCases)
    func blocks(kind: RandomBlock.Kind) throws {
        let folder = try TestFolder()
        for seed in 1...Self.batches {
            var generator = SeededGenerator(seed: seed << 8 | UInt64(kind.rawValue))
            let blocks = (0..<200).map { _ in RandomBlock(kind, using: &generator) }
            let theirs = try GuestProgram(blocks, in: folder).run()
            let differences = zip(blocks, theirs).compactMap { block, state in
                block.run().difference(from: state).map { "seed \(seed): \($0) after\n\(block.listing)" }
            }
            #expect(differences.isEmpty, "\(differences.count) blocks, such as \(differences.first ?? "")")
        }
    }
}

/// What a block starts from and leaves: x1 to x29 (x30 and x31 point to this and to the memory), f0 to f31, fcsr, and
/// 64 double words of memory.
struct BlockState {
    static let words = 128
    /// Where the parts begin.
    static let f = 30
    static let fcsr = 62
    static let memory = 64

    /// All parts, in the order in which the guest program keeps them; x0 first.
    var values = [UInt64](repeating: 0, count: words)

    /// The first difference in words, or nil.
    func difference(from other: BlockState) -> String? {
        guard let index = values.indices.first(where: { values[$0] != other.values[$0] }) else { return nil }
        let name =
            index < Self.f
            ? "x\(index)"
            : index < Self.fcsr ? "f\(index - Self.f)" : index < Self.memory ? "fcsr" : "memory \(index - Self.memory)"
        let (ours, theirs) = (String(values[index], radix: 16), String(other.values[index], radix: 16))
        return "\(name) is 0x\(ours), QEMU's 0x\(theirs)"
    }
}

/// A block of straight code and what it starts from.
struct RandomBlock {
    enum Kind: UInt8, CaseIterable { case integer, compressed, float, memory }

    let words: [UInt32]
    var state = BlockState()

    init(_ kind: Kind, using generator: inout SeededGenerator) {
        words = (0..<32).map { _ in Self.word(kind, &generator) }
        for register in 1..<30 { state.values[register] = Self.integer(&generator) }
        for register in 0..<32 { state.values[BlockState.f + register] = Self.float(&generator) }
        state.values[BlockState.fcsr] = generator.next() % 5 << 5 | generator.next() & 31
        for word in BlockState.memory..<BlockState.words { state.values[word] = generator.next() }
    }

    var listing: String { words.map { Disassembler.text($0) }.joined(separator: "\n") }

    /// Rows without an effect on control, and whose result does not depend on where the code lies.
    ///
    /// QEMU 7.2 has no Zicond, and its `ctzw` looks into the high word where the low one is zero, which must give 32
    /// (RISC-V Unpriv 20240411 §30.5.2); `IntegerTests` has those.
    private static let rows: [Kind: [InstructionRow]] = {
        let plain = InstructionSet.rows.filter { ![.czeroEqz, .czeroNez, .ctzw].contains($0.operation) }
        let isMemory = { (row: InstructionRow) in [0x03, 0x23, 0x07, 0x27].contains(row.match & 0x7f) }
        let floats: Set<InstructionFormat> = [
            .float4, .float2, .float1, .floatToInteger, .integerToFloat, .floatCompare,
        ]
        let integers: Set<InstructionFormat> = [.r, .i, .shift64, .shift32]
        return [
            .integer: plain.filter {
                integers.contains($0.format) && !isMemory($0) && $0.operation != .jalr || $0.operation == .lui
            },
            .float: plain.filter { floats.contains($0.format) },
            .memory: plain.filter(isMemory),
        ]
    }()

    private static let halves: [UInt32] = (0...UInt32(0xffff)).filter { half in
        guard half & 3 != 3, let wide = Compressed.expand(UInt16(half)) else { return false }
        let op = Decoder.decode(wide: wide)
        let isPlain = [0x13, 0x1b, 0x33, 0x3b, 0x37].contains(wide & 0x7f)
        return isPlain && op.a != 30 && op.a != 31 && op.b < 30 && !(wide & 0x20 != 0 && op.rs2 > 29)
    }

    private static func word(_ kind: Kind, _ generator: inout SeededGenerator) -> UInt32 {
        func pick<T>(_ choices: [T]) -> T { choices[Int(generator.next() % UInt64(choices.count))] }
        if kind == .compressed { return pick(halves) | pick(halves) << 16 }
        // Memory is shaken by arithmetic in between.
        let source: Kind = kind == .memory && generator.next() & 3 == 0 ? .integer : kind
        let row = pick(rows[source] ?? [])
        var bits = row.match | UInt32(truncatingIfNeeded: generator.next()) & ~row.mask
        func register(_ shift: UInt32, _ value: UInt32) { bits = bits & ~(31 << shift) | value << shift }
        let choose = { (generator: inout SeededGenerator) in UInt32(generator.next() % 30) }
        if source == .memory {
            let isStore = bits & 0x20 != 0
            let offset = UInt32(generator.next() % 505)
            register(15, 31)
            register(isStore ? 20 : 7, choose(&generator))
            return isStore
                ? bits & 0x01ff_f07f | (offset & 31) << 7 | (offset >> 5) << 25 : bits & 0x000f_ffff | offset << 20
        }
        if row.mask >> 7 & 31 == 0 { register(7, choose(&generator)) }
        if row.mask >> 15 & 31 == 0 && row.format != .u { register(15, choose(&generator)) }
        if row.mask >> 20 & 31 == 0 && [.r, .float2, .float4, .floatCompare].contains(row.format) {
            register(20, choose(&generator))
        }
        if source == .float && row.mask & 0x7000 == 0 {
            bits = bits & ~0x7000 | pick([0, 1, 2, 3, 4, 7]) << 12
        }
        return bits
    }

    private static func integer(_ generator: inout SeededGenerator) -> UInt64 {
        let value = generator.next()
        switch generator.next() & 7 {
        case 0: return [0, 1, .max, 1 << 63, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1 << 63 - 1][Int(value & 7)]
        case 1: return UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: value)))
        case 2: return value & 63
        default: return value
        }
    }

    /// A value of any of the formats, boxed as a rule; often with an exponent near the others', or at an edge.
    private static func float(_ generator: inout SeededGenerator) -> UInt64 {
        let value = generator.next()
        let sign = value >> 63
        let edge = generator.next() & 7
        switch generator.next() % 8 {
        case 0, 1, 2:
            let exponent = [0, 0x7ff, 0x3ff, 0x3fe, 0x400, 0x433, 1, value >> 52 & 0x7ff][Int(edge)]
            return sign << 63 | exponent << 52 | value & (edge == 1 && value & 1 == 0 ? 0 : 1 << 52 - 1)
        case 3, 4, 5:
            let exponent = [0, 0xff, 0x7f, 0x7e, 0x80, 0x96, 1, value >> 23 & 0xff][Int(edge)]
            let fraction = value & (edge == 1 && value & 1 == 0 ? 0 : 1 << 23 - 1)
            return 0xffff_ffff << 32 | sign << 31 | exponent << 23 | fraction
        case 6: return ~0xffff | value & 0xffff
        default: return value
        }
    }

    /// The state that the interpreter leaves.
    func run() -> BlockState {
        let fixture = HartFixture()
        let hart = fixture.hart
        fixture.enableFloat()
        for register in 1..<30 { hart[x: register] = state.values[register] }
        for register in 0..<32 { hart[f: register] = state.values[BlockState.f + register] }
        hart.setCSR(CSR.fcsr, state.values[BlockState.fcsr])
        hart[x: 31] = HartFixture.data
        for word in BlockState.memory..<BlockState.words {
            fixture.ram[HartFixture.data + UInt64(word - BlockState.memory) * 8] = state.values[word]
        }
        let ending = fixture.run(words)
        var result = BlockState()
        guard ending == .finished else { return result }
        for register in 1..<30 { result.values[register] = hart[x: register] }
        for register in 0..<32 { result.values[BlockState.f + register] = hart[f: register] }
        result.values[BlockState.fcsr] = hart.csr(CSR.fcsr) ?? 0
        for word in BlockState.memory..<BlockState.words {
            result.values[word] = fixture.ram[HartFixture.data + UInt64(word - BlockState.memory) * 8]
        }
        return result
    }
}

/// A static Linux program of blocks: each loads its registers, runs, and stores them; at the end all states are written.
struct GuestProgram {
    private let blocks: [RandomBlock]
    private let folder: TestFolder

    init(_ blocks: [RandomBlock], in folder: TestFolder) throws {
        self.blocks = blocks
        self.folder = folder
        var source = ".option norelax\n.globl _start\n_start:\n"
        for index in blocks.indices { source += Self.text(blocks[index], at: index * BlockState.words * 8) }
        // write(1, states, size) to its end, then exit(0).
        source += """
            la x9, states
            li x18, \(blocks.count * BlockState.words * 8)
            again: li a0, 1
            mv a1, x9
            mv a2, x18
            li a7, 64
            ecall
            blez a0, done
            add x9, x9, a0
            sub x18, x18, a0
            bnez x18, again
            done: li a0, 0
            li a7, 93
            ecall
            .data
            .balign 16
            states:

            """
        for block in blocks {
            source += block.state.values.map { ".quad 0x\(String($0, radix: 16))\n" }.joined()
        }
        try folder.write(Data(source.utf8), to: "blocks.s")
        let options = ["-nostdlib", "-static", "-mabi=lp64d", "-march=rv64gc"]
        try HostProgram.run(HostProgram.compiler, options + ["blocks.s", "-o", "blocks"], in: folder)
    }

    private static func text(_ block: RandomBlock, at offset: Int) -> String {
        var lines = [
            "la x30, states", "li x31, \(offset)", "add x30, x30, x31", "addi x31, x30, \(BlockState.memory * 8)",
        ]
        lines += ["ld x1, \(BlockState.fcsr * 8)(x30)", "csrw fcsr, x1"]
        lines += (0..<32).map { "fld f\($0), \((BlockState.f + $0) * 8)(x30)" }
        lines += (1..<30).map { "ld x\($0), \($0 * 8)(x30)" }
        lines += block.words.map { ".4byte 0x\(String($0, radix: 16))" }
        lines += (1..<30).map { "sd x\($0), \($0 * 8)(x30)" }
        lines += (0..<32).map { "fsd f\($0), \((BlockState.f + $0) * 8)(x30)" }
        lines += ["csrr x1, fcsr", "sd x1, \(BlockState.fcsr * 8)(x30)"]
        return lines.joined(separator: "\n") + "\n"
    }

    func run() throws -> [BlockState] {
        // The property's spelling changed with QEMU 8.
        func attempt(_ half: String) throws -> Data {
            let processor = "rv64,zba=true,zbb=true,zbc=true,zbs=true,\(half)=true"
            return try HostProgram.run(HostProgram.emulator, ["-cpu", processor, "./blocks"], in: folder)
        }
        let output = try (try? attempt("Zfh")) ?? attempt("zfh")
        try #require(output.count == blocks.count * BlockState.words * 8)
        return output.withUnsafeBytes { bytes in
            blocks.indices.map { block in
                BlockState(
                    values: (0..<BlockState.words).map {
                        bytes.loadUnaligned(fromByteOffset: (block * BlockState.words + $0) * 8, as: UInt64.self)
                    })
            }
        }
    }
}

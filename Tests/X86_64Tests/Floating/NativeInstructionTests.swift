// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import X86Oracle

@testable import X86_64

/// Every row of the floating rooms against the host: registers, flags, MXCSR, x87 state, memory, and whether it faults.
/// `APUS_CONFORMANCE=1` draws fifty times as many cases, `APUS_SEED` others.
@Suite struct NativeInstructionTests {
    static let seed = ProcessInfo.processInfo.environment["APUS_SEED"].flatMap { UInt64($0) } ?? 1
    static let count = ProcessInfo.processInfo.environment["APUS_CONFORMANCE"] == nil ? 200 : 10_000

    static let canRun: Bool = {
        var state = x86_run_state()
        state.x87.0 = 0x7f
        state.x87.1 = 3
        return x86_run([0x90], 1, &state) != 0
    }()

    /// What the host can be asked about: not approximations, nor transcendental functions, whose last place is its own;
    /// not saved states, which have pointers in them.
    static let rows: [InstructionRow] = InstructionSet.floatingRows.filter { row in
        let own = ["rcp", "rsqrt", "f2xm1", "fyl2x", "fptan", "fpatan", "fsin", "fcos", "ldmxcsr"]
        // Nor what vendors do differently: C1 of FCMOV, FCOMI and FFREE, underflow of FSTP's alias, alignment of SHA's
        // operands, TOP where a conversion from or to MMX
        // traps.
        let vendors = ["fcmov", "comi", "ffree", "sha1", "sha256", "ps2pi", "pd2pi"]
        let name = "\(row.name)"
        if row.encoding.opcode == 0xd9 && row.encoding.digit == 3 && row.encoding.registerForm == true { return false }
        let isVendors =
            vendors.contains { name.contains($0) } && row.encoding.map != .twoByte || name.hasSuffix("2pi")
            || name.hasPrefix("cvtpi2")
        return !row.operands.all.contains(.Mstate) && !own.contains { name.contains($0) } && !isVendors
    }

    @Test(
        "results, flags and faults are the host's, exceptions masked",
        .enabled(if: canRun, "the host is no x86-64 processor with AVX, or forbids executable memory"),
        arguments: rows)
    func masked(row: InstructionRow) {
        let wrong = Self.differences(row, unmasks: false)
        #expect(wrong.isEmpty, "seed \(Self.seed): \(wrong.prefix(6).joined(separator: "\n"))")
    }

    @Test(
        "results, flags and faults are the host's, exceptions unmasked",
        .enabled(if: canRun, "the host is no x86-64 processor with AVX, or forbids executable memory"),
        arguments: rows.filter { "\($0.name)" != "vdpps" })
    func unmasked(row: InstructionRow) {
        let wrong = Self.differences(row, unmasks: true)
        #expect(wrong.isEmpty, "seed \(Self.seed): \(wrong.prefix(6).joined(separator: "\n"))")
    }

    /// The signal that a fault is to a process.
    private static func signal(_ outcome: Outcome, _ fault: Fault) -> UInt64 {
        guard outcome == .fault else { return 0 }
        return switch fault.vector {
        case .invalidOpcode: UInt64(SIGILL)
        case .simdError, .x87Error: UInt64(SIGFPE)
        default: UInt64(SIGSEGV)
        }
    }

    static func differences(_ row: InstructionRow, unmasks: Bool) -> [String] {
        var drawer = InstructionDrawer(seed: seed)
        let fixture = FloatingFixture()
        let decoder = Decoder(mode: .long64, features: .interpreter)
        let flags = UInt64(row.flags.written & ~row.flags.undefined) | (row.flags == .none ? 0x8d5 : 0)
        return (0..<count).compactMap { _ -> String? in
            let bytes = drawer.encoding(row)
            var native = drawer.state(unmasks: unmasks)
            let text = bytes.map { String($0, radix: 16) }.joined(separator: " ")
            guard case .instruction(let instruction) = decoder.decode(CodeBytes(bytes)) else {
                return "\(row.name) \(text) is not decoded"
            }
            if "\(instruction.row.name)" != "\(row.name)" { return "\(row.name) \(text) is \(instruction.row.name)" }
            fixture.load(native)
            // Indices of gathers are small.
            if row.operands.second == .VMd || row.operands.second == .VMq {
                for part in 0..<4 {
                    let index: UInt64 = UInt64(part * 5) | (row.operands.second == .VMd ? UInt64(part * 9) << 32 : 0)
                    fixture.processor.registers.vectors[part] = index
                    withUnsafeMutableBytes(of: &native) {
                        $0.storeBytes(of: index, toByteOffset: 64 + 8 * part, as: UInt64.self)
                    }
                }
            }
            return withUnsafeMutablePointer(to: &native) { pointer -> String? in
                _ = x86_run(bytes, UInt32(bytes.count), pointer)
                let op = instruction.op
                let outcome =
                    op.operation == .x87 ? fixture.processor.executeX87(op) : fixture.processor.executeVector(op)
                let died = signal(outcome, fixture.processor.fault)
                if died != pointer.pointee.signal {
                    return "\(row.name) \(text): signal \(died), host \(pointer.pointee.signal)"
                }
                return fixture.difference(from: pointer.pointee, flags: flags).map { "\(row.name) \(text): \($0)" }
            }
        }
    }
}

extension InstructionRow: CustomTestStringConvertible {
    public var testDescription: String {
        "\(name) \(encoding.map) \(String(encoding.opcode, radix: 16)) \(encoding.vex) \(encoding.digit)"
    }
}

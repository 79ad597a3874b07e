// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import X86Oracle

@testable import X86_64

/// The interpreter beside the host's own processor: random programs leave the same registers, defined flags, memory and
/// faults. `APUS_CASES` says how many there are for each row, `APUS_SEED` from which seed.
@Suite("Interpreter beside the host's processor")
struct HostComparisonTests {
    private static let count = Int(ProcessInfo.processInfo.environment["APUS_CASES"] ?? "") ?? 20
    private static let seed = UInt64(ProcessInfo.processInfo.environment["APUS_SEED"] ?? "") ?? 1
    private static let host = HostFeatures.present

    /// Rows that do the same in any process. Left out are those whose result is nobody's to say (`rdrand`), and transfers
    /// to addresses out of registers and memory, which programs in `ProgramTests` make.
    static let rows = InstructionSet.integerRows.filter { row in
        !row.attributes.contains(.not64) && host.contains(row.feature)
            && !["rdrand", "rdseed", "popf|popfd|popfq", "ret", "pause"].contains("\(row.name)")
            && !(row.encoding.opcode == 0xff && row.encoding.map == .one && row.attributes.contains(.branches))
    }
    private static let plain = rows.filter { !$0.attributes.contains(.branches) }

    @Test(
        "a row's instances do the same", .enabled(if: native_cases_available(), "not an x86-64 host"), arguments: rows)
    func single(row: InstructionRow) {
        compare(row, after: [])
    }

    @Test("so they do behind others", .enabled(if: native_cases_available(), "not an x86-64 host"), arguments: rows)
    func sequences(row: InstructionRow) {
        compare(row, after: Self.plain)
    }

    private func compare(_ row: InstructionRow, after others: [InstructionRow]) {
        let name = "\(row.name)".utf8.reduce(UInt64(row.encoding.opcode)) { $0 &* 31 &+ UInt64($1) }
        var random = SeededGenerator(seed: Self.seed &* 0x1_0001 ^ name)
        let programs = (0..<Self.count).map { _ in RandomProgram(row, after: others, using: &random) }
        let comparison = HostComparison(programs)
        let differences = comparison.differences()
        #expect(
            differences.isEmpty,
            "seed \(Self.seed), \(differences.count) of \(Self.count): \(differences.prefix(3).joined(separator: "\n"))"
        )
        #expect(comparison.skipped <= Self.count / 2, "\(comparison.skipped) programs left their memory")
    }

    @Test(
        "a planted bug is found", .enabled(if: native_cases_available(), "not an x86-64 host"),
        arguments: [
            // The host's instruction, and what the interpreter is given in its place.
            ([0x01, 0xc8], [0x11, 0xc8]), ([0xd3, 0xe0], [0xd3, 0xf8]), ([0xf7, 0xe1], [0xf7, 0xe9]),
            ([0x0f, 0xbc, 0xc1], [0x0f, 0xbd, 0xc1]), ([0x0f, 0x44, 0xc1], [0x0f, 0x45, 0xc1]),
            ([0x0f, 0xb6, 0xc1], [0x0f, 0xbe, 0xc1]),
            ([0xc4, 0xe2, 0x73, 0xf5, 0xc1], [0xc4, 0xe2, 0x72, 0xf5, 0xc1]),
            ([0x50], [0x51]), ([0x0f, 0x90, 0xc0], [0x0f, 0x91, 0xc0]), ([0xff, 0xc8], [0xff, 0xc0]),
        ] as [([UInt8], [UInt8])])
    func planted(theirs: [UInt8], ours: [UInt8]) throws {
        var random = SeededGenerator(seed: 7)
        let row = try #require(InstructionSet.rows.first)
        let programs = (0..<100).map { _ in
            RandomProgram(bytes: theirs, listing: "planted", like: RandomProgram(row, after: [], using: &random))
        }
        #expect(!HostComparison(programs).differences { _ in ours }.isEmpty)
    }
}

extension RandomProgram {
    /// Other code from the same state.
    init(bytes: [UInt8], listing: String, like other: RandomProgram) {
        self.bytes = bytes
        self.listing = listing
        undefined = 0
        undefinedAnywhere = 0
        general = other.general
        flags = other.flags
        vectors = other.vectors
        data = other.data
    }
}

/// Which features the host has, as far as Linux tells.
enum HostFeatures {
    private static let names: [(String, Feature)] = [
        ("cmov", .cmov), ("cx8", .cx8), ("cx16", .cx16), ("sse", .sse), ("sse2", .sse2), ("sse4_2", .sse42),
        ("popcnt", .popcnt), ("bmi1", .bmi1), ("bmi2", .bmi2), ("abm", .abm), ("adx", .adx), ("movbe", .movbe),
        ("clflush", .clfsh), ("clflushopt", .clflushopt), ("clwb", .clwb), ("sse3", .sse3), ("pni", .sse3),
        ("ssse3", .ssse3), ("sse4_1", .sse41), ("avx", .avx), ("avx2", .avx2), ("fma", .fma), ("f16c", .f16c),
        ("aes", .aes), ("pclmulqdq", .pclmulqdq), ("sha_ni", .sha), ("mmx", .mmx), ("fpu", .fpu),
    ]

    static let present: Set<Feature> = {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("flags") } ?? ""
        let words = Set(line.split(separator: " ").map(String.init))
        return Set(names.filter { words.contains($0.0) }.map(\.1) + [.base])
    }()
}

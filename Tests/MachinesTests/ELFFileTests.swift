// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Machines

@Suite struct ELFFileTests {
    @Test("a well-formed program gives its entry, segments and symbols")
    func wellFormed() throws {
        var elf = TestELF()
        elf.segments.append((0x8000_1000, 0x8000_1000, [1, 2, 3], 13))
        elf.symbols = [("other", 1), ("tohost", 0x8000_1000), ("fromhost", 0x8000_1008)]
        let file = try ELFFile(elf.bytes)
        #expect(file.entry == 0x8000_0000)
        #expect(file.segments.map(\.memorySize) == [4, 16])
        #expect(Array(file.bytes(of: file.segments[1])) == [1, 2, 3])
        #expect(
            file.symbols(named: ["tohost", "fromhost", "none"]) == ["tohost": 0x8000_1000, "fromhost": 0x8000_1008])
        #expect(file.physicalRange == 0x8000_0000...0x8000_100F)
    }

    @Test("a linked address is found in the segment that holds it, and only there")
    func physicalAddress() throws {
        var elf = TestELF()
        elf.segments = [(0xFFFF_FFFF_8000_0000, 0x20_0000, [1, 2, 3, 4], 4)]
        let file = try ELFFile(elf.bytes)
        #expect(file.physicalAddress(of: 0xFFFF_FFFF_8000_0007) == 0x20_0007)
        #expect(file.physicalAddress(of: 0xFFFF_FFFF_8000_0008) == nil)
        #expect(file.physicalAddress(of: 0xFFFF_FFFF_7FFF_FFFF) == nil)
    }

    @Test(
        "a file that is no program for this machine is refused by its own reason",
        arguments: [
            ([UInt8](), ELFError.notELF),
            (Array("#!/bin/sh\n".utf8), .notELF),
            ([0x7F, 0x45, 0x4C, 0x46], .truncated("header")),
            (edited { $0.bytes.replacing(at: 4, with: [1]) }, .wrongClass),
            (edited { $0.bytes.replacing(at: 5, with: [2]) }, .wrongClass),
            (
                edited { elf in
                    elf.machine = 62; return elf.bytes
                }, .notRISCV64(machine: 62)
            ),
            (
                edited { elf in
                    elf.type = 1; return elf.bytes
                }, .notExecutable(type: 1)
            ),
            (
                edited { elf in
                    elf.segments = []; return elf.bytes
                }, .nothingToLoad
            ),
            (edited { $0.bytes.replacing(at: 54, with: [8, 0]) }, .badHeader("program headers of 8 bytes")),
            (edited { $0.bytes.replacing(at: 56, with: [0xFF, 0xFF]) }, .badHeader("65535 program headers")),
            (edited { $0.bytes.replacing(at: 32, with: [0xFF]) }, nil),
            (edited { $0.bytes.replacing(at: 39, with: [0xFF]) }, .truncated("program header table")),
            (
                edited { elf in
                    elf.segments[0].virtual = .max; return elf.bytes
                },
                .badSegment(index: 0, "it wraps around the address space")
            ),
            (
                edited { elf in
                    elf.segments[0].physical = .max - 2; return elf.bytes
                },
                .badSegment(index: 0, "it wraps around the address space")
            ),
            (
                edited { elf in
                    elf.segments[0].extra = 0 &- 2; return elf.bytes
                },
                .badSegment(index: 0, "4 bytes in the file, only 2 in memory")
            ),
        ] as [([UInt8], ELFError?)])
    func refused(bytes: [UInt8], reason: ELFError?) {
        let error = #expect(throws: ELFError.self) { _ = try ELFFile(bytes) }
        #expect(reason == nil || error == reason)
    }

    @Test("a file cut at any byte is refused or has its segments whole")
    func truncations() {
        var elf = TestELF()
        elf.symbols = [("tohost", 0x8000_0000)]
        let whole = elf.bytes
        let lost = (0..<whole.count).filter { count in
            guard let file = try? ELFFile(Array(whole[..<count])) else { return false }
            _ = file.symbols(named: ["tohost"])
            return Array(file.bytes(of: file.segments[0])) != [0x13, 0, 0, 0]
        }
        #expect(lost.isEmpty)
    }

    @Test("a file with any byte set to any of four values is read without a trap")
    func mutations() {
        var elf = TestELF()
        elf.segments.append((0x8000_1000, 0x8000_1000, [1, 2, 3], 13))
        elf.symbols = [("tohost", 0x8000_1000)]
        let whole = elf.bytes
        let accepted = whole.indices.reduce(0) { sum, index in
            sum
                + [UInt8(0), 1, 0x7F, 0xFF].filter { value in
                    guard let file = try? ELFFile(whole.replacing(at: index, with: [value])) else { return false }
                    return file.symbols(named: ["tohost"]).count <= 1
                        && file.segments.allSatisfy { segment in
                            file.bytes(of: segment).count == Int(segment.fileSize)
                        }
                }.count
        }
        #expect(accepted > 0)
    }

    private static func edited(_ edit: (inout TestELF) -> [UInt8]) -> [UInt8] {
        var elf = TestELF()
        return edit(&elf)
    }
}

extension [UInt8] {
    /// A copy with `bytes` in place of what is at `offset`.
    func replacing(at offset: Int, with bytes: [UInt8]) -> [UInt8] {
        var copy = self
        copy.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        return copy
    }
}

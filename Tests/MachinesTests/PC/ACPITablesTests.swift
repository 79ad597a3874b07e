// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Machines

@Suite struct ACPITablesTests {
    private static let base = PCMemoryMap.tables.base
    private static let boards = [
        PCBoardDescription(processors: 1, memorySize: 128 << 20),
        PCBoardDescription(processors: 16, memorySize: 512 << 30, hasPanicDevice: true, hasFirmwareConfiguration: true),
    ]

    /// The tables of a machine as a system finds them: by the RSDP.
    private struct Found {
        let image: LittleEndianBytes
        let root: UInt64

        init(_ board: PCBoardDescription) throws {
            image = LittleEndianBytes(bytes: ACPITables(board: board).bytes(at: base))
            root = try #require(image.integer(UInt64.self, at: 24))
        }

        /// The table at `address`, by the length in its header.
        func table(at address: UInt64) throws -> ArraySlice<UInt8> {
            let length = try #require(image.integer(UInt32.self, at: address - base + 4))
            return try #require(image.slice(address - base, count: UInt64(length)))
        }

        /// The addresses in the XSDT.
        func addresses() throws -> [UInt64] {
            let entries = LittleEndianBytes(bytes: Array(try table(at: root).dropFirst(36)))
            return try (0..<entries.count / 8).map { try #require(entries.integer(UInt64.self, at: $0 * 8)) }
        }

        func table(named name: String) throws -> LittleEndianBytes {
            let tables = try addresses().map(table)
            return LittleEndianBytes(bytes: Array(try #require(tables.first { $0.starts(with: name.utf8) })))
        }

        /// The DSDT, where the FADT says it is.
        func description() throws -> ArraySlice<UInt8> {
            try table(at: try #require(try table(named: "FACP").integer(UInt64.self, at: 140)))
        }
    }

    private static func sum(_ bytes: some Sequence<UInt8>) -> UInt8 { bytes.reduce(0, &+) }

    @Test("the RSDP has both of its checksums, and begins the tables", arguments: boards)
    func rootPointer(board: PCBoardDescription) throws {
        let found = try Found(board)
        #expect(found.image.has(Array("RSD PTR ".utf8), at: 0))
        #expect(Self.sum(found.image.bytes.prefix(20)) == 0)
        #expect(Self.sum(found.image.bytes.prefix(36)) == 0)
    }

    @Test("the XSDT names the tables, each with its length and checksum", arguments: boards)
    func root(board: PCBoardDescription) throws {
        let found = try Found(board)
        let tables = try found.addresses().map(found.table) + [found.table(at: found.root), found.description()]
        #expect(
            tables.map { String(decoding: $0.prefix(4), as: UTF8.self) } == [
                "FACP", "APIC", "MCFG", "HPET", "XSDT", "DSDT",
            ])
        #expect(tables.allSatisfy { Self.sum($0) == 0 })
    }

    @Test("the FADT has the same addresses in its old fields and its new ones, and one FACS, on 64 bytes")
    func fixedDescription() throws {
        let table = try Found(Self.boards[0]).table(named: "FACP")
        #expect(table.count == 276)
        #expect(table.integer(UInt32.self, at: 40).map(UInt64.init) == table.integer(UInt64.self, at: 140))
        #expect(table.integer(UInt64.self, at: 132) == 0)
        #expect(try #require(table.integer(UInt32.self, at: 36)) % 64 == 0)
        #expect(table.integer(UInt32.self, at: 56) == 0x600)
        #expect(table.integer(UInt64.self, at: 152) == 0x600)
        #expect(table.integer(UInt16.self, at: 46) == 9)
    }

    @Test("the MADT has a LAPIC for each processor, the IOAPIC, and the timer on input 2", arguments: boards)
    func interruptControllers(board: PCBoardDescription) throws {
        let bytes = try Found(board).table(named: "APIC").bytes
        var entries: [[UInt8]] = []
        var rest = bytes.dropFirst(44)
        while let count = rest.dropFirst().first, count > 0 {
            entries.append(Array(rest.prefix(Int(count))))
            rest = rest.dropFirst(Int(count))
        }
        #expect(rest.isEmpty)
        #expect(entries.filter { $0[0] == 0 }.map { $0[3] } == (0..<UInt8(board.processors)).map { $0 })
        #expect(entries.contains([1, 12, 0, 0, 0, 0, 0xC0, 0xFE, 0, 0, 0, 0]))
        #expect(entries.contains([2, 10, 0, 0, 2, 0, 0, 0, 0, 0]))
        #expect(entries.contains([2, 10, 0, 9, 9, 0, 0, 0, 0x0D, 0]))
    }

    @Test("the MCFG gives the ECAM of all buses")
    func configurationSpace() throws {
        let table = try Found(Self.boards[0]).table(named: "MCFG")
        #expect(table.count == 60)
        #expect(table.integer(UInt64.self, at: 44) == 0xB000_0000)
        #expect(table.has([0, 0, 0, 255], at: 52))
    }

    @Test(
        "iasl reads every table, and compiles what it read without a warning or remark",
        .enabled(if: FileManager.default.isExecutableFile(atPath: iasl), "acpica-tools is missing"),
        arguments: boards)
    func compiles(board: PCBoardDescription) throws {
        let found = try Found(board)
        let tables = try found.addresses().map(found.table) + [found.description()]
        let results = try tables.map { try Self.throughCompiler(Array($0)) }
        #expect(results.map(\.complaints) == [String](repeating: "", count: 5))
        let source = try #require(results.last?.source)
        #expect(source.contains("Name (_HID, EisaId (\"PNP0A08\")"))
        #expect(source.contains("Name (_HID, EisaId (\"PNP0C02\")"))
        #expect(source.contains("Name (\\_S5, Package (0x04)"))
        #expect(source.contains("QEMU0001") == board.hasPanicDevice)
    }

    @Test(
        "iasl compiles to the very bytes that it read",
        .enabled(if: FileManager.default.isExecutableFile(atPath: iasl), "acpica-tools is missing"), arguments: boards)
    func sameBytes(board: PCBoardDescription) throws {
        let description = Array(try Found(board).description())
        // The header names the compiler, and its checksum follows from that.
        #expect(try Self.throughCompiler(description).bytes.dropFirst(36) == description.dropFirst(36))
    }

    // MARK: iasl

    static let iasl = "/usr/bin/iasl"

    /// Disassembles `table`, compiles the result, and answers both with all that the compiler complained of.
    private static func throughCompiler(_ table: [UInt8]) throws -> (source: String, bytes: [UInt8], complaints: String)
    {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("apus-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(table).write(to: folder.appendingPathComponent("table.aml"))
        let first = try run(["-d", "table.aml"], in: folder)
        let second = try run(["-oa", "-p", "again", "table.dsl"], in: folder)
        let complaints = (first + second).split(separator: "\n").filter { line in
            ["warning", "error", "remark"].contains { line.lowercased().contains($0) }
                && !line.contains("0 Errors, 0 Warnings, 0 Remarks")
        }
        let source = try String(contentsOf: folder.appendingPathComponent("table.dsl"), encoding: .utf8)
        let bytes = try [UInt8](Data(contentsOf: folder.appendingPathComponent("again.aml")))
        return (source, bytes, complaints.joined(separator: "\n"))
    }

    private static func run(_ arguments: [String], in folder: URL) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: iasl)
        process.arguments = arguments
        process.currentDirectoryURL = folder
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }
}

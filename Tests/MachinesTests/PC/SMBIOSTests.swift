// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Machines

@Suite struct SMBIOSTests {
    private static func tables(processors: Int = 2, memorySize: UInt64 = 8 << 30) -> LittleEndianBytes {
        let tables = SMBIOSTables(
            processors: processors, memorySize: memorySize,
            processor: .init(vendor: "GenuineIntel", model: "Test", signature: 0x306C3, features: 0x0F8B_FBFF),
            identity: [UInt8](0..<16), version: "1.2.3")
        return LittleEndianBytes(bytes: tables.bytes(at: PCTables.managementBase))
    }

    /// The structures of `image`, without their strings, and those.
    private static func structures(_ image: LittleEndianBytes) -> [(fields: LittleEndianBytes, strings: [String])] {
        var result: [(LittleEndianBytes, [String])] = []
        var rest = image.bytes.dropFirst(0x40)
        while let size = rest.dropFirst().first {
            let fields = Array(rest.prefix(Int(size)))
            rest = rest.dropFirst(Int(size))
            var strings: [String] = []
            while let text = rest.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false).first,
                !text.isEmpty
            {
                strings.append(String(decoding: text, as: UTF8.self))
                rest = rest.dropFirst(text.count + 1)
            }
            rest = rest.dropFirst(strings.isEmpty ? 2 : 1)
            result.append((LittleEndianBytes(bytes: fields), strings))
        }
        return result
    }

    @Test("both entry points have their checksums and point to the same table")
    func entryPoints() {
        let image = Self.tables()
        #expect(image.has(Array("_SM_".utf8), at: 0) && image.has(Array("_SM3_".utf8), at: 0x20))
        #expect(image.bytes[0..<31].reduce(0, &+) == 0)
        #expect(image.bytes[16..<31].reduce(0, &+) == 0)
        #expect(image.bytes[0x20..<0x38].reduce(0, &+) == 0)
        #expect(image.integer(UInt32.self, at: 24) == 0xF_0040)
        #expect(image.integer(UInt64.self, at: 0x30) == 0xF_0040)
        #expect(image.integer(UInt16.self, at: 22).map(Int.init) == image.bytes.count - 0x40)
        #expect(image.integer(UInt16.self, at: 28).map(Int.init) == Self.structures(image).count)
    }

    @Test("the structures that a PC has are there, in order, a socket for each processor, the end last")
    func order() {
        let types = Self.structures(Self.tables()).map { $0.fields.bytes[0] }
        #expect(types == [0, 1, 3, 4, 4, 16, 17, 19, 19, 32, 127])
    }

    @Test("handles are unique")
    func handles() {
        let handles = Self.structures(Self.tables(processors: 16)).map { $0.fields.integer(UInt16.self, at: 2) }
        #expect(Set(handles).count == handles.count)
    }

    @Test("a structure's strings are those that its fields number")
    func strings() throws {
        let structures = Self.structures(Self.tables())
        let socket = try #require(structures.first { $0.fields.bytes[0] == 4 })
        #expect(socket.strings == ["CPU 0", "GenuineIntel", "Test"])
        #expect([socket.fields.bytes[4], socket.fields.bytes[7], socket.fields.bytes[16]] == [1, 2, 3])
        #expect(structures[0].strings == ["Apus", "1.2.3"])
    }

    @Test("the UUID has its first fields turned around")
    func identity() {
        let system = Self.structures(Self.tables())[1].fields
        #expect(system.has([3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15], at: 8))
    }

    @Test(
        "RAM of 32 GiB less a MiB and more is told in the extended field",
        arguments: [
            (UInt64(1024), UInt16(1024), UInt32(0)), (0x7FFE, 0x7FFE, 0), (0x7FFF, 0x7FFF, 0x7FFF),
            (0x8_0000, 0x7FFF, 0x8_0000),
        ])
    func memory(megabytes: UInt64, size: UInt16, extended: UInt32) throws {
        let structures = Self.structures(Self.tables(memorySize: megabytes << 20))
        let module = try #require(structures.first { $0.fields.bytes[0] == 17 }).fields
        #expect(module.integer(UInt16.self, at: 12) == size)
        #expect(module.integer(UInt32.self, at: 28) == extended)
    }
}

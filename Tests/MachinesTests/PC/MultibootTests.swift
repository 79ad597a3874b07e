// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Machines

@Suite struct MultibootTests {
    private static func header(_ bytes: [UInt8]) throws -> MultibootHeader? {
        try MultibootHeader(bytes, fileSize: UInt64(bytes.count))
    }

    @Test("a header is found on a multiple of four within the first 8192 bytes", arguments: [0, 4, 8180])
    func found(offset: Int) throws {
        let bytes = [UInt8](repeating: 0, count: offset) + TestKernels.multiboot(flags: 1)
        let header = try Self.header(bytes)
        #expect(header?.alignsModules == true)
        #expect(header?.addresses == nil)
    }

    @Test(
        "what is no header is none",
        arguments: [
            [], [UInt8](repeating: 0, count: 100), [0, 0] + TestKernels.multiboot(),
            [UInt8](repeating: 0, count: 8192) + TestKernels.multiboot(), TestKernels.multiboot().dropLast(),
            TestKernels.multiboot().replacing(at: 8, with: [1]),
        ])
    func notFound(bytes: [UInt8]) throws {
        #expect(try Self.header(bytes) == nil)
    }

    @Test("a flat kernel says where it goes")
    func addresses() throws {
        let bytes = [UInt8](repeating: 0x90, count: 16) + TestKernels.flat(zeroEnd: 0x10_2000)
        let addresses = try #require(try Self.header(bytes)?.addresses)
        #expect(
            addresses
                == MultibootHeader.Addresses(
                    fileOffset: 16, fileSize: 256, loadAddress: 0x10_0000, memorySize: 0x2000, entry: 0x10_0020))
    }

    @Test(
        "a header that cannot be followed is refused by its own reason",
        arguments: [
            (TestKernels.multiboot(flags: 0x10), .unknownFlags(0x10)),
            (TestKernels.multiboot(flags: 4), .videoMode),
            (
                TestKernels.multiboot(flags: 1 << 16),
                .badAddresses("its address fields lie past the end of the file")
            ),
            (
                TestKernels.multiboot(flags: 1 << 16, addresses: [0x10_0000, 0x20_0000, 0, 0, 0]),
                .badAddresses("its load address 0x200000 does not fit its place in the file")
            ),
            (
                TestKernels.flat(loadEnd: 0x10_0101),
                .badAddresses("it ends at 0x100101, past the end of the file")
            ),
            (TestKernels.flat(loadEnd: 0x1000), .badAddresses("it ends at 0x1000, past the end of the file")),
            (
                TestKernels.flat(zeroEnd: 0x10_0080),
                .badAddresses("its zeroed memory ends at 0x100080, before what is loaded")
            ),
            (TestKernels.flat(entry: 0x9_FFFF), .badAddresses("it starts at 0x9ffff, outside of what is loaded")),
            (TestKernels.flat(entry: 0x10_1000), .badAddresses("it starts at 0x101000, outside of what is loaded")),
        ] as [([UInt8], MultibootHeader.Rejection)])
    func refused(bytes: [UInt8], reason: MultibootHeader.Rejection) {
        #expect(throws: reason) { try Self.header(bytes) }
    }

    @Test("the information points to the command line, the modules with their names, and the memory map")
    func information() throws {
        let information = MultibootInformation(
            commandLine: 0x1_0000,
            modules: [.init(span: BootPlan.Span(start: 0x20_0000, size: 0x345), commandLine: "env")],
            memory: AddressRangeMap.ranges(memorySize: 64 << 20))
        let head = LittleEndianBytes(bytes: information.bytes(lists: 0x8000))
        let lists = LittleEndianBytes(bytes: information.lists(at: 0x8000))
        #expect(head.integer(UInt32.self, at: 0) == 0x24D)
        #expect(head.integer(UInt32.self, at: 4) == 639)
        #expect(head.integer(UInt32.self, at: 8) == 63 << 10)
        #expect(head.integer(UInt32.self, at: 16) == 0x1_0000)
        #expect(head.integer(UInt32.self, at: 20) == 1)
        #expect(head.integer(UInt32.self, at: 24) == 0x8000)
        #expect(head.integer(UInt32.self, at: 44) == 144)
        #expect(head.integer(UInt32.self, at: 48) == 0x8010)
        #expect(lists.integer(UInt32.self, at: 0) == 0x20_0000)
        #expect(lists.integer(UInt32.self, at: 4) == 0x20_0345)
        #expect(lists.has(Array("env\0".utf8), at: UInt64(try #require(lists.integer(UInt32.self, at: 8))) - 0x8000))
        #expect(lists.integer(UInt32.self, at: 16) == 20)
        #expect(lists.integer(UInt64.self, at: 16 + 3 * 24 + 4) == 0x10_0000)
        #expect(lists.has(Array("apus\0".utf8), at: UInt64(try #require(head.integer(UInt32.self, at: 64))) - 0x8000))
    }
}

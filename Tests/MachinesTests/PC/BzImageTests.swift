// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Machines

@Suite struct BzImageTests {
    private static let kernel = TestKernels.BzImage()

    private static func header(_ bytes: [UInt8]) throws -> BzImageHeader {
        try BzImageHeader(bytes, fileSize: UInt64(bytes.count))
    }

    @Test("the header says where the kernel is in the file, and where it wants to be in memory")
    func fields() throws {
        let header = try Self.header(Self.kernel.bytes)
        #expect(header.version == 0x20F)
        #expect(header.kernelOffset == 3 * 512)
        #expect(header.kernelSize == 0x1000)
        #expect(header.preferredAddress == 0x100_0000)
        #expect(header.workSize == 0x40_0000)
        #expect(header.initrdLimit == 0x7FFF_FFFF)
        #expect(header.commandLineLimit == 2047)
    }

    @Test(
        "a kernel is entered in 64 bits where it says so and its protocol knows of it",
        arguments: [
            (UInt16(0x20F), UInt16(1), BzImageHeader.Entry.bits64), (0x20F, 0, .bits32), (0x20A, 1, .bits32),
        ])
    func entry(version: UInt16, flags: UInt16, entry: BzImageHeader.Entry) throws {
        let bytes = Self.kernel.edited {
            $0.version = version
            $0.flags = flags
        }
        #expect(try Self.header(bytes).entry == entry)
    }

    @Test("no sectors of setup code stand for four")
    func fourSectors() throws {
        let bytes = Self.kernel.edited { $0.setupSectors = 0 }
        #expect(try Self.header(bytes).kernelOffset == 5 * 512)
    }

    @Test(
        "what is no usable bzImage is refused by its own reason",
        arguments: [
            ([], .notImage),
            ([UInt8](repeating: 0, count: 4096), .notImage),
            (kernel.edited { $0.version = 0x209 }, .oldProtocol(version: 0x209)),
            (kernel.edited { $0.loadFlags = 0 }, .loadedLow),
            (Array(kernel.bytes.prefix(0x270)), .loadedLow),
            (kernel.edited { $0.headerEnd = 0x40 }, .damaged("it ends at 0x242")),
            (kernel.edited { $0.headerEnd = 0xFF }, .damaged("it ends at 0x301")),
            (kernel.edited { $0.kernel = [] }, .damaged("2 sectors of setup code are more than the file's 1536 bytes")),
            (kernel.edited { $0.kernel = [0x90] }, .damaged("its 64-bit entry lies behind its end")),
            (kernel.edited { $0.alignment = 3 }, .damaged("an alignment of 3 bytes")),
            (kernel.edited { $0.preferred = 0x1000 }, .damaged("a preferred address of 0x1000")),
            (kernel.edited { $0.preferred = .max }, .damaged("a preferred address of 0xffffffffffffffff")),
            (kernel.edited { $0.workSize = .max }, .damaged("4294967295 bytes to work in")),
        ] as [([UInt8], BzImageHeader.Rejection)])
    func refused(bytes: [UInt8], reason: BzImageHeader.Rejection) {
        #expect(throws: reason) { try Self.header(bytes) }
    }

    @Test(
        "a relocatable kernel moves down where RAM ends before its place does, on its alignment",
        arguments: [
            (UInt64(0x800_0000), UInt8(1), UInt64(0x100_0000)), (0x110_0000, 1, 0xC0_0000), (0x110_0000, 0, 0x100_0000),
            (0x30_0000, 1, 0x100_0000),
        ])
    func place(end: UInt64, relocatable: UInt8, address: UInt64) throws {
        let bytes = Self.kernel.edited { $0.isRelocatable = relocatable }
        #expect(try Self.header(bytes).address(endOfMemory: end) == address)
    }

    @Test("the zero page holds the header, the memory map, and where everything is")
    func zeroPage() throws {
        let page = ZeroPage(
            header: try Self.header(Self.kernel.bytes), kernelAddress: 0x100_0000, commandLine: 0x1_0000,
            initrd: BootPlan.Span(start: 0x700_0000, size: 0x1234), setupData: 0xF000, rootPointer: 0xE_0000,
            memory: AddressRangeMap.ranges(memorySize: 128 << 20))
        let bytes = LittleEndianBytes(bytes: page.bytes)
        #expect(bytes.count == 4096)
        #expect(bytes.has(Array("HdrS".utf8), at: 0x202))
        #expect(bytes.integer(UInt64.self, at: 0x070) == 0xE_0000)
        #expect(bytes.integer(UInt8.self, at: 0x210) == 0xFF)
        #expect(bytes.integer(UInt32.self, at: 0x218) == 0x700_0000)
        #expect(bytes.integer(UInt32.self, at: 0x21C) == 0x1234)
        #expect(bytes.integer(UInt32.self, at: 0x228) == 0x1_0000)
        #expect(bytes.integer(UInt64.self, at: 0x250) == 0xF000)
        #expect(bytes.integer(UInt8.self, at: 0x1E8) == 6)
        #expect(bytes.integer(UInt64.self, at: 0x2D0 + 3 * 20) == 0x10_0000)
        #expect(bytes.integer(UInt64.self, at: 0x2D0 + 3 * 20 + 8) == 127 << 20)
        #expect(bytes.integer(UInt32.self, at: 0x2D0 + 3 * 20 + 16) == 1)
        // What Linux takes for a page that nobody cleared (`sanitize_boot_params`).
        #expect(bytes.integer(UInt8.self, at: 0x1EF) == 0)
    }

    @Test("the random seed is a setup_data of its type, the last of the list")
    func randomSeed() {
        let bytes = LittleEndianBytes(bytes: ZeroPage.randomSeed([UInt8](repeating: 7, count: 32)))
        #expect(bytes.count == 48)
        #expect(bytes.integer(UInt64.self, at: 0) == 0)
        #expect(bytes.integer(UInt32.self, at: 8) == 9)
        #expect(bytes.integer(UInt32.self, at: 12) == 32)
        #expect(bytes.has([7, 7, 7], at: 16))
    }
}

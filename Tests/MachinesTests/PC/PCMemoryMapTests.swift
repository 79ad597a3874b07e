// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Machines

@Suite struct PCMemoryMapTests {
    @Test(
        "the map is ordered, without overlaps, and holds all RAM but for the hole below 1 MiB",
        arguments: [16, 2815, 2816, 2817, 4096, 524_288] as [UInt64])
    func ranges(megabytes: UInt64) {
        let ranges = AddressRangeMap.ranges(memorySize: megabytes << 20)
        let memory = ranges.filter { $0.kind == .memory }.reduce(0) { $0 + $1.size }
        #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.base + $0.size <= $1.base })
        #expect(memory == (megabytes << 20) - 0x6_0400)
    }

    @Test(
        "RAM that does not fit below the hole goes on at 4 GiB",
        arguments: [(2816, 0), (2817, 1), (8192, 5376)] as [(UInt64, UInt64)])
    func highMemory(megabytes: UInt64, above: UInt64) {
        #expect(PCMemoryMap.highMemory(megabytes << 20).size == above << 20)
    }

    @Test("the parts of RAM lie in the machine's memory one behind the other, and none under the VGA window")
    func parts() {
        let parts = PCMemoryMap.parts(4 << 30)
        #expect(parts.map(\.range.base) == [0, 0xC_0000, 1 << 32])
        #expect(parts.map(\.offset) == [0, 0xC_0000, 0xB000_0000])
        #expect(parts.last.map { $0.offset + $0.range.size } == 4 << 30)
    }

    @Test(
        "the window for 64-bit base addresses lies behind RAM, on its own alignment",
        arguments: [1, 16, 512] as [UInt64])
    func window(gigabytes: UInt64) {
        let window = PCMemoryMap.pciHighMemory(memorySize: gigabytes << 30)
        #expect(window.base >= PCMemoryMap.highMemory(gigabytes << 30).end)
        #expect(window.base % window.size == 0)
        #expect(window.end <= 1 << 40)
    }
}

// SPDX-License-Identifier: Apache-2.0

/// What SMBIOS says of an x86-64 machine.
struct SMBIOSTables: Sendable {
    /// What it says of the processors.
    struct Processor: Sendable {
        var vendor: String
        var model: String
        /// CPUID leaf 1: EAX and EDX.
        var signature: UInt32
        var features: UInt32
    }

    let processors: Int
    let memorySize: UInt64
    let processor: Processor
    /// The machine's UUID: sixteen bytes as a UUID's text has them.
    let identity: [UInt8]
    /// The product's version, for those who read it.
    let version: String

    private enum Handle {
        static let firmware: UInt16 = 0x000
        static let system: UInt16 = 0x100
        static let chassis: UInt16 = 0x300
        static let processor: UInt16 = 0x400
        static let memoryArray: UInt16 = 0x1000
        static let memoryDevice: UInt16 = 0x1100
        static let memoryRange: UInt16 = 0x1300
        static let boot: UInt16 = 0x2000
        static let end: UInt16 = 0x7F00
    }

    private static let maker = "Apus"

    /// Entry points and structures for address `base`, a multiple of 16: version 2.8's first, then version 3.0's.
    func bytes(at base: UInt64) -> [UInt8] {
        let structures =
            [firmware, system, chassis] + processorSockets + [memoryArray, memoryDevice] + ranges + [boot, end]
        let table = structures.flatMap(\.bytes)
        let largest = structures.map(\.bytes.count).max() ?? 0
        let address = base + Self.entrySize
        var image = LittleEndianWriter(count: Int(Self.entrySize))
        image.set(Self.entry2(table, address, count: structures.count, largest: largest), at: 0)
        image.set(Self.entry3(table, address), at: 0x20)
        return image.bytes + table
    }

    /// Both entry points, each on a multiple of 16.
    private static let entrySize: UInt64 = 0x40

    /// The entry point of version 2 (§5.2.1): 31 bytes, the last 15 with a checksum of their own.
    private static func entry2(_ table: [UInt8], _ address: UInt64, count: Int, largest: Int) -> [UInt8] {
        var entry = LittleEndianWriter(count: 31)
        entry.set(Array("_SM_".utf8), at: 0)
        entry.set(UInt8(31), at: 5)
        entry.set([2, 8], at: 6)
        entry.set(UInt16(largest), at: 8)
        entry.set(Array("_DMI_".utf8), at: 16)
        entry.set(UInt16(table.count), at: 22)
        entry.set(UInt32(address), at: 24)
        entry.set(UInt16(count), at: 28)
        entry.set(UInt8(0x28), at: 30)
        entry.set(ACPITable.checksum(entry.bytes.dropFirst(16)), at: 21)
        entry.set(ACPITable.checksum(entry.bytes), at: 4)
        return entry.bytes
    }

    /// The entry point of version 3 (§5.2.2): 24 bytes.
    private static func entry3(_ table: [UInt8], _ address: UInt64) -> [UInt8] {
        var entry = LittleEndianWriter(count: 24)
        entry.set(Array("_SM3_".utf8), at: 0)
        entry.set(UInt8(24), at: 6)
        entry.set([3, 0, 0, 1], at: 7)
        entry.set(UInt32(table.count), at: 12)
        entry.set(address, at: 16)
        entry.set(ACPITable.checksum(entry.bytes), at: 5)
        return entry.bytes
    }

    // MARK: Structures

    /// §7.1. Characteristics are not told (bit 3); the extension's second byte says virtual machine (bit 4).
    private var firmware: SMBIOSStructure {
        var structure = SMBIOSStructure(type: 0, size: 24, handle: Handle.firmware)
        structure.set(Self.maker, at: 4)
        structure.set(version, at: 5)
        structure.set(UInt16(PCMemoryMap.tables.base >> 4), at: 6)
        structure.set(UInt64(1 << 3), at: 10)
        structure.set([0, 1 << 4], at: 18)
        structure.set([0xFF, 0xFF, 0xFF, 0xFF], at: 20)
        return structure
    }

    /// §7.2. The first three fields of the UUID are little-endian here.
    private var system: SMBIOSStructure {
        precondition(identity.count == 16, "a UUID has sixteen bytes")
        var structure = SMBIOSStructure(type: 1, size: 27, handle: Handle.system)
        structure.set(Self.maker, at: 4)
        structure.set("Apus PC", at: 5)
        structure.set(version, at: 6)
        let swapped = [3, 2, 1, 0, 5, 4, 7, 6].map { identity[$0] } + identity[8...]
        structure.set(swapped, at: 8)
        structure.set(UInt8(6), at: 24)  // woken by the power switch
        return structure
    }

    /// §7.4: "other", all states safe.
    private var chassis: SMBIOSStructure {
        var structure = SMBIOSStructure(type: 3, size: 22, handle: Handle.chassis)
        structure.set(Self.maker, at: 4)
        structure.set([1], at: 5)
        structure.set([3, 3, 3, 2], at: 9)
        return structure
    }

    /// §7.5: a socket with one core a processor.
    private var processorSockets: [SMBIOSStructure] {
        (0..<processors).map { id in
            var structure = SMBIOSStructure(type: 4, size: 48, handle: Handle.processor + UInt16(id))
            structure.set("CPU \(id)", at: 4)
            structure.set([3, 1], at: 5)  // central processor, family "other"
            structure.set(processor.vendor, at: 7)
            structure.set(processor.signature, at: 8)
            structure.set(processor.features, at: 12)
            structure.set(processor.model, at: 16)
            structure.set([0x41, 1], at: 24)  // populated and enabled; upgrade "other"
            for cache in [26, 28, 30] { structure.set(UInt16(0xFFFF), at: cache) }
            structure.set([1, 1, 1], at: 35)
            structure.set(UInt16(1 << 2), at: 38)  // 64 bits
            structure.set(UInt16(1), at: 40)
            for count in [42, 44, 46] { structure.set(UInt16(1), at: count) }
            return structure
        }
    }

    /// §7.17: system memory on the board, without error correction.
    private var memoryArray: SMBIOSStructure {
        var structure = SMBIOSStructure(type: 16, size: 23, handle: Handle.memoryArray)
        structure.set([3, 3, 3], at: 4)
        structure.set(UInt32(0x8000_0000), at: 7)
        structure.set(UInt16(0xFFFE), at: 11)
        structure.set(UInt16(1), at: 13)
        structure.set(memorySize, at: 15)
        return structure
    }

    /// §7.18: all RAM as one module; what is 32 GiB less a MiB or more is told in the extended field.
    private var memoryDevice: SMBIOSStructure {
        let megabytes = memorySize >> 20
        var structure = SMBIOSStructure(type: 17, size: 40, handle: Handle.memoryDevice)
        structure.set(Handle.memoryArray, at: 4)
        structure.set(UInt16(0xFFFE), at: 6)
        structure.set(UInt32(0xFFFF_FFFF), at: 8)
        structure.set(megabytes < 0x7FFF ? UInt16(megabytes) : 0x7FFF, at: 12)
        structure.set([9], at: 14)  // a DIMM
        structure.set("DIMM 0", at: 16)
        structure.set([7], at: 18)  // RAM
        structure.set(Self.maker, at: 23)
        structure.set(megabytes < 0x7FFF ? UInt32(0) : UInt32(megabytes), at: 28)
        return structure
    }

    /// §7.20: RAM below and above the hole, in KiB.
    private var ranges: [SMBIOSStructure] {
        let parts = [PCMemoryMap.lowMemory(memorySize), PCMemoryMap.highMemory(memorySize)].filter { $0.size > 0 }
        return parts.enumerated().map { index, range in
            var structure = SMBIOSStructure(type: 19, size: 31, handle: Handle.memoryRange + UInt16(index))
            structure.set(UInt32(range.base >> 10), at: 4)
            structure.set(UInt32((range.end - 1) >> 10), at: 8)
            structure.set(Handle.memoryArray, at: 12)
            structure.set([1], at: 14)
            return structure
        }
    }

    /// §7.33: no errors.
    private var boot: SMBIOSStructure { SMBIOSStructure(type: 32, size: 11, handle: Handle.boot) }

    /// §7.44.
    private var end: SMBIOSStructure { SMBIOSStructure(type: 127, size: 4, handle: Handle.end) }
}

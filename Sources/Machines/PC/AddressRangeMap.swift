// SPDX-License-Identifier: Apache-2.0

/// What an operating system may do with an address range (ACPI 6.5 §15.2, table 15.2).
enum AddressRangeKind: UInt32, Sendable {
    case memory = 1
    case reserved = 2
}

/// One range of the map that BIOS call E820 would answer.
struct AddressRange: Equatable, Sendable {
    let base: UInt64
    let size: UInt64
    let kind: AddressRangeKind
}

/// The map of the x86-64 machine's memory as kernels are told it, ordered and without overlaps.
enum AddressRangeMap {
    /// The map of a machine with `memorySize` bytes of RAM. What no range covers is free for PCI.
    static func ranges(memorySize: UInt64) -> [AddressRange] {
        let low = PCMemoryMap.lowMemory(memorySize)
        let high = PCMemoryMap.highMemory(memorySize)
        func range(_ range: PCMemoryMap.Range, _ kind: AddressRangeKind) -> AddressRange {
            AddressRange(base: range.base, size: range.size, kind: kind)
        }
        var ranges = [
            range(PCMemoryMap.conventional, .memory),
            range(PCMemoryMap.extendedBIOSData, .reserved),
            range(PCMemoryMap.tables, .reserved),
            AddressRange(
                base: PCMemoryMap.extendedBase, size: low.end - PCMemoryMap.extendedBase, kind: .memory),
            range(PCMemoryMap.pciConfiguration, .reserved),
            range(PCMemoryMap.rom, .reserved),
        ]
        if high.size > 0 { ranges.append(range(high, .memory)) }
        return ranges
    }
}

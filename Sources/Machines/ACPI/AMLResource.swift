// SPDX-License-Identifier: Apache-2.0

/// What a device of ACPI's occupies (ACPI 6.5 §6.4).
enum AMLResource: Sendable {
    /// Ports of a chip at a fixed place (§6.4.2.5).
    case ports(PCPort.Range)
    /// An interrupt as ISA has them: edge, active high (§6.4.2.1).
    case interrupt(Int)
    /// Memory of a chip at a fixed place below 4 GiB (§6.4.3.4).
    case memory(PCMemoryMap.Range)
    /// What a bridge passes on (§6.4.3.5): bus numbers, ports, memory for 32-bit and for 64-bit base addresses.
    case busWindow(ClosedRange<UInt16>)
    case portWindow(ClosedRange<UInt16>)
    case memoryWindow(PCMemoryMap.Range)
    case highMemoryWindow(PCMemoryMap.Range)

    /// The descriptors of `resources`, and the end tag with a checksum that nobody looks at (§6.4.2.9).
    static func template(_ resources: [AMLResource]) -> [UInt8] { resources.flatMap(\.bytes) + [0x79, 0] }

    private var bytes: [UInt8] {
        switch self {
        case .ports(let range):
            // 16-bit decoding; the lowest and highest base are one.
            [0x47, 1] + Self.words([range.base, range.base]) + [1, UInt8(range.size)]
        case .interrupt(let number): [0x22] + Self.words([UInt16(1) << UInt16(number)])
        case .memory(let range):
            [0x86, 9, 0, 1] + Self.words([UInt32(range.base), UInt32(range.size)])
        case .busWindow(let range): Self.words(kind: 2, flags: 0, range)
        // Both kinds of ports of ISA's.
        case .portWindow(let range): Self.words(kind: 1, flags: 3, range)
        case .memoryWindow(let range):
            [0x87, 23, 0, 0, 0x0C, 1]
                + Self.words([0, UInt32(range.base), UInt32(range.end - 1), 0, UInt32(range.size)])
        case .highMemoryWindow(let range):
            [0x8A, 43, 0, 0, 0x0C, 1] + Self.words([0, range.base, range.end - 1, 0, range.size])
        }
    }

    /// A word address space descriptor (§6.4.3.5.3): granularity, first, last, translation, length; first and last are
    /// fixed.
    private static func words(kind: UInt8, flags: UInt8, _ range: ClosedRange<UInt16>) -> [UInt8] {
        [0x88, 13, 0, kind, 0x0C, flags]
            + words([0, range.lowerBound, range.upperBound, 0, range.upperBound - range.lowerBound + 1])
    }

    private static func words<T: FixedWidthInteger>(_ values: [T]) -> [UInt8] {
        var bytes = LittleEndianWriter(count: 0)
        for value in values { bytes.append(value) }
        return bytes.bytes
    }
}

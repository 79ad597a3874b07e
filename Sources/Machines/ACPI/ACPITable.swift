// SPDX-License-Identifier: Apache-2.0

/// A system description table: a header of 36 bytes, then its own fields (ACPI 6.5 §5.2.6).
struct ACPITable: Sendable {
    private(set) var content: LittleEndianWriter
    private static let headerSize = 36

    /// A table of `size` bytes in all, the rest of which `set` and `append` fill.
    init(_ signature: String, revision: UInt8, size: Int = headerSize) {
        precondition(signature.utf8.count == 4 && size >= Self.headerSize, "a table has a name and a header")
        content = LittleEndianWriter(count: size)
        content.set(Array(signature.utf8), at: 0)
        content.set(revision, at: 8)
        content.set(Array("APUS  ".utf8), at: 10)
        content.set(Array("APUSPC  ".utf8), at: 16)
        content.set(UInt32(1), at: 24)
        content.set(Array("APUS".utf8), at: 28)
        content.set(UInt32(1), at: 32)
    }

    /// Sets the field at `offset`, which lies within.
    mutating func set<T: FixedWidthInteger>(_ value: T, at offset: Int) { content.set(value, at: offset) }

    /// Adds a field at the end.
    mutating func append<T: FixedWidthInteger>(_ value: T) { content.append(value) }

    /// Adds bytes at the end.
    mutating func append(_ bytes: [UInt8]) { content.append(bytes) }

    /// Sets a generic address structure (§5.2.3.2) of `width` bytes in I/O or memory space.
    mutating func set(_ address: ACPIAddress, at offset: Int) { content.set(address.bytes, at: offset) }

    /// The table with its length, and the byte that makes the sum of all zero.
    var bytes: [UInt8] {
        var table = content
        table.set(UInt32(table.bytes.count), at: 4)
        table.set(Self.checksum(table.bytes), at: 9)
        return table.bytes
    }

    /// What makes the sum of `bytes` zero in eight bits.
    static func checksum(_ bytes: some Sequence<UInt8>) -> UInt8 { 0 &- bytes.reduce(0, &+) }
}

/// A register's place (ACPI 6.5 §5.2.3.2).
enum ACPIAddress: Sendable {
    case port(UInt16, bits: UInt8)
    case memory(UInt64, bits: UInt8)

    var bytes: [UInt8] {
        switch self {
        case .port(let port, let bits): [1, bits, 0, Self.access(bits)] + LittleEndianWriter.bytes(UInt64(port))
        case .memory(let address, let bits): [0, bits, 0, 0] + LittleEndianWriter.bytes(address)
        }
    }

    /// Byte 1, word 2, double word 3.
    private static func access(_ bits: UInt8) -> UInt8 { bits == 8 ? 1 : bits == 16 ? 2 : 3 }
}

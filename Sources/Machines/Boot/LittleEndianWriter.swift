// SPDX-License-Identifier: Apache-2.0

/// Bytes of a structure under construction, of a fixed size and zero at first: fields are set at their offsets.
struct LittleEndianWriter: Sendable {
    private(set) var bytes: [UInt8]

    init(count: Int) { bytes = [UInt8](repeating: 0, count: count) }

    /// Begins with `bytes`.
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Sets the field at `offset`, which lies within.
    mutating func set<T: FixedWidthInteger>(_ value: T, at offset: Int) {
        precondition(offset + MemoryLayout<T>.size <= bytes.count, "a field lies within its structure")
        for index in 0..<MemoryLayout<T>.size {
            bytes[offset + index] = UInt8(truncatingIfNeeded: value >> T(truncatingIfNeeded: index * 8))
        }
    }

    /// Sets bytes from `offset`, which lie within.
    mutating func set(_ value: some Collection<UInt8>, at offset: Int) {
        precondition(offset + value.count <= bytes.count, "a field lies within its structure")
        for (index, byte) in value.enumerated() { bytes[offset + index] = byte }
    }

    /// Adds a field at the end.
    mutating func append<T: FixedWidthInteger>(_ value: T) { bytes += Self.bytes(value) }

    /// Adds bytes at the end.
    mutating func append(_ value: some Sequence<UInt8>) { bytes += value }

    /// The bytes of `value`, lowest first.
    static func bytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        (0..<MemoryLayout<T>.size).map { UInt8(truncatingIfNeeded: value >> T(truncatingIfNeeded: $0 * 8)) }
    }
}

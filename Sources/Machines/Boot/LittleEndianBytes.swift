// SPDX-License-Identifier: Apache-2.0

/// Bytes of a file that nobody vouches for: every read is checked against their end, at any offset up to 2^64.
struct LittleEndianBytes: Sendable {
    let bytes: [UInt8]

    var count: UInt64 { UInt64(bytes.count) }

    /// The little-endian integer at `offset`, or nil past the end.
    func integer<T: FixedWidthInteger & UnsignedInteger>(_ type: T.Type, at offset: UInt64) -> T? {
        let width = UInt64(MemoryLayout<T>.size)
        guard contains(offset, count: width) else { return nil }
        var value: T = 0
        for index in (0..<Int(width)).reversed() {
            value = (value << 8) | T(truncatingIfNeeded: bytes[Int(offset) + index])
        }
        return value
    }

    /// Whether `count` bytes from `offset` lie within.
    func contains(_ offset: UInt64, count: UInt64) -> Bool {
        offset <= self.count && count <= self.count - offset
    }

    /// The bytes in `count` bytes from `offset`, or nil where they do not all exist.
    func slice(_ offset: UInt64, count: UInt64) -> ArraySlice<UInt8>? {
        guard contains(offset, count: count) else { return nil }
        return bytes[Int(offset)..<Int(offset + count)]
    }

    /// Whether the bytes at `offset` are `wanted`.
    func has(_ wanted: [UInt8], at offset: UInt64) -> Bool {
        guard contains(offset, count: UInt64(wanted.count)) else { return false }
        for (index, byte) in wanted.enumerated() where bytes[Int(offset) + index] != byte { return false }
        return true
    }
}

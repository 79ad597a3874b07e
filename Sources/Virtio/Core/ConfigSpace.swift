// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// A device's configuration space: little-endian fields at fixed offsets (virtio 1.2 §2.5), readable in any width.
public struct ConfigSpace: Sendable {
    private var bytes: [UInt8]

    /// `count` bytes of zero.
    public init(count: Int) { bytes = [UInt8](repeating: 0, count: count) }

    /// The size in bytes.
    public var count: Int { bytes.count }

    /// What a driver reads; zero behind the end.
    public func read(at offset: UInt64, width: AccessWidth) -> UInt64 {
        var value: UInt64 = 0
        for index in 0..<width.bytes {
            let (place, overflow) = offset.addingReportingOverflow(index)
            guard !overflow, place < UInt64(bytes.count) else { break }
            value |= UInt64(bytes[Int(place)]) << (8 * index)
        }
        return value
    }

    /// Sets the field at `offset`, which lies within.
    mutating func set<T: FixedWidthInteger & UnsignedInteger>(_ value: T, at offset: Int) {
        for index in 0..<MemoryLayout<T>.size {
            bytes[offset + index] = UInt8(truncatingIfNeeded: value >> T(index * 8))
        }
    }

    /// Sets the bytes from `offset` on, which lie within.
    mutating func set(_ value: [UInt8], at offset: Int) {
        bytes.replaceSubrange(offset..<offset + value.count, with: value)
    }
}

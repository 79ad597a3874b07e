// SPDX-License-Identifier: Apache-2.0

/// One input of the fuzzer, read front to back; past its end everything is zero.
public struct FuzzInput {
    private let content: [UInt8]
    private var position = 0

    /// The `count` bytes at `start`, as libFuzzer hands them over.
    public init(_ start: UnsafePointer<UInt8>?, _ count: Int) {
        content = Array(UnsafeBufferPointer(start: start, count: count))
    }

    /// Nothing is left.
    public var isEmpty: Bool { position >= content.count }

    /// The next byte.
    public mutating func byte() -> UInt8 {
        guard position < content.count else { return 0 }
        defer { position += 1 }
        return content[position]
    }

    /// The next integer, little-endian.
    public mutating func integer<T: FixedWidthInteger>(_ type: T.Type = T.self) -> T {
        (0..<T.bitWidth / 8).reduce(0) { $0 | T(truncatingIfNeeded: byte()) << T($1 * 8) }
    }

    /// Up to `count` bytes.
    public mutating func bytes(_ count: Int) -> [UInt8] {
        let end = min(position + count, content.count)
        defer { position = end }
        return Array(content[min(position, end)..<end])
    }

    /// The bytes up to the next `separator`, which is taken too, or to the end.
    public mutating func bytes(upTo separator: UInt8) -> [UInt8] {
        let rest = content[min(position, content.count)...]
        let end = rest.firstIndex(of: separator) ?? content.count
        defer { position = end + 1 }
        return Array(rest[..<end])
    }

    /// All that is left.
    public mutating func rest() -> [UInt8] { bytes(content.count) }
}

// SPDX-License-Identifier: Apache-2.0

/// Up to 16 bytes of code, of which `count` are there: what an instruction is decoded from.
public struct CodeBytes: Sendable {
    private var low: UInt64
    private var high: UInt64
    /// How many bytes are known: 0 to 16.
    public private(set) var count: Int

    /// The first `count` of 16 bytes, lowest first.
    init(low: UInt64, high: UInt64, count: Int) {
        self.low = low
        self.high = high
        self.count = min(count, 16)
    }

    /// No bytes yet.
    public init() { self.init(low: 0, high: 0, count: 0) }

    /// The first 16 of `bytes`.
    public init(_ bytes: some Sequence<UInt8>) {
        self.init()
        for byte in bytes.prefix(16) { append(byte) }
    }

    /// Adds a byte; more than 16 are not kept.
    mutating func append(_ byte: UInt8) {
        guard count < 16 else { return }
        if count < 8 {
            low |= UInt64(byte) << UInt64(count * 8)
        } else {
            high |= UInt64(byte) << UInt64(count * 8 - 64)
        }
        count += 1
    }

    /// Byte `index`, 0 to 15.
    subscript(index: Int) -> UInt8 {
        index < 8
            ? UInt8(truncatingIfNeeded: low &>> UInt64(truncatingIfNeeded: index &* 8))
            : UInt8(truncatingIfNeeded: high &>> UInt64(truncatingIfNeeded: (index &- 8) &* 8))
    }

    /// The little-endian number of `bytes`, 1 to 8, from `index` on; they are there.
    func number(_ index: Int, _ bytes: Int) -> UInt64 {
        var value: UInt64 = 0
        for position in 0..<bytes { value |= UInt64(self[index + position]) << UInt64(position * 8) }
        return value
    }
}

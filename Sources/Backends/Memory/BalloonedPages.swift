// SPDX-License-Identifier: Apache-2.0

import Host

/// Which pages of a guest's memory are in its balloon, a bit each, and how many of each block that a huge page could
/// hold. A page that is added twice is in once.
package struct BalloonedPages {
    private static var pageSize: UInt64 { 4096 }
    private static var blockSize: UInt64 { UInt64(GuestRAM.alignment) }
    private static var pagesPerBlock: UInt64 { blockSize / pageSize }

    private let size: UInt64
    /// Made when the first page comes: most guests never give one away.
    private var bits: [UInt64] = []
    private var counts: [UInt16] = []

    /// A balloon for `size` bytes of memory, without a page.
    package init(size: UInt64) { self.size = size }

    /// Whether the page at byte `offset` is in.
    package func contains(_ offset: UInt64) -> Bool {
        let page = offset / Self.pageSize
        return Int(page / 64) < bits.count && bits[Int(page / 64)] >> (page % 64) & 1 != 0
    }

    /// Adds the pages of `range`; the blocks that had none before, neighbours joined, as byte ranges.
    package mutating func add(_ range: Range<UInt64>) -> [Range<UInt64>] {
        if bits.isEmpty {
            bits = [UInt64](repeating: 0, count: Int((size / Self.pageSize + 63) / 64))
            counts = [UInt16](repeating: 0, count: Int((size + Self.blockSize - 1) / Self.blockSize))
        }
        var changed: [Range<UInt64>] = []
        for page in pages(range) where bits[Int(page / 64)] >> (page % 64) & 1 == 0 {
            bits[Int(page / 64)] |= 1 << (page % 64)
            let block = Int(page / Self.pagesPerBlock)
            counts[block] += 1
            if counts[block] == 1 { append(block, to: &changed) }
        }
        return changed
    }

    /// Takes the pages of `range` out; the blocks that have none any more.
    package mutating func remove(_ range: Range<UInt64>) -> [Range<UInt64>] {
        guard !bits.isEmpty else { return [] }
        var changed: [Range<UInt64>] = []
        for page in pages(range) where bits[Int(page / 64)] >> (page % 64) & 1 != 0 {
            bits[Int(page / 64)] &= ~(1 << (page % 64))
            let block = Int(page / Self.pagesPerBlock)
            counts[block] -= 1
            if counts[block] == 0 { append(block, to: &changed) }
        }
        return changed
    }

    /// Takes all pages out; the blocks that had any.
    package mutating func removeAll() -> [Range<UInt64>] {
        var changed: [Range<UInt64>] = []
        for block in counts.indices where counts[block] > 0 { append(block, to: &changed) }
        bits = []
        counts = []
        return changed
    }

    private func pages(_ range: Range<UInt64>) -> Range<UInt64> {
        range.lowerBound / Self.pageSize..<min(range.upperBound, size) / Self.pageSize
    }

    private func append(_ block: Int, to ranges: inout [Range<UInt64>]) {
        let start = UInt64(block) * Self.blockSize
        let end = min(start + Self.blockSize, size)
        if let last = ranges.last, last.upperBound == start {
            ranges[ranges.count - 1] = last.lowerBound..<end
        } else {
            ranges.append(start..<end)
        }
    }
}

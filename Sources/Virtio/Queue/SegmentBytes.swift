// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

/// Bytes scattered over segments, seen as one run. A driver may cut a message anywhere (virtio 1.2 §2.7.4.1).
extension Collection<MemorySegment> {
    /// The parts that hold `count` bytes from `offset`; fewer where the segments end before.
    public func part(from offset: UInt64, count: UInt64 = .max) -> [MemorySegment] {
        var parts: [MemorySegment] = []
        parts.reserveCapacity(self.count)
        var skip = offset
        var left = count
        for segment in self where left > 0 {
            guard skip < segment.count else {
                skip &-= segment.count
                continue
            }
            let length = Swift.min(segment.count &- skip, left)
            parts.append(MemorySegment(address: segment.address + skip, count: length))
            skip = 0
            left &-= length
        }
        return parts
    }
}

extension GuestMemory {
    /// Copies up to `count` bytes from `offset` of `segments` to the end of `bytes`; how many there were.
    @discardableResult
    func gather(
        _ segments: some Collection<MemorySegment>, from offset: UInt64 = 0, count: Int, into bytes: inout [UInt8]
    ) -> Int {
        let start = bytes.count
        for part in segments.part(from: offset, count: UInt64(count)) {
            // SAFETY: the segment's own bytes, read for the length of the closure; RAM does not go away.
            guard let host = unsafe hostPointer(at: part.address, count: part.count) else { break }
            unsafe bytes.append(
                contentsOf: UnsafeRawBufferPointer(start: host, count: Int(truncatingIfNeeded: part.count)))
        }
        return bytes.count - start
    }

    /// The `count` bytes at `offset` of `segments`, copied once, or nil where there are fewer.
    func gather(_ segments: some Collection<MemorySegment>, from offset: UInt64 = 0, count: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        return gather(segments, from: offset, count: count, into: &bytes) == count ? bytes : nil
    }

    /// Writes `bytes` over `segments` from `offset` on; how many fitted.
    @discardableResult
    func scatter(
        _ bytes: ArraySlice<UInt8>, over segments: some Collection<MemorySegment>, from offset: UInt64 = 0
    ) -> Int {
        let parts = segments.part(from: offset, count: UInt64(bytes.count))
        // SAFETY: the parts' counts sum to no more than `source.count`; `write` checks the guest's side.
        return unsafe bytes.withUnsafeBytes { source in
            var done = 0
            for part in parts {
                let count = Int(truncatingIfNeeded: part.count)
                guard unsafe write(UnsafeRawBufferPointer(rebasing: source[done..<done + count]), at: part.address)
                else { break }
                done += count
            }
            return done
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

/// One buffer that the driver made available: a copy of its descriptors, every segment checked to be RAM.
///
/// The driver may rewrite its descriptors at any time; nothing here changes with them.
public struct DescriptorChain: Sendable {
    /// The index of the first descriptor, by which the driver knows the buffer.
    public let head: UInt16
    /// The parts in order: first those the device reads, then those it writes (virtio 1.2 §2.7.4.2). None is empty.
    public private(set) var segments: [MemorySegment] = []
    /// How many of `segments` the device reads.
    public private(set) var readableSegments = 0
    /// The bytes the device may read.
    public private(set) var readableCount: UInt64 = 0
    /// The bytes the device may write.
    public private(set) var writableCount: UInt64 = 0

    init(head: UInt16) {
        self.head = head
        // One allocation for most requests: a header, some data, a status.
        segments.reserveCapacity(4)
    }

    /// What the device reads.
    public var readable: ArraySlice<MemorySegment> { segments[..<readableSegments] }
    /// What the device writes.
    public var writable: ArraySlice<MemorySegment> { segments[readableSegments...] }

    /// Adds a part; the queue has checked order, size and place.
    mutating func append(_ segment: MemorySegment, writable: Bool) {
        segments.append(segment)
        if writable {
            writableCount &+= segment.count
        } else {
            readableSegments += 1
            readableCount &+= segment.count
        }
    }
}

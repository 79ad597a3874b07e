// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

extension VirtQueue {
    /// What there was to take from the available ring.
    public enum Available {
        /// A buffer, now the device's until `pushUsed`.
        case chain(DescriptorChain)
        /// Nothing, or the queue is not ready.
        case none
        /// The driver broke the rules.
        case fault(QueueFault)
    }

    /// Takes the next buffer that the driver made available (virtio 1.2 §2.7.13).
    public func popAvailable() -> Available {
        guard let rings else { return .none }
        if nextAvailable == availableSnapshot {
            // Acquire: the entries and descriptors of what the index covers are read after it.
            let index = rings.available.loadAcquire16(at: 2)
            guard index != nextAvailable else { return .none }
            // A descriptor is the driver's again only when the used index says so: the driver can never be further
            // ahead of it than the queue is long. This bounds every loop that takes buffers before it publishes.
            guard index &- publishedUsed <= size, index &- nextAvailable <= size
            else { return .fault(.availableIndexJumped) }
            availableSnapshot = index
        }
        let head = rings.available.load16(at: availableEntry(nextAvailable))
        nextAvailable &+= 1
        return walk(from: head, rings.descriptors)
    }

    /// Gives the `count` buffers taken last back to the ring, untouched: the next `popAvailable` finds them again.
    public func unpopAvailable(_ count: Int = 1) { nextAvailable &-= UInt16(truncatingIfNeeded: count) }

    private func walk(from head: UInt16, _ descriptors: RingMemory) -> Available {
        var chain = DescriptorChain(head: head)
        var table = descriptors
        var tableCount = UInt32(size)
        var isIndirect = false
        var limit = size
        var visited: UInt16 = 0
        var index = head
        while true {
            guard UInt32(index) < tableCount else { return .fault(.descriptorOutOfRange) }
            let descriptor = Descriptor(table.loadPair(UInt64(index)))

            if descriptor.isIndirect {
                // virtio 1.2 §2.7.5.3.1: negotiated, not nested, nothing behind it. §2.7.5.3.2: its write flag says
                // nothing, and plain descriptors may come before it.
                guard allowsIndirect, !isIndirect, !descriptor.hasNext,
                    descriptor.length > 0, descriptor.length & 15 == 0,
                    let inner = RingMemory(
                        memory, at: descriptor.address, count: UInt64(descriptor.length), alignment: 1)
                else { return .fault(.badIndirectTable) }
                table = inner
                tableCount = descriptor.length / 16
                isIndirect = true
                limit = maximumSize
                index = 0
                continue
            }

            // The one that refers to a table is no part of the chain's length.
            guard visited < limit else { return .fault(.chainTooLong) }
            visited += 1
            if let fault = add(descriptor, to: &chain) { return .fault(fault) }
            guard descriptor.hasNext else { return .chain(chain) }
            index = descriptor.next
        }
    }

    private func add(_ descriptor: Descriptor, to chain: inout DescriptorChain) -> QueueFault? {
        let count = UInt64(descriptor.length)
        guard count > 0 else { return .emptyBuffer }
        guard descriptor.isWritable || chain.writableCount == 0 else { return .readableAfterWritable }
        guard chain.readableCount + chain.writableCount + count <= 1 << 32 else { return .chainTooLarge }
        guard memory.contains(descriptor.address, count: count) else { return .bufferOutsideMemory }
        chain.append(
            MemorySegment(address: descriptor.address, count: count), writable: descriptor.isWritable)
        return nil
    }
}

/// One element of a descriptor table (virtio 1.2 §2.7.5), copied: le64 address, le32 length, le16 flags, le16 next.
private struct Descriptor {
    let address: GuestAddress
    let length: UInt32
    let flags: UInt16
    let next: UInt16

    init(_ words: (low: UInt64, high: UInt64)) {
        address = GuestAddress(words.low)
        length = UInt32(truncatingIfNeeded: words.high)
        flags = UInt16(truncatingIfNeeded: words.high >> 32)
        next = UInt16(truncatingIfNeeded: words.high >> 48)
    }

    var hasNext: Bool { flags & 1 != 0 }
    var isWritable: Bool { flags & 2 != 0 }
    var isIndirect: Bool { flags & 4 != 0 }
}

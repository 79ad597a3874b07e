// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

/// The device's side of a split virtqueue (virtio 1.2 §2.7).
///
/// The rings lie in guest memory and other vCPUs write them at any moment. The queue reads each field once, checks what
/// it read, and answers whatever breaks the rules with a `QueueFault`; it never trusts an index, follows a loop or
/// touches what is not RAM.
public final class VirtQueue {
    /// Where the driver put the three parts (§2.7) and how many descriptors there are.
    public struct Layout: Equatable, Sendable {
        /// Descriptors: a power of two up to the queue's maximum.
        public var size: UInt16
        /// The descriptor table, 16 bytes a descriptor, aligned to 16.
        public var descriptorArea = GuestAddress(0)
        /// The available ring, written by the driver, aligned to 2.
        public var driverArea = GuestAddress(0)
        /// The used ring, written by the device, aligned to 4.
        public var deviceArea = GuestAddress(0)
    }

    struct Rings {
        let descriptors: RingMemory
        let available: RingMemory
        let used: RingMemory
    }

    /// The most descriptors that the driver may choose, and the most that one chain may have, its indirect table
    /// included: a driver that chose a smaller queue may still fill the tables that the device's limits allow.
    public let maximumSize: UInt16
    /// What the driver has written; in effect from the moment the queue is enabled.
    public internal(set) var layout: Layout
    /// Counts the times the queue was enabled: an answer to a chain of an earlier time goes nowhere.
    public private(set) var epoch: UInt32 = 0

    let memory: GuestMemory
    /// The rings, while the queue is ready.
    private(set) var rings: Rings?
    var size: UInt16 = 0
    /// VIRTIO_F_EVENT_IDX was negotiated.
    var usesEventIndex = false
    /// VIRTIO_F_INDIRECT_DESC was negotiated.
    var allowsIndirect = false

    /// The next entry of the available ring to take, counted without bound (mod 2^16).
    var nextAvailable: UInt16 = 0
    /// The driver's index as last read: up to here entries may be taken without reading it again.
    var availableSnapshot: UInt16 = 0
    /// The next entry of the used ring to fill.
    var nextUsed: UInt16 = 0
    /// The index that the driver has been shown.
    var publishedUsed: UInt16 = 0

    /// A queue of up to `maximumSize` descriptors, a power of two up to 1024.
    init(memory: GuestMemory, maximumSize: UInt16) {
        precondition(
            maximumSize.nonzeroBitCount == 1 && maximumSize <= 1024, "a queue's size is a power of two up to 1024")
        self.memory = memory
        self.maximumSize = maximumSize
        self.layout = Layout(size: maximumSize)
    }

    /// Whether the driver has enabled the queue.
    public var isReady: Bool { rings != nil }

    /// Takes the layout into effect and starts at index 0, or says what is wrong with it.
    func enable() -> QueueFault? {
        let size = UInt64(layout.size)
        guard size.nonzeroBitCount == 1, layout.size <= maximumSize else { return .badSize }
        // virtio 1.2 §2.7: alignment and size of each part, the event fields at the ends included.
        guard
            let descriptors = RingMemory(memory, at: layout.descriptorArea, count: 16 * size, alignment: 16),
            let available = RingMemory(memory, at: layout.driverArea, count: 6 + 2 * size, alignment: 2),
            let used = RingMemory(memory, at: layout.deviceArea, count: 6 + 8 * size, alignment: 4)
        else { return .badRing }
        rings = Rings(descriptors: descriptors, available: available, used: used)
        self.size = layout.size
        nextAvailable = 0
        availableSnapshot = 0
        nextUsed = 0
        publishedUsed = 0
        epoch &+= 1
        return nil
    }

    /// Lets go of the rings: nothing of the queue is read or written any more.
    func disable() { rings = nil }

    /// Back to the state after power-on.
    func reset() {
        disable()
        layout = Layout(size: maximumSize)
        usesEventIndex = false
        allowsIndirect = false
    }

    /// The offset of the available ring's entry for `index`: flags and idx first, two bytes each (§2.7.6).
    @inline(__always)
    func availableEntry(_ index: UInt16) -> UInt64 { 4 + 2 * UInt64(index & (size &- 1)) }
    /// The offset of the used ring's entry for `index` (§2.7.8).
    @inline(__always)
    func usedEntry(_ index: UInt16) -> UInt64 { 4 + 8 * UInt64(index & (size &- 1)) }
}

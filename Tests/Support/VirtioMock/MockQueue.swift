// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Synchronization
import VMMemory

/// The driver's side of a split virtqueue (virtio 1.2 §2.7), honest by its `add` and `kick`, and able to lie by the
/// fields that it exposes.
public final class MockQueue {
    /// A buffer that came back.
    public struct Used: Equatable, Sendable {
        public let head: UInt16
        public let length: UInt32
    }

    public let index: Int
    public let size: UInt16
    public let descriptors: GuestAddress
    public let available: GuestAddress
    public let used: GuestAddress
    private let ram: MockRAM
    private let registers: any DriverRegisters
    private let usesEventIndex: Bool

    /// The next index to publish; freely running.
    public var availableIndex: UInt16 = 0
    private var publishedIndex: UInt16 = 0
    private var usedIndex: UInt16 = 0
    private var free: [UInt16]
    private var chains: [UInt16: [UInt16]] = [:]

    /// Queue `index` of `size` descriptors in `ram`; the device is not told.
    public init(_ index: Int, size: UInt16, ram: MockRAM, registers: any DriverRegisters, usesEventIndex: Bool) {
        self.index = index
        self.size = size
        self.ram = ram
        self.registers = registers
        self.usesEventIndex = usesEventIndex
        descriptors = ram.allocate(16 * UInt64(size), alignment: 16)
        available = ram.allocate(6 + 2 * UInt64(size), alignment: 2)
        used = ram.allocate(6 + 8 * UInt64(size), alignment: 4)
        free = (0..<size).reversed()
    }

    /// The descriptors that are free.
    public var freeCount: Int { free.count }

    /// Writes descriptor `number` of the table at `table`.
    public func setDescriptor(
        _ number: UInt16, _ segment: MemorySegment, flags: UInt16, next: UInt16 = 0, table: GuestAddress? = nil
    ) {
        let place = (table ?? descriptors) + UInt64(number) * 16
        ram.memory.store(segment.address.value, at: place)
        ram.memory.store(UInt32(truncatingIfNeeded: segment.count), at: place + 8)
        ram.memory.store(flags, at: place + 12)
        ram.memory.store(next, at: place + 14)
    }

    /// Puts `head` into the available ring, not yet visible.
    public func makeAvailable(_ head: UInt16) {
        ram.memory.store(head, at: available + 4 + 2 * UInt64(availableIndex % size))
        availableIndex &+= 1
    }

    /// Adds a buffer of these segments; nil where there are no descriptors for it.
    @discardableResult
    public func add(
        readable: [MemorySegment] = [], writable: [MemorySegment] = [], indirect: Bool = false
    ) -> UInt16? {
        let parts = readable.map { ($0, UInt16(0)) } + writable.map { ($0, UInt16(2)) }
        let needed = indirect ? 1 : parts.count
        guard needed > 0, free.count >= needed else { return nil }
        let taken = (0..<needed).map { _ in free.removeLast() }
        chains[taken[0]] = taken
        if indirect {
            let table = ram.allocate(UInt64(parts.count) * 16)
            for (number, part) in parts.enumerated() {
                let isLast = number == parts.count - 1
                setDescriptor(
                    UInt16(number), part.0, flags: part.1 | (isLast ? 0 : 1), next: UInt16(number + 1), table: table)
            }
            let segment = MemorySegment(address: table, count: UInt64(parts.count) * 16)
            setDescriptor(taken[0], segment, flags: 4)
        } else {
            for (number, part) in parts.enumerated() {
                let isLast = number == parts.count - 1
                setDescriptor(
                    taken[number], part.0, flags: part.1 | (isLast ? 0 : 1), next: isLast ? 0 : taken[number + 1])
            }
        }
        makeAvailable(taken[0])
        return taken[0]
    }

    /// Shows the device what was added.
    public func publish() {
        atomicMemoryFence(ordering: .releasing)
        ram.memory.store(availableIndex, at: available + 2)
    }

    /// Shows the device what was added and notifies it if it asked for that; whether it did.
    @discardableResult
    public func kick() -> Bool {
        publish()
        let before = publishedIndex
        publishedIndex = availableIndex
        // virtio 1.2 §2.7.13.4.1: the index is out before the device's wish is read.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        let wanted: Bool
        if usesEventIndex {
            let event = ram.memory.load(UInt16.self, at: used + 4 + 8 * UInt64(size)) ?? 0
            wanted = availableIndex &- event &- 1 < availableIndex &- before
        } else {
            wanted = (ram.memory.load(UInt16.self, at: used) ?? 0) & 1 == 0
        }
        if wanted { registers.notify(queue: index) }
        return wanted
    }

    /// The next buffer that came back.
    public func popUsed() -> Used? {
        guard let shown = ram.memory.load(UInt16.self, at: used + 2), shown != usedIndex else { return nil }
        atomicMemoryFence(ordering: .acquiring)
        let entry = used + 4 + 8 * UInt64(usedIndex % size)
        usedIndex &+= 1
        let head = UInt16(truncatingIfNeeded: ram.memory.load(UInt32.self, at: entry) ?? 0)
        if let chain = chains.removeValue(forKey: head) { free.append(contentsOf: chain.reversed()) }
        return Used(head: head, length: ram.memory.load(UInt32.self, at: entry + 4) ?? 0)
    }

    /// All buffers that came back.
    public func popAllUsed() -> [Used] {
        var all: [Used] = []
        while let one = popUsed() { all.append(one) }
        return all
    }

    /// With an event index: interrupt when the buffer `ahead` from the next to come back is used (0: that one).
    /// Without: interrupts on. What came back before the device knew is there to be popped, without an interrupt.
    public func wantInterrupt(ahead: UInt16 = 0) {
        ram.memory.store(UInt16(0), at: available)
        ram.memory.store(usedIndex &+ ahead, at: available + 4 + 2 * UInt64(size))
        atomicMemoryFence(ordering: .sequentiallyConsistent)
    }

    /// No interrupts, please.
    public func wantNoInterrupt() {
        ram.memory.store(UInt16(1), at: available)
        ram.memory.store(usedIndex &- 1, at: available + 4 + 2 * UInt64(size))
    }
}

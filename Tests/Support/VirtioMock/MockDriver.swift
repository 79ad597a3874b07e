// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

/// A driver: finds the device, negotiates, sets queues up and takes the device down again (virtio 1.2 §3.1, §3.3).
public final class MockDriver {
    /// Bits of the device status.
    public enum Status {
        public static let acknowledge: UInt8 = 1
        public static let driver: UInt8 = 2
        public static let driverOK: UInt8 = 4
        public static let featuresOK: UInt8 = 8
        public static let needsReset: UInt8 = 64
        public static let failed: UInt8 = 128
    }

    /// VIRTIO_F_VERSION_1.
    public static let version1: UInt64 = 1 << 32
    /// VIRTIO_F_EVENT_IDX.
    public static let eventIndex: UInt64 = 1 << 29
    /// VIRTIO_F_INDIRECT_DESC.
    public static let indirect: UInt64 = 1 << 28

    public let ram: MockRAM
    public let board: MockBoard
    public let registers: any DriverRegisters
    /// The queues, once `start` has made them.
    public private(set) var queues: [MockQueue] = []
    /// What was settled on.
    public private(set) var features: UInt64 = 0

    /// A driver for `board`'s device whose structures lie in `ram`.
    public init(_ board: MockBoard, ram: MockRAM) {
        self.board = board
        self.ram = ram
        board.ram = ram
        registers = board.transport == .mmio ? MMIODriverRegisters(board) : PCIDriverRegisters(board)
    }

    /// The registers, of a driver on MMIO.
    public var mmio: MMIODriverRegisters? { registers as? MMIODriverRegisters }
    /// The registers, of a driver on PCI.
    public var pci: PCIDriverRegisters? { registers as? PCIDriverRegisters }
    /// Whether the device has asked for a reset.
    public var needsReset: Bool { registers.status & Status.needsReset != 0 }

    /// Up to settled features; whether the device agreed.
    @discardableResult
    public func negotiate(accepting mask: UInt64 = .max) -> Bool {
        registers.prepare()
        registers.status = Status.acknowledge
        registers.status = Status.acknowledge | Status.driver
        features = registers.readDeviceFeatures() & mask
        registers.writeDriverFeatures(features)
        registers.status = Status.acknowledge | Status.driver | Status.featuresOK
        return registers.status & Status.featuresOK != 0
    }

    /// Sets up and enables queue `index` with up to `size` descriptors.
    public func makeQueue(_ index: Int, size: UInt16 = 64) -> MockQueue {
        let queue = MockQueue(
            index, size: min(size, registers.maximumSize(ofQueue: index)), ram: ram, registers: registers,
            usesEventIndex: features & Self.eventIndex != 0)
        registers.place(
            queue: index, size: queue.size, descriptors: queue.descriptors, driver: queue.available,
            device: queue.used)
        registers.enable(queue: index)
        queue.wantInterrupt()
        return queue
    }

    /// Sets up all queues with up to `queueSize` descriptors each, and says that the driver is ready.
    public func run(queueSize: UInt16 = 64) {
        queues = []
        while registers.maximumSize(ofQueue: queues.count) > 0 {
            queues.append(makeQueue(queues.count, size: queueSize))
        }
        registers.status |= Status.driverOK
    }

    /// All of the initialisation; whether the device agreed.
    @discardableResult
    public func start(accepting mask: UInt64 = .max, queueSize: UInt16 = 64) -> Bool {
        guard negotiate(accepting: mask) else { return false }
        run(queueSize: queueSize)
        return true
    }

    /// Asks for a reset; whether it is over at once.
    @discardableResult
    public func reset() -> Bool {
        registers.status = 0
        return registers.status == 0
    }

    /// A segment of `count` zeroed bytes.
    public func segment(_ count: UInt64) -> MemorySegment {
        MemorySegment(address: ram.allocate(count), count: count)
    }

    /// A segment with `bytes`.
    public func segment(_ bytes: [UInt8]) -> MemorySegment {
        MemorySegment(address: ram.place(bytes), count: UInt64(bytes.count))
    }

    /// What a segment holds.
    public func bytes(_ segment: MemorySegment) -> [UInt8] {
        ram.bytes(at: segment.address, count: Int(segment.count))
    }
}

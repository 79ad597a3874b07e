// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Synchronization
import Virtio

/// A board with one virtio device, doing what an adaptor does: under a lock it accesses the device and reads the
/// interrupt's level and the work; with the lock free again it performs the work.
public final class MockBoard {
    private let lock = Mutex<Void>(())
    /// Which transport the device is on.
    public enum Transport: String, CaseIterable, Sendable {
        case mmio
        case pci
        case pciWithMessages
    }

    /// The device.
    public let device: any VirtioDevice
    /// The transport.
    public let transport: Transport
    let mmio: MMIOTransport?
    let pci: PCITransport?

    /// The RAM that the device reaches: it lives as long as the board does.
    var ram: MockRAM?

    /// The level of the interrupt line.
    public private(set) var line = false
    /// How often the line went up.
    public private(set) var edges = 0
    /// Called, under the lock, when the line goes up.
    public var onEdge: () -> Void = {}
    /// Messages delivered.
    public let messages = MockMessageSink()
    /// Work waits in `heldWork` until `performHeldWork`.
    public var holdsWork = false
    /// Work that came while `holdsWork` was set.
    public private(set) var heldWork: [DeviceWork] = []

    /// A board with `device` behind `transport`.
    public init(_ device: any VirtioDevice, on transport: Transport) {
        self.device = device
        self.transport = transport
        switch transport {
        case .mmio: (mmio, pci) = (MMIOTransport(device: device), nil)
        case .pci: (mmio, pci) = (nil, PCITransport(device: device))
        case .pciWithMessages: (mmio, pci) = (nil, PCITransport(device: device, messageSink: messages))
        }
        device.core.reenter = { [unowned self] change in perform(change) }
    }

    /// Does `change` to the device as an adaptor does, and what follows it.
    @discardableResult
    public func perform<Result>(_ change: () -> Result) -> Result {
        nonisolated(unsafe) var outcome: (result: Result, work: DeviceWork?)?
        lock.withLock { _ in outcome = (change(), takeWork()) }
        outcome?.work?()
        guard let outcome else { preconditionFailure("the lock runs what it is given") }
        return outcome.result
    }

    private func takeWork() -> DeviceWork? {
        let level = mmio.map { $0.interruptLevels & 1 != 0 } ?? pci?.interruptLevel ?? false
        if level, !line {
            edges += 1
            onEdge()
        }
        line = level
        let work = mmio?.takeWork() ?? pci?.takeWork()
        guard holdsWork, let held = work else { return work }
        heldWork.append(held)
        return nil
    }

    /// Performs what was held, and holds nothing more.
    public func performHeldWork() {
        holdsWork = false
        let work = heldWork
        heldWork = []
        for item in work { item() }
    }

    /// Power-on reset of the whole board.
    public func reset() { perform { mmio?.reset() ?? pci?.reset() } }
}

/// Collects messages of MSI-X.
public final class MockMessageSink: MessageSink, @unchecked Sendable {
    /// A message delivered.
    public struct Message: Equatable, Sendable {
        public let address: UInt64
        public let data: UInt32
        public init(address: UInt64, data: UInt32) {
            self.address = address
            self.data = data
        }
    }

    /// In the order of delivery.
    public private(set) var delivered: [Message] = []

    public func deliver(address: UInt64, data: UInt32) { delivered.append(Message(address: address, data: data)) }
    /// Forgets them.
    public func clear() { delivered = [] }
}

// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

/// A virtio device as a PCI function (virtio 1.2 §4.1): modern only, by INTx, and by MSI-X where the platform has a
/// target for messages.
public final class PCITransport: PCIFunction {
    /// The device behind the registers.
    public let device: any VirtioDevice
    public let configuration: PCIConfiguration
    private let messageSink: (any MessageSink)?
    let messageInterrupts: PCIMessageInterrupts?
    /// Where the capability lies that reaches the structures through configuration space (§4.1.4.9).
    let windowCapability: Int

    var deviceFeatureSelect: UInt32 = 0
    var driverFeatureSelect: UInt32 = 0
    var queueSelect: UInt16 = 0
    var configVector = PCICommonRegister.noVector
    var queueVectors: [UInt16]

    /// A function for `device`, which has no other transport. Messages go to `messageSink`; without one there is no
    /// MSI-X, and drivers use `interruptPin`.
    public init(
        device: any VirtioDevice, messageSink: (any MessageSink)? = nil, interruptPin: PCIInterruptPin = .a
    ) {
        let core = device.core
        self.device = device
        self.messageSink = messageSink
        queueVectors = Array(repeating: PCICommonRegister.noVector, count: core.queues.count)
        configuration = PCIConfiguration(
            identity: PCIIdentity(
                // §4.1.2.1: 0x1040 and the device type; revision and subsystem say that it is not transitional.
                vendor: 0x1AF4, device: 0x1040 + UInt16(truncatingIfNeeded: core.deviceID), revision: 1,
                classCode: Self.classCode(of: core.deviceID), subsystemVendor: 0x1AF4,
                subsystem: 0x40 + UInt16(truncatingIfNeeded: core.deviceID)),
            interruptPin: interruptPin)
        configuration.addBaseAddress(PCIStructure.bar, .memory32(size: PCIStructure.barSize))
        if messageSink == nil {
            messageInterrupts = nil
        } else {
            messageInterrupts = PCIMessageInterrupts(
                vectors: core.queues.count + 1, bar: PCIStructure.bar,
                tableOffset: UInt32(PCIStructure.messageTable.rawValue),
                pendingOffset: UInt32(PCIStructure.messagePending.rawValue), configuration: configuration)
        }
        windowCapability = Self.addCapabilities(to: configuration, core)
    }

    /// What kind of device it is in PCI's terms (PCI Code and ID Assignment 1.11 §1).
    private static func classCode(of deviceID: UInt32) -> UInt32 {
        switch deviceID {
        case 1: 0x020000  // Ethernet
        case 2: 0x018000  // mass storage, other
        case 3: 0x078000  // communication, other
        default: 0x00FF00  // no class
        }
    }

    public var wantsInterrupt: Bool {
        device.core.interruptStatus != 0 && messageInterrupts?.isEnabled != true
    }

    public func takeWork() -> DeviceWork? {
        let work = device.takeWork()
        let messages = takeMessages()
        guard !messages.isEmpty, let messageSink else { return work }
        return {
            work?()
            for message in messages { messageSink.deliver(address: message.address, data: message.data) }
        }
    }

    private func takeMessages() -> [PCIMessage] {
        guard let messageInterrupts, messageInterrupts.isEnabled else { return [] }
        let core = device.core
        while core.pendingMessages != 0 {
            let source = core.pendingMessages.trailingZeroBitCount
            core.pendingMessages &= core.pendingMessages &- 1
            messageInterrupts.signal(Int(source == 63 ? configVector : queueVectors[source]))
        }
        return messageInterrupts.takeMessages()
    }

    public func reset() {
        configuration.reset()
        messageInterrupts?.reset()
        device.core.signalsByMessage = false
        device.resetToPowerOn()
        forgetSelections()
    }

    /// What a reset of the device takes back of the driver's choices.
    func forgetSelections() {
        deviceFeatureSelect = 0
        driverFeatureSelect = 0
        queueSelect = 0
        configVector = PCICommonRegister.noVector
        for index in queueVectors.indices { queueVectors[index] = PCICommonRegister.noVector }
    }
}

// MARK: Base address 0

extension PCITransport {
    public func read(bar: Int, at offset: UInt64, width: AccessWidth) -> UInt64 {
        let within = offset & 0xFFF
        switch PCIStructure(rawValue: offset & ~0xFFF) {
        case .common: return readCommon(at: within, width: width)
        case .isr:
            guard within == 0 else { return 0 }
            // §4.1.4.5: reading clears it and with it the interrupt.
            let status = device.core.interruptStatus
            device.core.interruptStatus = 0
            return UInt64(status)
        case .device: return device.core.readConfig(at: within, width: width)
        case .messageTable: return messageInterrupts?.readTable(at: within, width: width) ?? 0
        case .messagePending: return messageInterrupts?.readPending(at: within, width: width) ?? 0
        case .notify, nil: return 0
        }
    }

    public func write(_ value: UInt64, bar: Int, at offset: UInt64, width: AccessWidth) {
        let within = offset & 0xFFF
        switch PCIStructure(rawValue: offset & ~0xFFF) {
        case .common: writeCommon(value, at: within, width: width)
        case .device: device.writeConfig(value, at: within, width: width)
        // §4.1.5.2: the place says which queue; the value says the same.
        case .notify: device.notifyFromDriver(queue: within / UInt64(PCIStructure.notifyMultiplier))
        case .messageTable: messageInterrupts?.writeTable(value, at: within, width: width)
        case .isr, .messagePending, nil: break
        }
    }
}

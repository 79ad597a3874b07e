// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// `cfg_type` of a virtio structure capability (virtio 1.2 §4.1.4).
private enum StructureType: UInt8 {
    case common = 1
    case notify = 2
    case isr = 3
    case device = 4
    case window = 5
}

/// Configuration space: the capabilities that say where the structures are (virtio 1.2 §4.1.4), one of which reaches
/// them from here (§4.1.4.9).
extension PCITransport {
    /// Adds a capability for each structure; the offset of the one that is a window.
    static func addCapabilities(to configuration: PCIConfiguration, _ core: DeviceCore) -> Int {
        let notifyLength = UInt32(core.queues.count) * PCIStructure.notifyMultiplier
        add(.common, .common, PCICommonRegister.size, to: configuration)
        add(.notify, .notify, notifyLength, extra: bytes(PCIStructure.notifyMultiplier), to: configuration)
        add(.isr, .isr, 1, to: configuration)
        // §4.1.4.6.1: only for devices that have one.
        if core.config.count > 0 { add(.device, .device, UInt32(core.config.count), to: configuration) }
        // bar, offset, length and data are the driver's to write.
        return configuration.addCapability(
            PCICapability.vendorSpecific, body: [20, StructureType.window.rawValue] + [UInt8](repeating: 0, count: 16),
            guestWrites: [0, 0, 0xFF, 0, 0, 0] + [UInt8](repeating: 0xFF, count: 12))
    }

    /// struct virtio_pci_cap behind its first two bytes: cap_len, cfg_type, bar, id, padding, le32 offset, le32 length.
    private static func add(
        _ type: StructureType, _ structure: PCIStructure, _ length: UInt32, extra: [UInt8] = [],
        to configuration: PCIConfiguration
    ) {
        let head = [UInt8(16 + extra.count), type.rawValue, UInt8(PCIStructure.bar), 0, 0, 0]
        let place = bytes(UInt32(structure.rawValue)) + bytes(length)
        configuration.addCapability(PCICapability.vendorSpecific, body: head + place + extra)
    }

    private static func bytes(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    public func readConfiguration(at offset: Int, width: AccessWidth) -> UInt64 {
        if touchesWindow(offset, width), let target = windowTarget {
            let value = read(bar: PCIStructure.bar, at: target.offset, width: target.width)
            configuration.store(value, at: windowData, width: .word)
        }
        return plainConfigurationRead(at: offset, width: width)
    }

    public func writeConfiguration(_ value: UInt64, at offset: Int, width: AccessWidth) {
        let couldMaster = configuration.mayMasterBus
        configuration.write(value, at: offset, width: width)
        let core = device.core
        core.signalsByMessage = messageInterrupts?.isEnabled == true
        // A function that may not master the bus does not touch memory (PCI 3.0 §6.2.2): a system that goes down takes
        // the bit away to be safe from what its drivers left running. The driver of the next one resets the device. A
        // driver that never set the bit is served: some firmware's forget to.
        if couldMaster, !configuration.mayMasterBus, core.status.contains(.driverOK) { core.isCutOff = true }
        if touchesWindow(offset, width), let target = windowTarget {
            let data = configuration.read(at: windowData, width: target.width)
            write(data, bar: PCIStructure.bar, at: target.offset, width: target.width)
        }
    }

    private var windowData: Int { windowCapability + 16 }

    private func touchesWindow(_ offset: Int, _ width: AccessWidth) -> Bool {
        offset < windowData + 4 && windowData < offset + Int(width.rawValue)
    }

    /// What the window shows now, if that is an aligned place in the structures' base address.
    private var windowTarget: (offset: UInt64, width: AccessWidth)? {
        let bar = configuration.read(at: windowCapability + 4, width: .byte)
        let offset = configuration.read(at: windowCapability + 8, width: .word)
        let length = configuration.read(at: windowCapability + 12, width: .word)
        guard bar == UInt64(PCIStructure.bar), length <= 4,
            let width = AccessWidth(rawValue: UInt8(length)),
            offset % length == 0, offset < PCIStructure.barSize
        else { return nil }
        return (offset, width)
    }
}

// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

/// A virtio device behind memory-mapped registers (virtio 1.2 §4.2), with one interrupt output, active high.
///
/// A driver that does not accept VIRTIO_F_VERSION_1 is served all the same: a device may, §6.2 says, and xv6-riscv's
/// reads and writes only the lower word of the features. Such a driver finds the same registers, little-endian.
public final class MMIOTransport: Device {
    /// The device behind the registers.
    public let device: any VirtioDevice
    private var deviceFeaturesSel: UInt32 = 0
    private var driverFeaturesSel: UInt32 = 0
    private var queueSel: UInt32 = 0

    /// Registers for `device`, which has no other transport.
    public init(device: any VirtioDevice) { self.device = device }

    public var windowSize: UInt64 { MMIORegister.windowSize }

    /// Output 0: some cause in InterruptStatus is not acknowledged.
    public var interruptLevels: UInt64 { device.core.interruptStatus != 0 ? 1 : 0 }

    public func takeWork() -> DeviceWork? { device.takeWork() }

    public func reset() {
        device.resetToPowerOn()
        forgetSelections()
    }

    private func forgetSelections() {
        deviceFeaturesSel = 0
        driverFeaturesSel = 0
        queueSel = 0
    }

    public func read(at offset: UInt64, width: AccessWidth) -> UInt64 {
        if offset >= MMIORegister.configSpace {
            return device.core.readConfig(at: offset - MMIORegister.configSpace, width: width)
        }
        guard width == .word, let register = MMIORegister(rawValue: offset) else { return 0 }
        return UInt64(read(register))
    }

    public func write(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
        if offset >= MMIORegister.configSpace {
            return device.writeConfig(value, at: offset - MMIORegister.configSpace, width: width)
        }
        guard width == .word, let register = MMIORegister(rawValue: offset) else { return }
        write(UInt32(truncatingIfNeeded: value), register)
    }

    private var selected: VirtQueue? {
        queueSel < UInt32(device.core.queues.count) ? device.core.queues[Int(queueSel)] : nil
    }

    private func read(_ register: MMIORegister) -> UInt32 {
        let core = device.core
        switch register {
        case .magicValue: return MMIORegister.magic
        case .version: return 2
        case .deviceID: return core.deviceID
        case .vendorID: return MMIORegister.vendor
        case .deviceFeatures: return core.offeredFeatures.word(deviceFeaturesSel)
        case .queueNumMax: return UInt32(selected?.maximumSize ?? 0)
        case .queueReady: return selected?.isReady == true ? 1 : 0
        case .interruptStatus: return UInt32(core.interruptStatus)
        case .status: return UInt32(device.visibleStatus.rawValue)
        case .shmLenLow, .shmLenHigh, .shmBaseLow, .shmBaseHigh: return .max
        case .configGeneration: return core.configGeneration
        case .deviceFeaturesSel, .driverFeatures, .driverFeaturesSel, .queueSel, .queueNum, .queueNotify,
            .interruptACK, .queueDescLow, .queueDescHigh, .queueDriverLow, .queueDriverHigh, .queueDeviceLow,
            .queueDeviceHigh, .shmSel:
            return 0
        }
    }

    private func write(_ value: UInt32, _ register: MMIORegister) {
        switch register {
        case .deviceFeaturesSel: deviceFeaturesSel = value
        case .driverFeatures: device.writeDriverFeatures(value, word: driverFeaturesSel)
        case .driverFeaturesSel: driverFeaturesSel = value
        case .queueSel: queueSel = value
        // A size of more than 16 bits is as wrong as zero, and `enable` will say so.
        case .queueNum: changeLayout { $0.size = UInt16(exactly: value) ?? 0 }
        case .queueReady: writeQueueReady(value)
        case .queueNotify: device.notifyFromDriver(queue: UInt64(value))
        case .interruptACK: device.core.interruptStatus &= ~UInt8(truncatingIfNeeded: value)
        case .status:
            if value & 0xFF == 0 { forgetSelections() }
            device.writeStatus(UInt8(truncatingIfNeeded: value), requiresVersion1: false)
        case .queueDescLow: changeLayout { $0.descriptorArea.low = value }
        case .queueDescHigh: changeLayout { $0.descriptorArea.high = value }
        case .queueDriverLow: changeLayout { $0.driverArea.low = value }
        case .queueDriverHigh: changeLayout { $0.driverArea.high = value }
        case .queueDeviceLow: changeLayout { $0.deviceArea.low = value }
        case .queueDeviceHigh: changeLayout { $0.deviceArea.high = value }
        case .shmSel: break
        case .magicValue, .version, .deviceID, .vendorID, .deviceFeatures, .queueNumMax, .interruptStatus,
            .shmLenLow, .shmLenHigh, .shmBaseLow, .shmBaseHigh, .configGeneration:
            break
        }
    }

    private func changeLayout(_ change: (inout VirtQueue.Layout) -> Void) {
        guard selected != nil else { return }
        device.changeLayout(ofQueue: Int(queueSel), change)
    }

    /// virtio 1.2 §4.2.2.2: one starts the queue, zero stops it.
    private func writeQueueReady(_ value: UInt32) {
        guard let queue = selected else { return }
        if value & 1 != 0 { device.enableQueue(Int(queueSel)) } else { queue.disable() }
    }
}

/// A slot with no device: drivers find a magic value and device type 0, and leave it alone (virtio 1.2 §4.2.2.2).
public final class EmptyMMIOSlot: Device {
    /// An empty slot.
    public init() {}

    public var windowSize: UInt64 { MMIORegister.windowSize }

    public func read(at offset: UInt64, width: AccessWidth) -> UInt64 {
        guard width == .word else { return 0 }
        switch MMIORegister(rawValue: offset) {
        case .magicValue: return UInt64(MMIORegister.magic)
        case .version: return 2
        case .vendorID: return UInt64(MMIORegister.vendor)
        default: return 0
        }
    }

    public func write(_ value: UInt64, at offset: UInt64, width: AccessWidth) {}
    public func reset() {}
}

extension GuestAddress {
    /// The lower half, which drivers write by itself.
    var low: UInt32 {
        get { UInt32(truncatingIfNeeded: value) }
        set { value = value & 0xFFFF_FFFF_0000_0000 | UInt64(newValue) }
    }
    /// The upper half.
    var high: UInt32 {
        get { UInt32(truncatingIfNeeded: value >> 32) }
        set { value = value & 0xFFFF_FFFF | UInt64(newValue) << 32 }
    }
}

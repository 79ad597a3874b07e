// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

/// The common configuration structure (virtio 1.2 §4.1.4.3).
extension PCITransport {
    private var selected: VirtQueue? {
        queueSelect < UInt16(device.core.queues.count) ? device.core.queues[Int(queueSelect)] : nil
    }

    func readCommon(at offset: UInt64, width: AccessWidth) -> UInt64 {
        guard let register = PCICommonRegister(rawValue: offset) else { return 0 }
        if width == .double, let high = register.upperHalf {
            return UInt64(read(register)) | UInt64(read(high)) << 32
        }
        return width == register.width ? UInt64(read(register)) : 0
    }

    func writeCommon(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
        guard let register = PCICommonRegister(rawValue: offset) else { return }
        if width == .double, let high = register.upperHalf {
            write(UInt32(truncatingIfNeeded: value), register)
            write(UInt32(truncatingIfNeeded: value >> 32), high)
        } else if width == register.width {
            write(UInt32(truncatingIfNeeded: value), register)
        }
    }

    private func read(_ register: PCICommonRegister) -> UInt32 {
        let core = device.core
        let layout = selected?.layout
        switch register {
        case .deviceFeatureSelect: return deviceFeatureSelect
        case .deviceFeature: return core.offeredFeatures.word(deviceFeatureSelect)
        case .driverFeatureSelect: return driverFeatureSelect
        case .driverFeature: return core.driverFeatures.word(driverFeatureSelect)
        case .configVector: return UInt32(configVector)
        case .queueCount: return UInt32(core.queues.count)
        case .deviceStatus: return UInt32(device.visibleStatus.rawValue)
        case .configGeneration: return core.configGeneration & 0xFF
        case .queueSelect: return UInt32(queueSelect)
        case .queueSize: return UInt32(layout?.size ?? 0)
        case .queueVector: return UInt32(selected == nil ? PCICommonRegister.noVector : queueVectors[Int(queueSelect)])
        case .queueEnable: return selected?.isReady == true ? 1 : 0
        case .queueNotifyOffset: return selected == nil ? 0 : UInt32(queueSelect)
        case .queueDescriptorLow: return layout?.descriptorArea.low ?? 0
        case .queueDescriptorHigh: return layout?.descriptorArea.high ?? 0
        case .queueDriverLow: return layout?.driverArea.low ?? 0
        case .queueDriverHigh: return layout?.driverArea.high ?? 0
        case .queueDeviceLow: return layout?.deviceArea.low ?? 0
        case .queueDeviceHigh: return layout?.deviceArea.high ?? 0
        }
    }

    private func write(_ value: UInt32, _ register: PCICommonRegister) {
        switch register {
        case .deviceFeatureSelect: deviceFeatureSelect = value
        case .driverFeatureSelect: driverFeatureSelect = value
        case .driverFeature: device.writeDriverFeatures(value, word: driverFeatureSelect)
        case .configVector: configVector = checkedVector(value)
        case .deviceStatus:
            if value == 0 { forgetSelections() }
            device.writeStatus(UInt8(truncatingIfNeeded: value), requiresVersion1: true)
        case .queueSelect: queueSelect = UInt16(truncatingIfNeeded: value)
        case .queueSize:
            // §4.1.4.3.1: what is read back is a power of two, whatever was written.
            let size = UInt16(truncatingIfNeeded: value)
            guard let selected, size.nonzeroBitCount == 1, size <= selected.maximumSize else { return }
            changeLayout { $0.size = size }
        case .queueVector:
            if selected != nil { queueVectors[Int(queueSelect)] = checkedVector(value) }
        case .queueEnable:
            // §4.1.4.3.2: a driver does not write zero; there is nothing that it could mean.
            if selected != nil, value == 1 { device.enableQueue(Int(queueSelect)) }
        case .queueDescriptorLow: changeLayout { $0.descriptorArea.low = value }
        case .queueDescriptorHigh: changeLayout { $0.descriptorArea.high = value }
        case .queueDriverLow: changeLayout { $0.driverArea.low = value }
        case .queueDriverHigh: changeLayout { $0.driverArea.high = value }
        case .queueDeviceLow: changeLayout { $0.deviceArea.low = value }
        case .queueDeviceHigh: changeLayout { $0.deviceArea.high = value }
        case .deviceFeature, .queueCount, .configGeneration, .queueNotifyOffset: break
        }
    }

    private func changeLayout(_ change: (inout VirtQueue.Layout) -> Void) {
        guard selected != nil else { return }
        device.changeLayout(ofQueue: Int(queueSelect), change)
    }

    /// §4.1.5.1.2.1: a vector that does not exist reads back as none, by which the driver knows.
    private func checkedVector(_ value: UInt32) -> UInt16 {
        let vectors = messageInterrupts?.state.entries.count ?? 0
        return value < UInt32(vectors) ? UInt16(value) : PCICommonRegister.noVector
    }
}

// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// The common configuration structure (virtio 1.2 §4.1.4.3): a field a row, its offset as raw value. Drivers access
/// each in its own width (§4.1.3.1); the 64-bit ones in halves too.
enum PCICommonRegister: UInt64, CaseIterable {
    case deviceFeatureSelect = 0x00  //   le32 RW
    case deviceFeature = 0x04  //         le32 R
    case driverFeatureSelect = 0x08  //   le32 RW
    case driverFeature = 0x0C  //         le32 RW
    case configVector = 0x10  //          le16 RW  0xFFFF: none
    case queueCount = 0x12  //            le16 R
    case deviceStatus = 0x14  //          byte RW  0 resets
    case configGeneration = 0x15  //      byte R
    case queueSelect = 0x16  //           le16 RW  the queue that the rest means
    case queueSize = 0x18  //             le16 RW  0: no such queue
    case queueVector = 0x1A  //           le16 RW  0xFFFF: none
    case queueEnable = 0x1C  //           le16 RW  1 enables; only a reset disables
    case queueNotifyOffset = 0x1E  //     le16 R   times the notify multiplier
    case queueDescriptorLow = 0x20  //    le64 RW  descriptor table
    case queueDescriptorHigh = 0x24
    case queueDriverLow = 0x28  //        le64 RW  available ring
    case queueDriverHigh = 0x2C
    case queueDeviceLow = 0x30  //        le64 RW  used ring
    case queueDeviceHigh = 0x34

    /// The structure's size in bytes: the fields of features that are not offered left out.
    static var size: UInt32 { 0x38 }
    /// No MSI-X vector.
    static var noVector: UInt16 { 0xFFFF }

    /// The width of its accesses.
    var width: AccessWidth {
        switch self {
        case .deviceStatus, .configGeneration: .byte
        case .configVector, .queueCount, .queueSelect, .queueSize, .queueVector, .queueEnable, .queueNotifyOffset:
            .half
        case .deviceFeatureSelect, .deviceFeature, .driverFeatureSelect, .driverFeature, .queueDescriptorLow,
            .queueDescriptorHigh, .queueDriverLow, .queueDriverHigh, .queueDeviceLow, .queueDeviceHigh:
            .word
        }
    }

    /// The register that holds the upper half of a 64-bit field that starts here.
    var upperHalf: PCICommonRegister? {
        switch self {
        case .queueDescriptorLow: .queueDescriptorHigh
        case .queueDriverLow: .queueDriverHigh
        case .queueDeviceLow: .queueDeviceHigh
        default: nil
        }
    }
}

/// Where the structures lie in base address 0, a page each (virtio 1.2 §4.1.4).
///
///     0x0000  common configuration   type 1
///     0x1000  ISR status             type 3   a byte; reading it clears it
///     0x2000  device configuration   type 4
///     0x3000  notifications          type 2   four bytes a queue
///     0x4000  MSI-X table, 0x5000 its pending bits, where the platform has messages
enum PCIStructure: UInt64 {
    case common = 0x0000
    case isr = 0x1000
    case device = 0x2000
    case notify = 0x3000
    case messageTable = 0x4000
    case messagePending = 0x5000

    static var bar: Int { 0 }
    static var barSize: UInt64 { 0x8000 }
    static var notifyMultiplier: UInt32 { 4 }
}

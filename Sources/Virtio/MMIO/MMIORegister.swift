// SPDX-License-Identifier: Apache-2.0

/// The control registers of virtio-mmio, version 2 (virtio 1.2 §4.2.2): 32 bits wide each. The configuration space
/// follows from `configSpace` on, in any width.
enum MMIORegister: UInt64, CaseIterable {
    case magicValue = 0x000  //          R   "virt"
    case version = 0x004  //             R   2
    case deviceID = 0x008  //            R   the device type
    case vendorID = 0x00C  //            R
    case deviceFeatures = 0x010  //      R   the word that deviceFeaturesSel selects
    case deviceFeaturesSel = 0x014  //   W
    case driverFeatures = 0x020  //      W   the word that driverFeaturesSel selects
    case driverFeaturesSel = 0x024  //   W
    case queueSel = 0x030  //            W   the queue that queueNumMax to queueDeviceHigh mean
    case queueNumMax = 0x034  //         R   0: no such queue
    case queueNum = 0x038  //            W   its size
    case queueReady = 0x044  //          RW
    case queueNotify = 0x050  //         W   the queue's index
    case interruptStatus = 0x060  //     R   bit 0 used buffer, bit 1 configuration change
    case interruptACK = 0x064  //        W   ones clear
    case status = 0x070  //              RW  0 resets
    case queueDescLow = 0x080  //        W   descriptor table
    case queueDescHigh = 0x084  //       W
    case queueDriverLow = 0x090  //      W   available ring
    case queueDriverHigh = 0x094  //     W
    case queueDeviceLow = 0x0A0  //      W   used ring
    case queueDeviceHigh = 0x0A4  //     W
    case shmSel = 0x0AC  //              W   no region exists
    case shmLenLow = 0x0B0  //           R   -1
    case shmLenHigh = 0x0B4  //          R   -1
    case shmBaseLow = 0x0B8  //          R   -1
    case shmBaseHigh = 0x0BC  //         R   -1
    case configGeneration = 0x0FC  //    R

    /// "virt", little-endian.
    static var magic: UInt32 { 0x7472_6976 }
    /// "QEMU", little-endian. Drivers match it (xv6-riscv does), so it is part of the interface.
    static var vendor: UInt32 { 0x554D_4551 }
    /// Where the configuration space starts.
    static var configSpace: UInt64 { 0x100 }
    /// The window of a slot.
    static var windowSize: UInt64 { 0x1000 }
}

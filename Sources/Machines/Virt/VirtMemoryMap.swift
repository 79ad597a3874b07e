// SPDX-License-Identifier: Apache-2.0

import VMMemory

/// Where everything is in guest-physical space: the map of QEMU's `virt` machine for RISC-V.
///
/// ```
/// 0x00_0010_0000  test finisher     4 KiB   power off, fail with a code, reset
/// 0x00_0010_1000  goldfish RTC      4 KiB
/// 0x00_0200_0000  ACLINT           64 KiB   MSWI 0x0000, MTIMER 0x4000 (mtimecmp) to 0xBFF8 (mtime)
/// 0x00_02F0_0000  ACLINT SSWI      16 KiB
/// 0x00_0300_0000  PCIe I/O ports   64 KiB
/// 0x00_0C00_0000  PLIC              6 MiB
/// 0x00_1000_0000  UART             256 B    16550, the console
/// 0x00_1000_1000  virtio-mmio     8 x 4 KiB
/// 0x00_3000_0000  PCIe ECAM       256 MiB   1 MiB a bus
/// 0x00_4000_0000  PCIe memory       1 GiB   32-bit BARs
/// 0x00_8000_0000  RAM
///  past RAM       PCIe memory      16 GiB   64-bit BARs, at the next multiple of 16 GiB
/// ```
public enum VirtMemoryMap {
    /// A named range.
    public struct Range: Hashable, Sendable {
        public let base: UInt64
        public let size: UInt64

        /// The address as a bus takes it.
        public var address: GuestAddress { GuestAddress(base) }
    }

    public static let finisher = Range(base: 0x10_0000, size: 0x1000)
    public static let realTimeClock = Range(base: 0x10_1000, size: 0x1000)
    public static let clint = Range(base: 0x200_0000, size: 0x1_0000)
    /// The parts of the ACLINT, in the CLINT's places (RISC-V ACLINT 1.0 §2, §3).
    public static let machineSoftware = Range(base: 0x200_0000, size: 0x4000)
    public static let machineTimer = Range(base: 0x200_4000, size: 0x8000)
    public static let supervisorSoftware = Range(base: 0x2F0_0000, size: 0x4000)
    public static let pciPorts = Range(base: 0x300_0000, size: 0x1_0000)
    public static let plic = Range(base: 0xC00_0000, size: 0x60_0000)
    public static let uart = Range(base: 0x1000_0000, size: 0x100)
    public static let pciConfiguration = Range(base: 0x3000_0000, size: 0x1000_0000)
    public static let pciMemory = Range(base: 0x4000_0000, size: 0x4000_0000)
    /// Where RAM starts.
    public static let memoryBase: UInt64 = 0x8000_0000

    /// The number of virtio-mmio slots.
    public static let virtioSlots = 8
    /// The virtio-mmio slot `index`, 0 to 7.
    public static func virtio(_ index: Int) -> Range {
        precondition((0..<virtioSlots).contains(index), "there are eight virtio-mmio slots")
        return Range(base: 0x1000_1000 + UInt64(index) * 0x1000, size: 0x1000)
    }

    /// The window for 64-bit BARs of a machine with `memorySize` bytes of RAM.
    public static func pciHighMemory(memorySize: UInt64) -> Range {
        let size: UInt64 = 16 << 30
        return Range(base: (memoryBase + memorySize + size - 1) / size * size, size: size)
    }
}

/// The device numbers on the PCI bus (0 to 31, PCI 3.0 §3.2.2.3.2). A device that comes or goes moves no other.
public enum VirtPCIDevice {
    public static let hostBridge: UInt8 = 0
    /// The number of virtio devices that there is room for; what the board itself has sits above them.
    public static let virtioDevices = 30
    /// Virtio device `index`, 0 to 29.
    public static func virtio(_ index: Int) -> UInt8 {
        precondition((0..<virtioDevices).contains(index), "there are thirty places for virtio devices on PCI")
        return UInt8(1 + index)
    }
    public static let panic: UInt8 = 31
}

/// The inputs of the PLIC.
public enum VirtInterrupt {
    /// virtio-mmio slot `index` is wired to input 1 + `index`.
    public static func virtio(_ index: Int) -> Int { 1 + index }
    public static let uart = 10
    public static let realTimeClock = 11
    /// The first of four inputs for PCI INTx; which one a pin reaches: `PCIInterruptRouting`.
    public static let pciFirst = 32
    /// The number of inputs: sources 1 to 95.
    public static let sources = 95
}

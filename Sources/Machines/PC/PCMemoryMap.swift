// SPDX-License-Identifier: Apache-2.0

import VMMemory

/// Where everything is in guest-physical space of the x86-64 machine.
///
/// ```
/// 0x00_0000_0000  RAM            640 KiB   below: what a loader leaves for the kernel (`PCLowMemory`)
/// 0x00_0009_FC00  EBDA             1 KiB   the end of it, reserved
/// 0x00_000A_0000  VGA window     128 KiB   nothing answers
/// 0x00_000C_0000  shadow RAM     256 KiB   ROMs of a PC; from 0xE_0000 on ACPI and SMBIOS tables
/// 0x00_0010_0000  RAM                      to 0xB000_0000 at most
/// 0x00_B000_0000  PCIe ECAM      256 MiB   1 MiB a bus
/// 0x00_C000_0000  PCI memory    1004 MiB   32-bit BARs
/// 0x00_FEC0_0000  IOAPIC           4 KiB
/// 0x00_FED0_0000  HPET             1 KiB
/// 0x00_FEE0_0000  LAPIC, MSI       1 MiB   a processor's own LAPIC; what devices write there are MSIs
/// 0x00_FF00_0000  ROM             16 MiB   room for a firmware, whose end is the reset vector
/// 0x01_0000_0000  RAM                      what did not fit below
///  past RAM       PCI memory      16 GiB   64-bit BARs, at the next multiple of 16 GiB
/// ```
public enum PCMemoryMap {
    /// A named range.
    public struct Range: Hashable, Sendable {
        public let base: UInt64
        public let size: UInt64

        /// The first address behind it.
        public var end: UInt64 { base + size }
        /// The address as a bus takes it.
        public var address: GuestAddress { GuestAddress(base) }
    }

    /// RAM that real mode reaches, without the EBDA.
    public static let conventional = Range(base: 0, size: 0x9_FC00)
    public static let extendedBIOSData = Range(base: 0x9_FC00, size: 0x400)
    public static let video = Range(base: 0xA_0000, size: 0x2_0000)
    public static let shadow = Range(base: 0xC_0000, size: 0x4_0000)
    /// Where an operating system looks for the RSDP and the SMBIOS entry point (ACPI 6.5 §5.2.5.1, SMBIOS 3.0 §5.2.1).
    public static let tables = Range(base: 0xE_0000, size: 0x2_0000)
    /// Where RAM above the first MiB starts.
    public static let extendedBase: UInt64 = 0x10_0000
    /// Where RAM below 4 GiB ends at the latest.
    public static let lowMemoryLimit: UInt64 = 0xB000_0000
    /// Where RAM goes on.
    public static let highMemoryBase: UInt64 = 1 << 32
    public static let pciConfiguration = Range(base: 0xB000_0000, size: 0x1000_0000)
    public static let pciMemory = Range(base: 0xC000_0000, size: 0x3EC0_0000)
    public static let ioapic = Range(base: 0xFEC0_0000, size: 0x1000)
    public static let hpet = Range(base: 0xFED0_0000, size: 0x400)
    public static let lapic = Range(base: 0xFEE0_0000, size: 0x10_0000)
    public static let rom = Range(base: 0xFF00_0000, size: 0x100_0000)
    /// Of `--device pc-testdev`, at the start of the room for a firmware.
    public static let testMemory = Range(base: 0xFF00_0000, size: 0x1_0000)

    /// The least and most RAM in bytes.
    public static let memoryRange: ClosedRange<UInt64> = (16 << 20)...(512 << 30)

    /// A part of RAM: where the guest sees it, and where it lies in the machine's own memory.
    public struct Part: Hashable, Sendable {
        public let range: Range
        public let offset: UInt64
    }

    /// RAM of `memorySize` bytes below 4 GiB: the first addresses of it are the same in the machine's memory.
    public static func lowMemory(_ memorySize: UInt64) -> Range {
        Range(base: 0, size: min(memorySize, lowMemoryLimit))
    }

    /// RAM above 4 GiB, of size 0 where all of it fits below.
    public static func highMemory(_ memorySize: UInt64) -> Range {
        Range(base: highMemoryBase, size: memorySize - lowMemory(memorySize).size)
    }

    /// The parts of RAM as a bus and devices see them. What lies under the VGA window is nobody's.
    public static func parts(_ memorySize: UInt64) -> [Part] {
        let low = lowMemory(memorySize)
        let high = highMemory(memorySize)
        let below = Range(base: 0, size: video.base)
        let above = Range(base: shadow.base, size: low.end - shadow.base)
        var parts = [Part(range: below, offset: 0), Part(range: above, offset: shadow.base)]
        if high.size > 0 { parts.append(Part(range: high, offset: low.size)) }
        return parts
    }

    /// The window for 64-bit BARs of a machine with `memorySize` bytes of RAM.
    public static func pciHighMemory(memorySize: UInt64) -> Range {
        let size: UInt64 = 16 << 30
        let high = highMemory(memorySize)
        return Range(base: (high.end + size - 1) / size * size, size: size)
    }
}

/// Where the loader puts what it leaves for a kernel in the first 640 KiB.
///
/// ```
/// 0x0_0400  BIOS data area        what boot code still reads of it
/// 0x0_0500  GDT                   of the entry state
/// 0x0_7000  boot information      zero page, hvm_start_info, multiboot information
/// 0x0_8000  its lists             modules and memory ranges
/// 0x0_9000  page tables           six pages: the first 4 GiB by 2 MiB pages
/// 0x0_F000  setup_data            the random seed
/// 0x1_0000  command line          64 KiB
/// ```
enum PCLowMemory {
    static let biosData = PCMemoryMap.Range(base: 0x400, size: 0x100)
    static let descriptors = PCMemoryMap.Range(base: 0x500, size: 0x100)
    static let information = PCMemoryMap.Range(base: 0x7000, size: 0x1000)
    static let lists = PCMemoryMap.Range(base: 0x8000, size: 0x1000)
    static let pageTables = PCMemoryMap.Range(base: 0x9000, size: 0x6000)
    static let setupData = PCMemoryMap.Range(base: 0xF000, size: 0x1000)
    static let commandLine = PCMemoryMap.Range(base: 0x1_0000, size: 0x1_0000)
}

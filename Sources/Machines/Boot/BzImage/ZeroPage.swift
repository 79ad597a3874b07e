// SPDX-License-Identifier: Apache-2.0

/// What a boot loader tells a Linux kernel: `struct boot_params`, the "zero page" (Linux,
/// Documentation/arch/x86/zero-page.rst).
struct ZeroPage: Sendable {
    let header: BzImageHeader
    /// Where the kernel was loaded.
    let kernelAddress: UInt64
    let commandLine: UInt64
    let initrd: BootPlan.Span?
    /// The first of the linked setup_data.
    let setupData: UInt64
    let rootPointer: UInt64
    let memory: [AddressRange]

    static let size = 4096
    /// The map's place and the most ranges in it.
    private static let mapOffset = 0x2D0
    private static let mostRanges = 128

    /// The page as bytes.
    var bytes: [UInt8] {
        precondition(memory.count <= ZeroPage.mostRanges, "the zero page has room for the machine's memory map")
        var page = LittleEndianWriter(count: ZeroPage.size)
        page.set(header.fields, at: BzImageHeader.start)
        // acpi_rsdp_addr, which the protocol has since 2.14; older kernels search for it.
        page.set(rootPointer, at: 0x070)
        page.set(UInt16(0xFFFF), at: 0x1FA)  // vid_mode: "normal"
        page.set(UInt8(0xFF), at: 0x210)  // type_of_loader: none of those that have a number
        page.set(UInt32(truncatingIfNeeded: kernelAddress), at: 0x214)  // code32_start
        page.set(UInt32(truncatingIfNeeded: commandLine), at: 0x228)
        if let initrd {
            page.set(UInt32(truncatingIfNeeded: initrd.start), at: 0x218)
            page.set(UInt32(truncatingIfNeeded: initrd.size), at: 0x21C)
        }
        page.set(setupData, at: 0x250)
        page.set(UInt8(memory.count), at: 0x1E8)
        for (index, range) in memory.enumerated() {
            let entry = ZeroPage.mapOffset + index * 20
            page.set(range.base, at: entry)
            page.set(range.size, at: entry + 8)
            page.set(range.kind.rawValue, at: entry + 16)
        }
        return page.bytes
    }

    /// `struct setup_data` with a seed for the kernel's random numbers (SETUP_RNG_SEED, Linux 6.0 and later): the last
    /// of its list.
    static func randomSeed(_ seed: [UInt8]) -> [UInt8] {
        var data = LittleEndianWriter([])
        data.append(UInt64(0))
        data.append(UInt32(9))
        data.append(UInt32(seed.count))
        data.append(seed)
        return data.bytes
    }
}

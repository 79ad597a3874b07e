// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// What differs between x86-64 machines, as far as their tables say it.
struct PCBoardDescription: Sendable {
    var processors: Int
    var memorySize: UInt64
    /// Whether there is a pvpanic device on the ISA bus.
    var hasPanicDevice = false
    /// Whether the board answers at the ports of fw_cfg.
    var hasFirmwareConfiguration = false
}

/// The ACPI tables of the x86-64 machine (ACPI 6.5 §5.2), from the same constants as its buses.
struct ACPITables: Sendable {
    let board: PCBoardDescription

    /// All tables for address `base`, which a page begins at. The RSDP comes first.
    func bytes(at base: UInt64) -> [UInt8] {
        var image = LittleEndianWriter(count: 0)
        func place(_ table: [UInt8], alignment: Int = 16) -> UInt64 {
            image.append([UInt8](repeating: 0, count: -image.bytes.count & (alignment - 1)))
            defer { image.append(table) }
            return base + UInt64(image.bytes.count)
        }
        _ = place([UInt8](repeating: 0, count: Self.rootPointerSize))
        let control = place(Self.firmwareControl, alignment: 64)
        let description = place(differentiatedDescription)
        let tables = [
            place(fixedDescription(control: control, description: description)), place(interruptControllers),
            place(configurationSpace), place(Self.eventTimer),
        ]
        let root = place(Self.root(tables))
        image.set(Self.rootPointer(root), at: 0)
        return image.bytes
    }

    private static let rootPointerSize = 36

    /// The RSDP (§5.2.5.3): the first 20 bytes have a checksum of their own.
    private static func rootPointer(_ root: UInt64) -> [UInt8] {
        var pointer = LittleEndianWriter(count: rootPointerSize)
        pointer.set(Array("RSD PTR ".utf8), at: 0)
        pointer.set(Array("APUS  ".utf8), at: 9)
        pointer.set(UInt8(2), at: 15)
        pointer.set(UInt32(rootPointerSize), at: 20)
        pointer.set(root, at: 24)
        pointer.set(ACPITable.checksum(pointer.bytes.prefix(20)), at: 8)
        pointer.set(ACPITable.checksum(pointer.bytes), at: 32)
        return pointer.bytes
    }

    /// The XSDT (§5.2.8).
    private static func root(_ tables: [UInt64]) -> [UInt8] {
        var table = ACPITable("XSDT", revision: 1)
        for address in tables { table.append(address) }
        return table.bytes
    }

    /// The FACS (§5.2.10): no waking vector is ever used. It has no checksum.
    private static var firmwareControl: [UInt8] {
        var table = LittleEndianWriter(count: 64)
        table.set(Array("FACS".utf8), at: 0)
        table.set(UInt32(64), at: 4)
        table.set(UInt8(2), at: 32)
        return table.bytes
    }

    /// The FADT (§5.2.9, table 5.9). There is no SMI command port: the hardware is in ACPI mode from the start.
    private func fixedDescription(control: UInt64, description: UInt64) -> [UInt8] {
        var table = ACPITable("FACP", revision: 6, size: 276)
        // Once: a system that finds two FACS takes them for two.
        table.set(UInt32(control), at: 36)
        table.set(UInt32(description), at: 40)
        table.set(UInt8(1), at: 45)  // the preferred profile: desktop
        table.set(UInt16(PCInterrupt.systemControl), at: 46)
        table.set(UInt32(PCPort.powerEvents.base), at: 56)
        table.set(UInt32(PCPort.powerControl.base), at: 64)
        table.set(UInt32(PCPort.powerTimer.base), at: 76)
        table.set(UInt8(PCPort.powerEvents.size), at: 88)
        table.set(UInt8(PCPort.powerControl.size), at: 89)
        table.set(UInt8(PCPort.powerTimer.size), at: 91)
        table.set(UInt16(0xFFFF), at: 96)  // no C2
        table.set(UInt16(0xFFFF), at: 98)  // no C3
        table.set(PCRealTimeClock.century, at: 108)
        table.set(Self.bootArchitecture, at: 109)
        table.set(Self.fixedFeatures, at: 112)
        table.set(.port(PCPort.resetControl.base, bits: 8), at: 116)
        table.set(PCPower.resetValue, at: 128)
        table.set(UInt8(5), at: 131)  // the minor version
        table.set(description, at: 140)
        table.set(.port(PCPort.powerEvents.base, bits: 32), at: 148)
        table.set(.port(PCPort.powerControl.base, bits: 16), at: 172)
        table.set(.port(PCPort.powerTimer.base, bits: 32), at: 208)
        table.set(Self.hypervisor, at: 268)
        return table.bytes
    }

    /// The hypervisor's identity: "Apus" in ASCII.
    private static var hypervisor: UInt64 { 0x7375_7041 }

    /// IAPC_BOOT_ARCH (§5.2.9.3): user-visible devices on the ISA bus (bit 0), no VGA (2). The keyboard controller has
    /// no keyboard, so it is not told of (bit 1).
    private static var bootArchitecture: UInt16 { 1 | 1 << 2 }

    /// Flags (§5.2.9, table 5.10): WBINVD works (0), C1 on all processors (2), the sleep button is none (5), the clock's
    /// alarm does not wake (6), the timer has 32 bits (8), the reset register exists (10). The power button is a fixed
    /// one (4).
    private static var fixedFeatures: UInt32 { 1 | 1 << 2 | 1 << 5 | 1 << 6 | 1 << 8 | 1 << 10 }

    /// The MADT (§5.2.12).
    private var interruptControllers: [UInt8] {
        var table = ACPITable("APIC", revision: 5)
        table.append(UInt32(PCMemoryMap.lapic.base))
        table.append(UInt32(1))  // there are PICs too
        for id in 0..<board.processors {
            // §5.2.12.2: the processor's number, its LAPIC's, enabled.
            table.append([0, 8, UInt8(id), UInt8(id)] + LittleEndianWriter.bytes(UInt32(1)))
        }
        // §5.2.12.3: the IOAPIC's number, and its first interrupt.
        table.append([1, 12, 0, 0])
        table.append(UInt32(PCMemoryMap.ioapic.base))
        table.append(UInt32(0))
        // §5.2.12.5: what differs from edge-triggered, active high, input for input.
        let level: UInt16 = 0b1101
        table.append(Self.override(PCInterrupt.timer, input: PCInterrupt.ioapicTimer, flags: 0))
        for interrupt in Set(PCInterrupt.legacyPCI + [PCInterrupt.systemControl]).sorted() {
            table.append(Self.override(interrupt, input: interrupt, flags: level))
        }
        // §5.2.12.7: NMIs come to LINT1 of all.
        table.append([4, 6, 0xFF, 0, 0, 1])
        return table.bytes
    }

    private static func override(_ interrupt: Int, input: Int, flags: UInt16) -> [UInt8] {
        [2, 10, 0, UInt8(interrupt)] + LittleEndianWriter.bytes(UInt32(input)) + LittleEndianWriter.bytes(flags)
    }

    /// The MCFG (PCI Firmware 3.3 §4.1.2): one segment, all buses.
    private var configurationSpace: [UInt8] {
        var table = ACPITable("MCFG", revision: 1, size: 44)
        table.append(PCMemoryMap.pciConfiguration.base)
        table.append([0, 0, 0, 255, 0, 0, 0, 0])
        return table.bytes
    }

    /// The HPET's table (IA-PC HPET 1.0a §3.2.4).
    private static var eventTimer: [UInt8] {
        var table = ACPITable("HPET", revision: 1)
        table.append(PCEventTimer.identity)
        table.append(ACPIAddress.memory(PCMemoryMap.hpet.base, bits: 0).bytes)
        table.append([0])  // its number
        table.append(PCEventTimer.leastTicks)
        table.append([0])  // its page may hold others
        return table.bytes
    }

    private var differentiatedDescription: [UInt8] {
        var table = ACPITable("DSDT", revision: 2)
        table.append(AML.list(DifferentiatedDescription(board: board).terms))
        return table.bytes
    }
}

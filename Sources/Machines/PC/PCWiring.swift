// SPDX-License-Identifier: Apache-2.0

import Devices
import VMMemory

/// The I/O ports of the x86-64 machine. Those that a PC has at fixed places are there; power management lies where the
/// chip set of QEMU's `q35` has it after its firmware ran.
///
/// ```
/// 0x020  PIC, master      2     0x0A0  PIC, slave        2     0x3F8  UART, COM1      8
/// 0x040  PIT              4     0x0F4  debug exit        4     0x4D0  PIC, ELCR       2
/// 0x060  i8042, data      1     0x510  fw_cfg           12     0x505  pvpanic         1
/// 0x061  system control   1     0x600  ACPI PM1 event    4     0xCF8  PCI address     4
/// 0x064  i8042, command   1     0x604  ACPI PM1 control  2     0xCF9  reset control   1
/// 0x070  CMOS RTC         2     0x608  ACPI PM timer     4     0xCFC  PCI data        4
/// 0x080  POST code        1     0x620  ACPI GPE0        16     0x3000 PCI I/O BARs  to 0xFFFF
/// 0x092  fast A20, reset  1     0x0E0  pc-testdev        8     0x2000 pc-testdev, wires 24
/// ```
public enum PCPort {
    /// A named range of ports.
    public struct Range: Hashable, Sendable {
        public let base: UInt16
        public let size: UInt16
    }

    public static let masterPIC = Range(base: 0x20, size: 2)
    public static let timer = Range(base: 0x40, size: 4)
    public static let keyboardData = Range(base: 0x60, size: 1)
    public static let systemControl = Range(base: 0x61, size: 1)
    public static let keyboardCommand = Range(base: 0x64, size: 1)
    public static let realTimeClock = Range(base: 0x70, size: 2)
    public static let postCode = Range(base: 0x80, size: 1)
    public static let fastControl = Range(base: 0x92, size: 1)
    public static let slavePIC = Range(base: 0xA0, size: 2)
    /// Of `--device pc-testdev`, where test suites look for it.
    public static let testData = Range(base: 0xE0, size: 8)
    public static let testWires = Range(base: 0x2000, size: UInt16(PCTestDevice.Wires.count))
    public static let debugExit = Range(base: 0xF4, size: 4)
    public static let uart = Range(base: 0x3F8, size: 8)
    public static let edgeLevel = Range(base: 0x4D0, size: 2)
    public static let panic = Range(base: 0x505, size: 1)
    public static let firmwareConfiguration = Range(base: 0x510, size: 12)
    public static let powerEvents = Range(base: 0x600, size: 4)
    public static let powerControl = Range(base: 0x604, size: 2)
    public static let powerTimer = Range(base: 0x608, size: 4)
    public static let generalEvents = Range(base: 0x620, size: 16)
    public static let pciAddress = Range(base: 0xCF8, size: 4)
    public static let resetControl = Range(base: 0xCF9, size: 1)
    public static let pciData = Range(base: 0xCFC, size: 4)
    /// What is left for base addresses of PCI functions.
    public static let pci = Range(base: 0x3000, size: 0xD000)
}

/// Interrupts of the x86-64 machine, as ISA numbers them: inputs of the PICs, and of the IOAPIC but for the timer.
public enum PCInterrupt {
    public static let timer = 0
    public static let keyboard = 1
    public static let uart = 4
    public static let realTimeClock = 8
    /// ACPI's system control interrupt: level, active high.
    public static let systemControl = 9
    /// The IOAPIC's input for the PIT (an interrupt source override in the MADT).
    public static let ioapicTimer = 2
    /// The first of four IOAPIC inputs for PCI INTx; which one a pin reaches: `PCIInterruptRouting`. Level, active high.
    public static let pciFirst = 16
    /// The inputs of the PICs that the same four lines reach.
    public static let legacyPCI = [5, 10, 11, 5]
    /// The number of the IOAPIC's inputs.
    public static let ioapicInputs = 24
}

/// The device numbers on the PCI bus (0 to 31, PCI 3.0 §3.2.2.3.2). A device that comes or goes moves no other.
public enum PCPCIDevice {
    public static let hostBridge: UInt8 = 0
    /// The number of virtio devices that there is room for; what the board itself has sits above them.
    public static let virtioDevices = 29
    /// Virtio device `index`, 0 to 28.
    public static func virtio(_ index: Int) -> UInt8 {
        precondition((0..<virtioDevices).contains(index), "there are twenty-nine places for virtio devices on PCI")
        return UInt8(1 + index)
    }
    /// The test device of `--device pci-testdev`.
    public static let test: UInt8 = 30
    public static let panic: UInt8 = 31
}

/// Values of the power management registers that the tables tell of.
public enum PCPower {
    /// SLP_TYP of PM1_CNT that switches off (ACPI's `_S5`).
    public static let softOff = ACPIPower.softOff
    /// What the reset control register takes to reset the machine: a hard reset of the processors.
    public static let resetValue: UInt8 = 6
}

/// What the tables tell of the CMOS clock.
public enum PCRealTimeClock {
    /// The byte of its memory that holds the century, in BCD.
    public static let century: UInt8 = 0x32
}

/// What the tables tell of the HPET, as its own registers say it.
public enum PCEventTimer {
    /// The low half of its capabilities: Intel's number, legacy replacement, 64 bits, three comparators, revision 1.
    public static let identity: UInt32 = 0x8086_A201
    /// The inputs of the IOAPIC that a comparator may be routed to: those of no other device.
    public static let routes: UInt32 = 0x00F0_0000
    /// The fewest ticks between two periodic interrupts.
    public static let leastTicks: UInt16 = 100
}

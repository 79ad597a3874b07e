// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore

/// The DSDT's statements: what stands in the x86-64 machine, where, and how PCI's interrupts are wired.
///
/// Devices are named by the identifiers that ACPI and Plug and Play have for them (ACPI 6.5 §5.6.7; PNP identifiers of
/// the UEFI Forum's registry).
struct DifferentiatedDescription: Sendable {
    let board: PCBoardDescription

    var terms: [AMLTerm] {
        [
            // §6.2.13, `_PIC`: the system says which controllers it uses; 1 is the IOAPIC.
            .name("\\PICF", .integer(0)),
            .method("\\_PIC", arguments: 1, [.store(.argument(0), into: "PICF")]),
            // §7.4.2: what SLP_TYP is for the one state beside S0.
            .name(
                "\\_S5",
                .package([
                    .integer(UInt64(PCPower.softOff)), .integer(UInt64(PCPower.softOff)), .integer(0), .integer(0),
                ])),
            .scope("\\_SB", [pciBridge, motherboard] + chips),
        ]
    }

    private func device(
        _ name: String, _ identifier: AMLValue, number: UInt64? = nil, _ resources: [AMLResource]
    ) -> AMLTerm {
        var terms: [AMLTerm] = [.name("_HID", identifier)]
        if let number { terms.append(.name("_UID", .integer(number))) }
        if !resources.isEmpty { terms.append(.name("_CRS", .resources(resources))) }
        return .device(name, terms)
    }

    // MARK: PCI

    /// The host bridge: PCI Express (PNP0A08), which older systems may take for PCI (PNP0A03).
    private var pciBridge: AMLTerm {
        let line = PCPort.pciAddress
        return .device(
            "PCI0",
            [
                .name("_HID", .eisa("PNP0A08")), .name("_CID", .eisa("PNP0A03")),
                .name("_UID", .integer(0)), .name("_SEG", .integer(0)), .name("_BBN", .integer(0)),
                .name(
                    "_CRS",
                    .resources([
                        .busWindow(0...255), .ports(PCPort.Range(base: line.base, size: 8)),
                        .portWindow(0...line.base - 1), .portWindow(line.base + 8...0xFFFF),
                        .memoryWindow(PCMemoryMap.pciMemory),
                        .highMemoryWindow(PCMemoryMap.pciHighMemory(memorySize: board.memorySize)),
                    ])),
                .name("PRTA", routing { .integer(UInt64(PCInterrupt.pciFirst + $0)) }),
                .name("PRTP", routing { .integer(UInt64(PCInterrupt.legacyPCI[$0])) }),
                .method(
                    "_PRT", arguments: 0,
                    [.if(.named("PICF"), [.returns(.named("PRTA"))], otherwise: [.returns(.named("PRTP"))])]),
            ])
    }

    /// `_PRT` (§6.2.13): for each device of the root bus, any function, and each pin the interrupt that `input` has for
    /// its line.
    private func routing(_ input: (Int) -> AMLValue) -> AMLValue {
        .package(
            (0..<UInt8(32)).flatMap { device in
                [PCIInterruptPin.a, .b, .c, .d].map { pin in
                    let line = PCIInterruptRouting.line(device: device, pin: pin)
                    return .package([
                        .integer(UInt64(device) << 16 | 0xFFFF), .integer(UInt64(pin.rawValue) - 1), .integer(0),
                        input(line),
                    ])
                }
            })
    }

    /// What no device driver may take (PNP0C02): the ECAM, as PCI Firmware 3.3 §4.1.2 wants it, and the ports of power
    /// management.
    private var motherboard: AMLTerm {
        device(
            "MBRD", .eisa("PNP0C02"), number: 0,
            [
                .memory(PCMemoryMap.pciConfiguration), .ports(PCPort.powerEvents), .ports(PCPort.powerControl),
                .ports(PCPort.powerTimer), .ports(PCPort.edgeLevel), .ports(PCPort.debugExit),
            ])
    }

    // MARK: Chips

    private var chips: [AMLTerm] {
        var chips = [
            device("COM1", .eisa("PNP0501"), number: 1, [.ports(PCPort.uart), .interrupt(PCInterrupt.uart)]),
            device("RTC", .eisa("PNP0B00"), [.ports(PCPort.realTimeClock), .interrupt(PCInterrupt.realTimeClock)]),
            device("TIMR", .eisa("PNP0100"), [.ports(PCPort.timer), .interrupt(PCInterrupt.timer)]),
            device("PIC", .eisa("PNP0000"), [.ports(PCPort.masterPIC), .ports(PCPort.slavePIC), .interrupt(2)]),
            device("HPET", .eisa("PNP0103"), number: 0, [.memory(PCMemoryMap.hpet)]),
        ]
        if board.hasPanicDevice { chips.append(device("PEVT", .string("QEMU0001"), [.ports(PCPort.panic)])) }
        if board.hasFirmwareConfiguration {
            chips.append(device("FWCF", .string("QEMU0002"), [.ports(PCPort.firmwareConfiguration)]))
        }
        return chips
    }
}

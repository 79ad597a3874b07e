// SPDX-License-Identifier: Apache-2.0

import Devices
import Host
import MachineCore
import VMMemory
import Virtio

/// Puts an x86-64 machine's chips on its bus and its ports.
struct PCBoardBuilder {
    private let core: PCInterruptCore
    private let clock: VirtualClock
    private(set) var attachments: [Bus.Attachment] = []
    private(set) var ports: [PortSpace.Attachment] = []
    private var residents: [any BoardResident] = []

    init(core: PCInterruptCore, clock: VirtualClock) {
        self.core = core
        self.clock = clock
        attach(core.ioapic, at: PCMemoryMap.ioapic)
        for range in [PCPort.masterPIC, PCPort.slavePIC, PCPort.edgeLevel] {
            attach(core.pics, at: range, origin: PCPort.masterPIC)
        }
    }

    /// All that a reset of the machine resets: the controllers last, when all wires are low, and the local APICs after
    /// them.
    func finish() -> [any BoardResident] {
        residents + [core.pics, core.ioapic, PCLocalAPICs(core.doors)] as [any BoardResident]
    }

    private mutating func attach(_ slot: any BusTarget & BoardResident, at range: PCMemoryMap.Range) {
        attachments.append(Bus.Attachment(base: range.address, size: range.size, name: slot.name, target: slot))
    }

    private mutating func attach(
        _ slot: any BusTarget & BoardResident, at range: PCPort.Range, origin: PCPort.Range? = nil,
        widest: AccessWidth = .byte
    ) {
        ports.append(
            PortSpace.Attachment(
                first: range.base, count: UInt32(range.size), origin: (origin ?? range).base, widest: widest,
                name: slot.name, target: slot))
    }

    // MARK: Chips

    /// Adds all chips; answers the serial port, whose other end is `console`.
    mutating func addChips(
        console: ConsoleTap, requests: @escaping @Sendable (MachineRequest) -> Void
    ) -> BoardSlot<UART16550> {
        let uart = BoardSlot(
            UART16550(backend: console, waitsForReader: true), name: "uart", wires: [core.lines.line(PCInterrupt.uart)])
        attach(uart, at: PCPort.uart)

        let timer = BoardSlot(
            PIT8254(clock: clock), name: "pit", wires: [core.lines.line(PCInterrupt.timer)], timers: core.timers)
        timer.connectTimer()
        attach(timer, at: PCPort.timer)
        attach(timer, at: PCPort.systemControl, origin: PCPort.timer)

        let realTimeClock = BoardSlot(
            MC146818(calendar: HostCalendar(), clock: clock), name: "rtc",
            wires: [core.lines.line(PCInterrupt.realTimeClock)], timers: core.timers)
        realTimeClock.connectTimer()
        attach(realTimeClock, at: PCPort.realTimeClock)

        let power = BoardSlot(
            ACPIPower(clock: clock, requests: requests), name: "acpi-power",
            wires: [core.lines.line(PCInterrupt.systemControl)], timers: core.timers)
        power.connectTimer()
        for (range, width) in [
            (PCPort.powerEvents, AccessWidth.word), (PCPort.powerControl, .half), (PCPort.powerTimer, .word),
        ] {
            attach(power, at: range, origin: PCPort.powerEvents, widest: width)
        }

        let keyboard = BoardSlot(
            I8042(requests: requests), name: "i8042", wires: [core.lines.line(PCInterrupt.keyboard)])
        for range in [PCPort.keyboardData, PCPort.keyboardCommand, PCPort.fastControl] {
            attach(keyboard, at: range, origin: PCPort.keyboardData)
        }
        let postCode = BoardSlot(POSTPort(), name: "post")
        attach(postCode, at: PCPort.postCode)
        let debugExit = BoardSlot(DebugExit(requests: requests), name: "debug-exit")
        attach(debugExit, at: PCPort.debugExit, widest: .word)

        let eventTimer = addEventTimer()
        residents +=
            [uart, timer, realTimeClock, power, keyboard, postCode, debugExit, eventTimer] as [any BoardResident]
        return uart
    }

    /// The HPET: outputs 0 to 31 are inputs of the IOAPIC, 32 and 33 stand for PIT and RTC, and 34 says that they do.
    private mutating func addEventTimer() -> BoardSlot<HPET> {
        let direct = core.lines.input(.eventTimer)
        let legacy = core.lines.input(.legacyEventTimer)
        var wires: [InterruptLine?] = (0..<32).map { number in
            number < PCInterrupt.ioapicInputs ? InterruptLine(to: direct, number: number) : nil
        }
        wires.append(InterruptLine(to: legacy, number: PCInterrupt.timer))
        wires.append(InterruptLine(to: legacy, number: PCInterrupt.realTimeClock))
        wires.append(InterruptLine(to: ReplacementWire(core.lines), number: 0))
        let chip = HPET(clock: clock, routes: PCEventTimer.routes, messages: core.fabric)
        let slot = BoardSlot(chip, name: "hpet", wires: wires, timers: core.timers)
        slot.connectTimer()
        attach(slot, at: PCMemoryMap.hpet)
        return slot
    }

    /// HPET's output that cuts PIT and RTC off.
    private final class ReplacementWire: InterruptSink {
        private let lines: PCLines
        init(_ lines: PCLines) { self.lines = lines }
        func setLine(_ number: Int, level: Bool) { lines.setReplaced(level) }
    }

    /// Adds fw_cfg, which tells firmware and test programs what they would have to find out else.
    mutating func addFirmwareConfiguration(processors: Int, memorySize: UInt64, memory: GuestMemory) {
        typealias Item = FirmwareConfiguration.Item
        let count = LittleEndianWriter.bytes(UInt16(processors))
        let chip = FirmwareConfiguration(
            items: [
                Item.processors: count, Item.maximumProcessors: count,
                Item.memorySize: LittleEndianWriter.bytes(memorySize), Item.noGraphics: [1, 0],
            ], files: [], memory: memory)
        let slot = BoardSlot(chip, name: "fw-cfg")
        attach(slot, at: PCPort.firmwareConfiguration, widest: .word)
        residents.append(slot)
    }

    /// Adds what test suites pull and write (`pc-testdev`).
    mutating func addTestDevice() {
        let inputs = core.lines.input(.testDevice)
        let lines = (0..<Int(PCTestDevice.Wires.count)).map {
            InterruptLine?.some(InterruptLine(to: inputs, number: $0))
        }
        let data = BoardSlot(PCTestDevice.Ports(), name: "pc-testdev-ports")
        let wires = BoardSlot(PCTestDevice.Wires(), name: "pc-testdev-wires", wires: lines)
        let memory = BoardSlot(PCTestDevice.Memory(), name: "pc-testdev-memory")
        attach(data, at: PCPort.testData, widest: .word)
        attach(wires, at: PCPort.testWires)
        attach(memory, at: PCMemoryMap.testMemory)
        residents += [data, wires, memory] as [any BoardResident]
    }

    // MARK: PCI

    /// Adds the root bus with each function at its place in `PCPCIDevice`.
    mutating func addPCI(
        _ devices: [VirtioBay.Device], panic: PVPanic?, test: PCITestDevice?, high: PCMemoryMap.Range,
        requests: @escaping @Sendable (MachineRequest) -> Void
    ) -> PCIBoard {
        var slots = [PCISlot(PCIHostFunction(), name: "pci-host", at: PCIAddress(device: PCPCIDevice.hostBridge))]
        if let panic { slots.append(PCISlot(panic, name: "pvpanic", at: PCIAddress(device: PCPCIDevice.panic))) }
        if let test { slots.append(PCISlot(test, name: "pci-testdev", at: PCIAddress(device: PCPCIDevice.test))) }
        for (index, device) in devices.enumerated() {
            let slot = PCISlot(
                PCITransport(device: device.device, messageSink: core.fabric), name: device.name,
                at: PCIAddress(device: PCPCIDevice.virtio(index)))
            device.settle(slot)
            slots.append(slot)
        }
        let lines = (0..<PCIInterruptRouting.lines).map { core.lines.line(PCInterrupt.pciFirst + $0) }
        let board = PCIBoard(slots, lines: lines)
        let low = PCMemoryMap.pciMemory
        let windows: [(PCMemoryMap.Range, String, any BusTarget)] = [
            (PCMemoryMap.pciConfiguration, "pci-config", PCIBoard.ConfigurationWindow(board)),
            (low, "pci-memory", PCIBoard.AddressWindow(board, .memory, base: low.base)),
            (high, "pci-high-memory", PCIBoard.AddressWindow(board, .memory, base: high.base)),
        ]
        attachments += windows.map { Bus.Attachment(base: $0.0.address, size: $0.0.size, name: $0.1, target: $0.2) }
        let configuration = PCIPortWindow(board, requests: requests)
        attach(
            configuration,
            at: PCPort.Range(base: PCPort.pciAddress.base, size: UInt16(PCIConfigurationPorts.windowSize)),
            widest: .word)
        ports.append(
            PortSpace.Attachment(
                first: PCPort.pci.base, count: UInt32(PCPort.pci.size), widest: .word, name: "pci-ports",
                target: PCIBoard.AddressWindow(board, .io, base: UInt64(PCPort.pci.base))))
        residents += [configuration] + board.residents
        return board
    }
}

// SPDX-License-Identifier: Apache-2.0

import Devices
import Host
import MachineCore
import RISCV64
import VMMemory
import Virtio

/// The hardware of a `virt` machine, wired. It has no life of its own: `MachineLife` starts and stops it.
final class VirtBoard: MachineBoard {
    let ram: GuestRAM
    let memory: GuestMemory
    let clock = VirtualClock()
    /// What a store to the ACLINT's MTIME has made of the harts' `time` (RISC-V ACLINT 1.0-rc4 §2.2).
    let timeOffset = TimeOffset()
    let loop: EventLoop
    let timers: BoardTimers
    let vcpus: [VCPU<Hart>]
    /// What each vCPU's engine caches, by vCPU.
    let caches: [CacheMapping]
    let bus: Bus
    let uart: BoardSlot<UART16550>
    let console: ConsoleTap
    let bay: VirtioBay
    let gate = InputGate()
    /// Everything that a reset of the machine resets, in order; the interrupt controller last, when all wires are low.
    let residents: [any BoardResident]
    let serial: StreamAttachment?
    private let guest: VirtGuest
    private let hostInterface: HostInterface?

    /// Wires the machine of `configuration`, which starts `guest`. `voice` hears the finisher, the panic device and what a
    /// console says of a crash.
    init(_ configuration: VirtConfiguration, guest: VirtGuest, voice: BoardVoice) throws(MachineError) {
        self.guest = guest
        let (requests, found) = (voice.requests, voice.found)
        let harts = configuration.harts
        do throws(HostError) {
            ram = try GuestRAM(size: configuration.memorySize)
            loop = try EventLoop(name: "timers")
        } catch {
            throw .host(error.description)
        }
        // SAFETY: `size` bytes that `ram` keeps mapped; this object holds both.
        memory = unsafe GuestMemory(regions: [
            MemoryRegion(
                base: GuestAddress(VirtMemoryMap.memoryBase), size: configuration.memorySize, host: ram.base)
        ])
        let pins = HartPins()
        timers = BoardTimers(harts: harts, clock: clock, loop: loop) { [pins] in pins.timerExpired($0) }

        // Interrupt controllers first: the others are wired to them.
        let plic = BoardSlot(
            PLIC(sources: VirtInterrupt.sources, contexts: harts * 2), name: "plic",
            wires: (0..<harts).flatMap {
                [pins.line($0, HartPin.machineExternal), pins.line($0, HartPin.supervisorExternal)]
            })
        func input(_ number: Int) -> InterruptLine { InterruptLine(to: plic, number: number) }

        console = ConsoleTap(configuration.serial?.backend, found: found)
        let port = UART16550(backend: console, waitsForReader: true)
        uart = BoardSlot(port, name: "uart", wires: [input(VirtInterrupt.uart)])
        let clockChip = BoardSlot(
            GoldfishRTC(calendar: HostCalendar(), clock: clock), name: "rtc",
            wires: [input(VirtInterrupt.realTimeClock)], timers: timers)
        clockChip.connectTimer()
        let finisher = BoardSlot(Finisher(requests: requests), name: "finisher")

        var devices: [VirtioBay.Device] = []
        bay = try VirtioBay(configuration, ram: ram, memory: memory, gate: gate, found: found, devices: &devices)
        var residents: [any BoardResident] = [uart, clockChip, finisher]
        var attachments = [
            Self.attach(VirtMemoryMap.plic, plic), Self.attach(VirtMemoryMap.uart, uart),
            Self.attach(VirtMemoryMap.realTimeClock, clockChip), Self.attach(VirtMemoryMap.finisher, finisher),
        ]
        Self.attachMMIO(
            configuration.transport == .mmio ? devices : [], input: input, &attachments, &residents)
        if configuration.transport == .pci {
            Self.attachPCI(
                devices, panic: configuration.hasPanicDevice ? PVPanic(requests: requests) : nil,
                memorySize: configuration.memorySize, input: input, &attachments, &residents)
        }
        if case .builtIn = configuration.boot.firmware {
        } else {
            Self.attachMachineMode(
                harts: harts, pins: pins, clock: clock, offset: timeOffset, timers: timers, &attachments, &residents)
        }
        residents.append(plic)
        self.residents = residents
        bus = Bus(attachments)
        serial = configuration.serial

        let door = LiveInputDoor(bus: bus, clock: clock, offset: timeOffset)
        var vcpus: [VCPU<Hart>] = []
        var caches: [CacheMapping] = []
        do throws(HostError) {
            for id in 0..<harts {
                let (vcpu, mapping) = try VirtBoard.makeVCPU(
                    id, configuration, memory: memory, door: door, timer: timers)
                vcpus.append(vcpu)
                caches.append(mapping)
            }
        } catch {
            bay.close()
            throw .host(error.description)
        }
        self.vcpus = vcpus
        self.caches = caches
        hostInterface = guest.plan.hostInterface.map { [memory] in HostInterface($0, memory: memory) }
        pins.connect(vcpus)
        for vcpu in vcpus { vcpu.firmware.connect(self) }
        connectSerial()
    }

    private static func makeVCPU(
        _ id: Int, _ configuration: VirtConfiguration, memory: GuestMemory, door: any InputDoor, timer: any HartTimer
    ) throws(HostError) -> (VCPU<Hart>, CacheMapping) {
        var isBuiltIn = false
        if case .builtIn = configuration.boot.firmware { isBuiltIn = true }
        let settings = Hart.Configuration(
            id: id, timebaseFrequency: MTIMER.frequency, supervisorCallsExit: isBuiltIn)
        let mapping = try CacheMapping(size: Hart.cacheBytes(settings), name: "vcpu\(id) caches")
        // SAFETY: the mapping's own bytes, kept by it.
        let caches = unsafe EngineMemory(start: mapping.base, size: mapping.size, owner: mapping)
        let hart = Hart(settings, memory: memory, door: door, timer: timer, caches: caches)
        hart.tracer = configuration.tracer
        switch configuration.engine {
        case .interpreter: return (VCPU(hart, engine: Interpreter(), firmware: SupervisorFirmware()), mapping)
        }
    }

    // MARK: Parts

    private static func attach(
        _ range: VirtMemoryMap.Range, _ slot: any BusTarget & BoardResident
    ) -> Bus.Attachment {
        Bus.Attachment(base: range.address, size: range.size, name: slot.name, target: slot)
    }

    /// All eight slots answer; those without a device say so.
    private static func attachMMIO(
        _ devices: [VirtioBay.Device], input: (Int) -> InterruptLine, _ attachments: inout [Bus.Attachment],
        _ residents: inout [any BoardResident]
    ) {
        for index in 0..<VirtMemoryMap.virtioSlots {
            guard index < devices.count else {
                let empty = BoardSlot(EmptyMMIOSlot(), name: "virtio-slot\(index)")
                attachments.append(attach(VirtMemoryMap.virtio(index), empty))
                continue
            }
            let slot = BoardSlot(
                MMIOTransport(device: devices[index].device), name: devices[index].name,
                wires: [input(VirtInterrupt.virtio(index))])
            devices[index].settle(slot)
            attachments.append(attach(VirtMemoryMap.virtio(index), slot))
            residents.append(slot)
        }
    }

    /// Each function at its place in `VirtPCIDevice`.
    private static func attachPCI(
        _ devices: [VirtioBay.Device], panic: PVPanic?, memorySize: UInt64, input: (Int) -> InterruptLine,
        _ attachments: inout [Bus.Attachment], _ residents: inout [any BoardResident]
    ) {
        var slots = [
            PCISlot(PCIHostFunction(), name: "pci-host", at: PCIAddress(device: VirtPCIDevice.hostBridge))
        ]
        if let panic { slots.append(PCISlot(panic, name: "pvpanic", at: PCIAddress(device: VirtPCIDevice.panic))) }
        for (index, device) in devices.enumerated() {
            let slot = PCISlot(
                PCITransport(device: device.device), name: device.name,
                at: PCIAddress(device: VirtPCIDevice.virtio(index)))
            device.settle(slot)
            slots.append(slot)
        }
        let board = PCIBoard(
            slots, lines: (0..<PCIInterruptRouting.lines).map { input(VirtInterrupt.pciFirst + $0) })
        let high = VirtMemoryMap.pciHighMemory(memorySize: memorySize)
        let low = VirtMemoryMap.pciMemory
        let windows: [(VirtMemoryMap.Range, String, any BusTarget)] = [
            (VirtMemoryMap.pciConfiguration, "pci-config", PCIBoard.ConfigurationWindow(board)),
            (VirtMemoryMap.pciPorts, "pci-ports", PCIBoard.AddressWindow(board, .io, base: 0)),
            (low, "pci-memory", PCIBoard.AddressWindow(board, .memory, base: low.base)),
            (high, "pci-high-memory", PCIBoard.AddressWindow(board, .memory, base: high.base)),
        ]
        attachments += windows.map { Bus.Attachment(base: $0.0.address, size: $0.0.size, name: $0.1, target: $0.2) }
        residents += board.residents
    }

    /// What only M-mode knows of. Under the built-in SBI nothing answers there.
    private static func attachMachineMode(
        harts: Int, pins: HartPins, clock: VirtualClock, offset: TimeOffset, timers: BoardTimers,
        _ attachments: inout [Bus.Attachment], _ residents: inout [any BoardResident]
    ) {
        var wires = [InterruptLine?](repeating: nil, count: CLINT.timerOutput + harts)
        for hart in 0..<harts {
            wires[hart] = pins.line(hart, HartPin.machineSoftware)
            wires[CLINT.timerOutput + hart] = pins.line(hart, HartPin.machineTimer)
        }
        let chip = CLINT(harts: harts, clock: clock) { [pins] ticks in
            offset.set(ticks)
            pins.timeMoved()
        }
        let clint = BoardSlot(chip, name: "clint", wires: wires, timers: timers)
        clint.connectTimer()
        let supervisor = BoardSlot(
            SSWI(harts: harts) { [pins] in pins.setLine($0 << 6 | HartPin.supervisorSoftware, level: true) },
            name: "sswi")
        attachments += [attach(VirtMemoryMap.clint, clint), attach(VirtMemoryMap.supervisorSoftware, supervisor)]
        residents += [clint, supervisor] as [any BoardResident]
    }

    private func connectSerial() {
        serial?.connect(
            { [weak uart, gate] bytes in
                uart?.change { gate.isOpen ? $0.receive(bytes) : 0 } ?? bytes.count
            },
            // A serial line has no way to make its sender wait: what did not fit was dropped and counted.
            {})
    }

    // MARK: The guest

    func load() throws(MachineError) { try guest.load(into: memory, vcpus) }

    func begin(_ life: MachineLife<VirtBoard>) {
        if let hostInterface { life.poll(hostInterface) }
    }
}

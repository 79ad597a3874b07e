// SPDX-License-Identifier: Apache-2.0

import Devices
import Host
import MachineCore
import VMMemory
import Virtio
import X86_64

/// The hardware of an x86-64 machine, wired. It has no life of its own: `MachineLife` starts and stops it.
final class PCBoard: MachineBoard {
    let ram: GuestRAM
    let memory: GuestMemory
    let clock = VirtualClock()
    let loop: EventLoop
    let timers: BoardTimers
    let vcpus: [VCPU<Processor>]
    let caches: [CacheMapping]
    let bay: VirtioBay
    let gate = InputGate()
    let residents: [any BoardResident]
    let serial: StreamAttachment?
    private let uart: BoardSlot<UART16550>
    private let pci: PCIBoard
    private let guest: PCGuest
    private let pciHighMemory: PCMemoryMap.Range

    /// How fast all time-stamp counters count: CPUID tells it, and virtual time is what they count.
    static let timeStampRate = TimeStampRate(frequency: 1_000_000_000)

    /// Wires the machine of `configuration`, which starts `guest`. `voice` hears who asks for power-off or reset, the
    /// panic device, and what a console says of a crash.
    init(_ configuration: PCConfiguration, guest: PCGuest, voice: BoardVoice) throws(MachineError) {
        self.guest = guest
        serial = configuration.serial
        let size = configuration.memorySize
        pciHighMemory = PCMemoryMap.pciHighMemory(memorySize: size)
        do throws(HostError) {
            ram = try GuestRAM(size: size)
            loop = try EventLoop(name: "timers")
        } catch {
            throw .host(error.description)
        }
        memory = GuestMemory(
            regions: PCMemoryMap.parts(size).map { [ram] part in
                // SAFETY: a part of the `size` bytes that `ram` keeps mapped; this object holds both.
                unsafe MemoryRegion(
                    base: part.range.address, size: part.range.size, host: ram.base + Int(part.offset))
            })

        // Processors' local APICs first, then what sends to them, then what is wired to that.
        let processors = PCProcessors()
        let core = PCInterruptCore(configuration, processors: processors, clock: clock, loop: loop)
        timers = core.timers
        var builder = PCBoardBuilder(core: core, clock: clock)
        let console = ConsoleTap(configuration.serial?.backend, found: voice.found)
        uart = builder.addChips(console: console, requests: voice.requests)
        builder.addFirmwareConfiguration(processors: configuration.processors, memorySize: size, memory: memory)

        var devices: [VirtioBay.Device] = []
        bay = try VirtioBay(configuration, ram: ram, memory: memory, gate: gate, found: voice.found, devices: &devices)
        if configuration.testDevices.contains(.board) { builder.addTestDevice() }
        pci = builder.addPCI(
            devices, panic: configuration.hasPanicDevice ? PVPanic(requests: voice.requests) : nil,
            test: configuration.testDevices.contains(.function) ? PCITestDevice() : nil, high: pciHighMemory,
            requests: voice.requests)
        residents = builder.finish()

        let chips = PCDoor.Chips(
            bus: Bus(builder.attachments), ports: PortSpace(builder.ports), fabric: core.fabric, pics: core.pics,
            timers: timers)
        for door in core.doors { door.connect(chips) }
        var vcpus: [VCPU<Processor>] = []
        var caches: [CacheMapping] = []
        do throws(HostError) {
            for door in core.doors {
                let (vcpu, mapping) = try Self.makeVCPU(configuration, memory: memory, door: door, peers: processors)
                vcpus.append(vcpu)
                caches.append(mapping)
            }
        } catch {
            bay.close()
            throw .host(error.description)
        }
        self.vcpus = vcpus
        self.caches = caches
        processors.connect(vcpus)
        connectSerial()
    }

    private static func makeVCPU(
        _ configuration: PCConfiguration, memory: GuestMemory, door: PCDoor, peers: PCProcessors
    ) throws(HostError) -> (VCPU<Processor>, CacheMapping) {
        let settings = Processor.Configuration(
            id: door.id, model: configuration.model, count: configuration.processors,
            tscFrequency: timeStampRate.frequency)
        let mapping = try CacheMapping(size: Processor.cacheBytes(settings), name: "vcpu\(door.id) caches")
        // SAFETY: the mapping's own bytes, kept by it.
        let caches = unsafe EngineMemory(start: mapping.base, size: mapping.size, owner: mapping)
        let processor = Processor(settings, memory: memory, door: door, caches: caches)
        processor.tracer = configuration.tracer
        if configuration.processors > 1 { processor.peers = peers }
        switch configuration.engine {
        case .interpreter: return (VCPU(processor, engine: Interpreter(), firmware: NoFirmware()), mapping)
        }
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

    func load() throws(MachineError) {
        pci.assign(
            PCIAssignment(
                memory: PCMemoryMap.pciMemory.base..<PCMemoryMap.pciMemory.end,
                highMemory: pciHighMemory.base..<pciHighMemory.end,
                ports: UInt64(PCPort.pci.base)..<UInt64(PCPort.pci.base) + UInt64(PCPort.pci.size)
            ) { line in UInt8(PCInterrupt.legacyPCI[line]) })
        try guest.load(into: memory, vcpus)
    }
}

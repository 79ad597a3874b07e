// SPDX-License-Identifier: Apache-2.0

import Backends
import Devices
import Host
import MachineCore
import Synchronization
import VMMemory
import Virtio

/// Whether what comes from outside may reach the machine: shut while it is paused, so that its memory stands still.
final class InputGate: Sendable {
    private let open = Atomic<Bool>(false)
    var isOpen: Bool { open.load(ordering: .acquiring) }
    func set(_ value: Bool) { open.store(value, ordering: .releasing) }
}

/// Where a virtio device sits, whatever its transport: the way to its lock.
protocol VirtioPlace: AnyObject, Sendable {
    /// Runs `body` under the device's lock, then does all that follows a change.
    func enter(_ body: () -> Void)
}

extension BoardSlot: VirtioPlace {
    func enter(_ body: () -> Void) { change { _ in body() } }
}

extension PCISlot: VirtioPlace {
    func enter(_ body: () -> Void) { change { _ in body() } }
}

/// A device that closures of backends hold, together with the way to its lock. They touch it under the lock alone.
@safe
struct PlacedDevice<D: VirtioDevice & SendableMetatype>: Sendable {
    // SAFETY: `change` takes the lock.
    private nonisolated(unsafe) let device: D
    private let place: Place

    /// Weak: the board owns its places, and backends may outlive it.
    private final class Place: Sendable {
        // SAFETY: written once, before the closures are handed out.
        nonisolated(unsafe) weak var target: (any VirtioPlace)?
    }

    init(_ device: D) {
        unsafe self.device = device
        place = Place()
    }

    /// Says where the device sits, and lets it bring work back in.
    func settle(at target: any VirtioPlace) {
        // SAFETY: before the machine runs.
        unsafe place.target = target
        let place = place
        unsafe device.core.reenter = { change in
            if let target = unsafe place.target { target.enter(change) } else { change() }
        }
    }

    /// Calls `body` under the lock; nil once the board is gone.
    func change<T>(_ body: (D) -> T) -> T? {
        // SAFETY: under the lock.
        var result: T?
        unsafe place.target?.enter { result = unsafe body(device) }
        return result
    }
}

/// The virtio devices of a machine and the backends behind them.
final class VirtioBay: Sendable {
    /// What is to be placed on a bus, in order.
    struct Device {
        let name: String
        let device: any VirtioDevice
        let settle: (any VirtioPlace) -> Void
    }

    let disks: [OpenDisk]
    private let networks: [NetworkAttachment]
    private let ports: [ConsoleAttachment]
    let console: PlacedDevice<ConsoleDevice>?
    let balloon: PlacedDevice<BalloonDevice>?
    let balloonMemory: RAMBalloon?

    /// Makes the devices of `configuration` over `memory`, which lies in `ram`, and opens their disks. `devices` is
    /// what to place.
    init(
        _ configuration: any MachineConfiguration, ram: GuestRAM, memory: GuestMemory, gate: InputGate,
        found: @escaping @Sendable (PanicScanner.Finding) -> Void, devices: inout [Device]
    ) throws(MachineError) {
        var disks: [OpenDisk] = []
        var balloon: (device: Device, placed: PlacedDevice<BalloonDevice>, memory: RAMBalloon)?
        do throws(MachineError) {
            for (index, disk) in configuration.disks.enumerated() {
                let (device, open) = try Self.makeDisk(disk, memory, name: Self.diskName + "\(index)")
                disks.append(open)
                devices.append(device)
            }
            if let wanted = configuration.balloon { balloon = try Self.makeBalloon(wanted, ram, memory) }
        } catch {
            for disk in disks { disk.close() }
            throw error
        }
        for (index, network) in configuration.networks.enumerated() {
            devices.append(Self.makeNetwork(network, memory, gate, name: Self.networkName + "\(index)"))
        }
        var console: PlacedDevice<ConsoleDevice>?
        if !configuration.consolePorts.isEmpty {
            let (device, placed) = Self.makeConsole(configuration.consolePorts, memory, gate, found)
            console = placed
            devices.append(device)
        }
        if configuration.hasEntropy {
            let entropy = EntropyDevice(memory: memory, source: HostEntropy())
            let placed = PlacedDevice(entropy)
            devices.append(Device(name: "virtio-rng", device: entropy) { placed.settle(at: $0) })
        }
        if let balloon { devices.append(balloon.device) }
        self.disks = disks
        self.console = console
        self.balloon = balloon?.placed
        balloonMemory = balloon?.memory
        networks = configuration.networks
        ports = configuration.consolePorts
    }

    private static func makeDisk(
        _ disk: DiskAttachment, _ memory: GuestMemory, name: String
    ) throws(MachineError) -> (Device, OpenDisk) {
        let completion = DiskCompletion()
        let open = try disk.open(memory) { completion.complete($0, $1) }
        let device = BlockDevice(memory: memory, backend: open.backend)
        let placed = PlacedDevice(device)
        completion.connect(placed)
        return (Device(name: name, device: device) { placed.settle(at: $0) }, open)
    }

    private static func makeBalloon(
        _ configuration: BalloonConfiguration, _ ram: GuestRAM, _ memory: GuestMemory
    ) throws(MachineError) -> (Device, PlacedDevice<BalloonDevice>, RAMBalloon) {
        let completion = BalloonCompletion()
        let backend: RAMBalloon
        do throws(HostError) {
            backend = try RAMBalloon(ram, memory: memory, completion: completion.complete)
        } catch {
            throw .host(error.description)
        }
        let device = BalloonDevice(
            memory: memory, backend: backend, target: UInt32(clamping: configuration.size >> GuestPage.shift))
        let placed = PlacedDevice(device)
        completion.connect(placed)
        return (Device(name: "virtio-balloon", device: device) { placed.settle(at: $0) }, placed, backend)
    }

    private static func makeNetwork(
        _ network: NetworkAttachment, _ memory: GuestMemory, _ gate: InputGate, name: String
    ) -> Device {
        let device = NetworkDevice(memory: memory, backend: network.backend, address: network.address)
        let placed = PlacedDevice(device)
        network.connect { frame in placed.change { gate.isOpen ? $0.deliver(frame) : false } ?? true }
        network.connectRoom { _ = placed.change { $0.resumeSending() } }
        return Device(name: name, device: device) { placed.settle(at: $0) }
    }

    private static func makeConsole(
        _ ports: [ConsoleAttachment], _ memory: GuestMemory, _ gate: InputGate,
        _ found: @escaping @Sendable (PanicScanner.Finding) -> Void
    ) -> (Device, PlacedDevice<ConsoleDevice>) {
        let descriptions = ports.map { port in
            let backend: any StreamBackend =
                port.isTerminal ? ConsoleTap(port.stream.backend, found: found) : port.stream.backend
            return ConsolePortDescription(name: port.name, isConsole: port.isTerminal, backend: backend)
        }
        let device = ConsoleDevice(memory: memory, ports: descriptions)
        device.onEvent = { event in
            switch event {
            case .opened(let number): if ports.indices.contains(number) { ports[number].guestOpened(true) }
            case .closed(let number): if ports.indices.contains(number) { ports[number].guestOpened(false) }
            }
        }
        let placed = PlacedDevice(device)
        for (number, port) in ports.enumerated() {
            port.stream.connect(
                { bytes in
                    placed.change { gate.isOpen ? $0.deliver(bytes[...], port: number) : 0 } ?? bytes.count
                },
                { _ = placed.change { $0.resume(port: number) } })
        }
        return (Device(name: "virtio-console", device: device) { placed.settle(at: $0) }, placed)
    }

    private var flows: [DeviceFlow] { disks.map(\.flow) + networks.map(\.flow) }

    /// What the flow of a disk or a network adds to its device's counters.
    func flowCounters(of name: String) -> [(name: String, count: UInt64)] {
        for (prefix, flows) in [(Self.diskName, disks.map(\.flow)), (Self.networkName, networks.map(\.flow))] {
            guard name.hasPrefix(prefix), let index = Int(name.dropFirst(prefix.count)), flows.indices.contains(index)
            else { continue }
            return flows[index].counters()
        }
        return []
    }

    private static let diskName = "virtio-blk"
    private static let networkName = "virtio-net"

    /// Lets nothing that waits for a limit begin until `resumeInput()`.
    func suspend() { for flow in flows { flow.suspend() } }

    /// Tells all backends that the machine takes input again.
    func resumeInput() {
        for flow in flows { flow.proceed() }
        for network in networks { network.backend.resume() }
        for port in ports { port.stream.backend.resume() }
        _ = balloon?.change { $0.release() }
    }

    /// Waits until every disk request that has begun has been answered, and the balloon stands.
    func drain() {
        for disk in disks { disk.drain() }
        _ = balloon?.change { $0.hold() }
        balloonMemory?.drain()
    }

    /// Gives back what the backends hold.
    func close() {
        for disk in disks { disk.close() }
        for network in networks { network.close() }
        balloonMemory?.close()
    }
}

/// The way from the balloon's thread to its device, which is made after it.
@safe
private final class BalloonCompletion: Sendable {
    // SAFETY: written once, before the first request.
    private nonisolated(unsafe) var device: PlacedDevice<BalloonDevice>?

    func connect(_ device: PlacedDevice<BalloonDevice>) {
        // SAFETY: before the first request.
        unsafe self.device = device
    }

    func complete(_ token: UInt64) {
        // SAFETY: see `device`.
        unsafe _ = device?.change { $0.complete(token) }
    }
}

/// The way from a disk's answers to its device, which is made after the disk.
@safe
private final class DiskCompletion: Sendable {
    // SAFETY: written once, before the first request.
    private nonisolated(unsafe) var device: PlacedDevice<BlockDevice>?

    func connect(_ device: PlacedDevice<BlockDevice>) {
        // SAFETY: before the first request.
        unsafe self.device = device
    }

    func complete(_ token: UInt64, _ result: BlockResult) {
        // SAFETY: see `device`.
        unsafe _ = device?.change { $0.complete(token, result) }
    }
}

/// The host's random numbers for the entropy device.
private final class HostEntropy: EntropySource {
    func bytes(_ count: Int) -> [UInt8] { Randomness.bytes(count) }
}

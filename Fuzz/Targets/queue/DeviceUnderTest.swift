// SPDX-License-Identifier: Apache-2.0

import FuzzSupport
import MachineCore
import VMMemory
import Virtio

/// The device behind the queues, and the outside world behind the device.
struct DeviceUnderTest {
    let device: any VirtioDevice
    private let disk: PendingDisk
    private let block: BlockDevice?
    private let network: NetworkDevice?
    private let console: ConsoleDevice?
    private let balloon: BalloonDevice?
    private let pages: PendingPages

    /// 0 a disk, 1 entropy, 2 a read-only disk, 3 a network card, 4 a console of two ports, 5 a balloon.
    init(kind: UInt8, memory: GuestMemory) {
        let kind = kind % 6
        disk = PendingDisk(memory: memory, isReadOnly: kind == 2)
        block = kind == 0 || kind == 2 ? BlockDevice(memory: memory, backend: disk) : nil
        network =
            kind == 3 ? NetworkDevice(memory: memory, backend: DeadEnd(), address: [0x52, 0x54, 0, 0, 0, 1]) : nil
        console = kind == 4 ? Self.console(memory) : nil
        pages = PendingPages(memory: memory)
        balloon = kind == 5 ? BalloonDevice(memory: memory, backend: pages) : nil
        let others: [(any VirtioDevice)?] = [block, network, console, balloon]
        device =
            others.compactMap { $0 }.first ?? EntropyDevice(memory: memory, source: CountingSource())
    }

    private static func console(_ memory: GuestMemory) -> ConsoleDevice {
        let ports = [
            ConsolePortDescription(name: "", isConsole: true, backend: DeadEnd()),
            ConsolePortDescription(name: "org.apus.agent.0", backend: DeadEnd()),
        ]
        return ConsoleDevice(memory: memory, ports: ports)
    }

    /// The disk answers its request number `index`, mod their count.
    func answer(_ index: Int, _ result: BlockResult) {
        if let balloon, let request = pages.pending {
            pages.perform(request.operation)
            balloon.complete(request.token)
            balloon.takeWork()?()
        }
        guard let block, !disk.pending.isEmpty else { return }
        let request = disk.pending.remove(at: index % disk.pending.count)
        disk.perform(request.operation)
        block.complete(request.token, result)
        block.takeWork()?()
    }

    /// Bytes come from the outside: a frame, or input for a port.
    func deliver(_ bytes: [UInt8], to port: UInt8) {
        if let network { _ = network.deliver(bytes + [UInt8](repeating: 0, count: max(0, 14 - bytes.count))) }
        if let console {
            let taken = console.deliver(bytes[...], port: Int(port % 3))
            require((0...bytes.count).contains(taken), "a port takes \(taken) of \(bytes.count) bytes")
        }
    }

    /// Something about the outside changes.
    func change(_ what: UInt8) {
        network?.setLink(up: what & 1 == 0)
        change(balloon, what)
        guard let console else { return }
        switch what & 3 {
        case 0: console.resize(columns: UInt16(what), rows: 25)
        case 1: console.setHostOpen(port: Int(what >> 2) % 3, what & 0x80 != 0)
        default: console.resume(port: Int(what >> 2) % 3)
        }
    }

    private func change(_ balloon: BalloonDevice?, _ what: UInt8) {
        guard let balloon else { return }
        switch what & 3 {
        case 0: balloon.target = UInt32(what)
        case 1: balloon.requestStatistics()
        case 2: balloon.hold()
        default: balloon.release()
        }
        balloon.takeWork()?()
    }

    /// Every request is answered in the end: nothing may be left over, and nothing may be lost.
    func settle() {
        device.takeWork()?()
        while !disk.pending.isEmpty { answer(0, .done) }
        // A held balloon begins nothing new; a list may go on for longer than anyone waits.
        balloon?.hold()
        while pages.pending != nil { answer(0, .done) }
        let left = device.core.requestsUnderWay
        require(
            left == 0 || block == nil && balloon == nil, "\(left) requests are under way that the backend has answered")
    }
}

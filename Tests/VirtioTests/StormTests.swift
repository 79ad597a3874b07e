// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Testing
import VMMemory
import Virtio
import VirtioMock

/// A device with its backends, and a driver that has lost its mind.
private final class Storm {
    enum Kind: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case block, network, console, entropy, balloon
        var testDescription: String { rawValue }
    }

    let ram = MockRAM(size: 1 << 20)
    let board: MockBoard
    let driver: MockDriver
    let disk: MockDisk
    private var random: SplitMix
    private let outside: (inout SplitMix, MockBoard) -> Void

    init(_ kind: Kind, on transport: MockBoard.Transport, seed: UInt64) {
        random = SplitMix(seed: seed)
        let memory = ram.memory
        let disk = MockDisk(sectors: 64, memory: memory)
        disk.holdsAnswers = true
        self.disk = disk
        switch kind {
        case .block:
            let device = BlockDevice(memory: memory, backend: disk)
            board = MockBoard(device, on: transport)
            disk.completion = { [unowned board, unowned device] token, result in
                board.perform { device.complete(token, result) }
            }
            outside = { random, board in
                if !disk.pending.isEmpty, random.next() % 2 == 0 {
                    disk.answer(Int(random.next() % UInt64(disk.pending.count)))
                }
                if random.next() % 16 == 0 { board.perform { device.capacityChanged() } }
            }
        case .network:
            let device = NetworkDevice(memory: memory, backend: MockNetwork(), address: NetworkRig.address)
            board = MockBoard(device, on: transport)
            outside = { random, board in
                let frame = NetworkRig.frame(count: 14 + Int(random.next() % 3000))
                _ = board.perform { device.deliver(frame) }
                if random.next() % 16 == 0 { board.perform { device.setLink(up: random.next() % 2 == 0) } }
            }
        case .console:
            let streams = [MockStream(), MockStream()]
            let device = ConsoleDevice(
                memory: memory,
                ports: streams.map { ConsolePortDescription(name: "p", isConsole: $0 === streams[0], backend: $0) },
                maximumPorts: 4, terminalSize: (80, 25))
            board = MockBoard(device, on: transport)
            outside = { random, board in
                streams[Int(random.next() % 2)].room = Int(random.next() % 5000)
                let port = Int(random.next() % 4)
                switch random.next() % 6 {
                case 0: board.perform { device.resume(port: port) }
                case 1: board.perform { device.resize(columns: UInt16(random.next() % 100), rows: 1) }
                case 2: _ = board.perform { device.addPort(ConsolePortDescription(backend: streams[0])) }
                case 3: board.perform { device.removePort(port) }
                case 4: board.perform { device.setHostOpen(port: port, random.next() % 2 == 0) }
                default: _ = board.perform { device.deliver([1, 2, 3], port: port) }
                }
            }
        case .entropy:
            let source = MockEntropy()
            board = MockBoard(EntropyDevice(memory: memory, source: source), on: transport)
            outside = { random, _ in source.left = Int(random.next() % 100_000) }
        case .balloon:
            let backend = MockBalloon(memory: memory)
            let device = BalloonDevice(memory: memory, backend: backend)
            board = MockBoard(device, on: transport)
            backend.completion = { [unowned board, unowned device] token in board.perform { device.complete(token) } }
            outside = { random, board in
                switch random.next() % 6 {
                case 0: backend.holdsAnswers.toggle()
                case 1: board.perform { device.requestStatistics() }
                case 2: board.perform { device.target = UInt32(truncatingIfNeeded: random.next()) }
                case 3: board.perform { device.hold() }
                default: board.perform { device.release() }
                }
                if !backend.holdsAnswers { backend.answerAll() }
            }
        }
        driver = MockDriver(board, ram: ram)
    }

    /// A number that is near a limit more often than chance would have it.
    private func value() -> UInt64 {
        switch random.next() % 5 {
        case 0: random.next()
        case 1: MockRAM.base.value + random.next() % ram.size
        case 2: random.next() % 16
        case 3: 0 &- random.next() % 16
        default: 1 << (random.next() % 64)
        }
    }

    /// Any access to any register.
    func access() {
        let width = AccessWidth.allCases[Int(random.next() % 4)]
        let offset = random.next() % (random.next() % 4 == 0 ? 0x8000 : 0x140)
        let isWrite = random.next() % 2 == 0
        if let registers = driver.mmio {
            if isWrite {
                registers.write(value() & width.mask, offset % 0x1000, width)
            } else {
                _ = registers.read(offset % 0x1000, width)
            }
        } else if let registers = driver.pci {
            switch (random.next() % 4 == 0, isWrite) {
            case (true, true): registers.writeConfiguration(value() & width.mask, Int(offset % 256), width)
            case (true, false): _ = registers.readConfiguration(Int(offset % 256), width)
            case (false, true): registers.write(value() & width.mask, offset, width)
            case (false, false): _ = registers.read(offset, width)
            }
        }
    }

    /// Sets the device up as it should be, then fills the rings with anything, and notifies.
    func rings() {
        driver.reset()
        disk.answerAll()
        guard driver.start(queueSize: 16) else { return }
        for _ in 0..<20 {
            guard let queue = driver.queues.randomElement(using: &random) else { return }
            if random.next() % 4 == 0 { fillWildly(queue) } else { fillNearlyRight(queue) }
            ram.memory.store(UInt16(truncatingIfNeeded: random.next()), at: queue.available + 4 + 32)
            queue.publish()
            driver.registers.notify(queue: queue.index)
            outside(&random, board)
            if driver.needsReset { return }
        }
    }

    private func fillWildly(_ queue: MockQueue) {
        for number in UInt16(0)..<16 {
            let flags = UInt16(random.next() % 8)
            queue.setDescriptor(number, segment(), flags: flags, next: UInt16(random.next() % 17))
        }
        for _ in 0..<random.next() % 17 { queue.makeAvailable(UInt16(random.next() % 17)) }
        if random.next() % 8 == 0 { queue.availableIndex = UInt16(truncatingIfNeeded: random.next()) }
    }

    /// Chains of the right form with small numbers in what the device reads: requests, commands and messages that are
    /// nearly right.
    private func fillNearlyRight(_ queue: MockQueue) {
        let firstWritable = UInt16(random.next() % 5)
        for number in UInt16(0)..<16 {
            let place = MockRAM.base + random.next() % (ram.size - 8192)
            if number < firstWritable { ram.memory.write((0..<16).map { _ in UInt8(random.next() % 14) }, at: place) }
            if random.next() % 2 == 0 { ram.memory.fill(at: place + 4, count: 12) }
            let lengths: [UInt64] = [1, 8, 16, 512, 1024, 4096]
            let isLast = number == 15 || number >= firstWritable && random.next() % 3 == 0
            queue.setDescriptor(
                number, MemorySegment(address: place, count: lengths[Int(random.next() % 6)]),
                flags: (number < firstWritable ? 0 : 2) | (isLast ? 0 : 1), next: number + 1)
        }
        for _ in 0..<random.next() % 4 { queue.makeAvailable(UInt16(random.next() % 4)) }
    }

    private func segment() -> MemorySegment {
        let lengths: [UInt64] = [0, 1, 8, 12, 16, 17, 32, 512, 1526, 4096, 70_000]
        let length = lengths[Int(random.next() % UInt64(lengths.count))]
        return random.next() % 32 == 0
            ? MemorySegment(address: GuestAddress(value()), count: value())
            : MemorySegment(address: MockRAM.base + random.next() % (ram.size - 70_000), count: length)
    }

    /// Whether, after all that, a driver that behaves finds a device that does too.
    func isSound() -> Bool {
        board.reset()
        disk.answerAll()
        // Its structures come into fresh memory: what the storm wrote there must not matter.
        let sane = MockDriver(board, ram: ram)
        return sane.registers.status == 0 && sane.start() && !sane.needsReset
    }
}

@Suite("a storm")
struct StormTests {
    @Test(
        "of random register accesses ends with a device that works", .timeLimit(.minutes(10)),
        arguments: Storm.Kind.allCases, MockBoard.Transport.allCases)
    fileprivate func registers(kind: Storm.Kind, transport: MockBoard.Transport) {
        let storm = Storm(kind, on: transport, seed: 1)
        for _ in 0..<20_000 { storm.access() }
        #expect(storm.isSound())
    }

    @Test(
        "of random rings ends with a device that works", .timeLimit(.minutes(10)), arguments: Storm.Kind.allCases,
        MockBoard.Transport.allCases)
    fileprivate func rings(kind: Storm.Kind, transport: MockBoard.Transport) {
        let storm = Storm(kind, on: transport, seed: 2)
        for _ in 0..<100 { storm.rings() }
        #expect(storm.board.device.core.counters.faults > 0)
        #expect(storm.board.device.core.counters.requests > 0)
        #expect(storm.isSound())
    }

    @Test(
        "of both ends with a device that works", .timeLimit(.minutes(10)), arguments: Storm.Kind.allCases,
        [UInt64(3), 4, 5])
    fileprivate func both(kind: Storm.Kind, seed: UInt64) {
        let storm = Storm(kind, on: .mmio, seed: seed)
        for _ in 0..<40 {
            storm.rings()
            for _ in 0..<100 { storm.access() }
        }
        #expect(storm.isSound())
    }
}

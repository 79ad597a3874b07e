// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory
import Virtio
import VirtioMock

/// A balloon on a board, with a driver.
final class BalloonRig {
    /// Queues by their numbers in virtio 1.2 §5.5.2.
    enum Queue: Int {
        case inflate = 0
        case deflate = 1
        case statistics = 2
        case compactReporting = 3
        case reporting = 4
    }

    static let statistics: UInt64 = 1 << 1
    static let poison: UInt64 = 1 << 4
    static let reporting: UInt64 = 1 << 5

    let ram = MockRAM(size: 8 << 20)
    let backend: MockBalloon
    let device: BalloonDevice
    let board: MockBoard
    let driver: MockDriver

    init(on transport: MockBoard.Transport = .mmio, target: UInt32 = 0) {
        let backend = MockBalloon(memory: ram.memory)
        self.backend = backend
        device = BalloonDevice(memory: ram.memory, backend: backend, target: target)
        board = MockBoard(device, on: transport)
        driver = MockDriver(board, ram: ram)
        backend.completion = { [unowned board, unowned device] token in board.perform { device.complete(token) } }
    }

    func queue(_ queue: Queue) -> MockQueue { driver.queues[queue.rawValue] }

    /// The first of `count` pages in the upper half of RAM, where the driver's own structures are not.
    static func page(_ index: UInt64) -> UInt64 { (MockRAM.base + (4 << 20)).page + index }

    static func pages(_ first: UInt64, _ count: UInt64 = 1) -> MemorySegment {
        MemorySegment(address: GuestAddress(page(first) << 12), count: count << 12)
    }

    /// A list of page numbers as a driver writes it.
    static func list(_ numbers: some Sequence<UInt64>) -> [UInt8] {
        numbers.flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number >> (UInt64($0) * 8)) } }
    }

    /// Sends page numbers on `target`.
    @discardableResult
    func send(_ numbers: some Sequence<UInt64>, to target: Queue) -> UInt16? {
        defer { queue(target).kick() }
        return queue(target).add(readable: [driver.segment(Self.list(numbers))])
    }

    /// Sends statistics: pairs of tag and value.
    func sendStatistics(_ pairs: [(UInt16, UInt64)]) {
        let bytes = pairs.flatMap { tag, value in
            [UInt8(truncatingIfNeeded: tag), UInt8(truncatingIfNeeded: tag >> 8)]
                + (0..<8).map { UInt8(truncatingIfNeeded: value >> (UInt64($0) * 8)) }
        }
        queue(.statistics).add(readable: [driver.segment(bytes)])
        queue(.statistics).kick()
    }

    /// A 32-bit field of the configuration space.
    subscript(config offset: UInt64) -> UInt32 {
        get { UInt32(truncatingIfNeeded: driver.registers.readConfig(at: offset, width: .word)) }
        set { driver.registers.writeConfig(UInt64(newValue), at: offset, width: .word) }
    }
}

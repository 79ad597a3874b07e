// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory
import Virtio
import VirtioMock

/// A block device on a board, with a driver and a disk.
final class BlockRig {
    enum Kind: UInt32, Sendable {
        case read = 0
        case write = 1
        case scsi = 2
        case flush = 4
        case getID = 8
        case discard = 11
        case writeZeroes = 13
        case secureErase = 14
    }

    /// How a request ended. `status` 0xFF: the device did not write it.
    struct Outcome: Equatable, Sendable {
        var status: UInt8
        var length: UInt32
    }

    /// A request that is under way.
    struct Request {
        let head: UInt16
        let status: MemorySegment
    }

    let ram: MockRAM
    let disk: MockDisk
    let device: BlockDevice
    let board: MockBoard
    let driver: MockDriver

    init(
        on transport: MockBoard.Transport = .mmio, sectors: Int = 64, isReadOnly: Bool = false,
        supportsDiscard: Bool = true, memory: UInt64 = 2 << 20
    ) {
        ram = MockRAM(size: memory)
        disk = MockDisk(
            sectors: sectors, memory: ram.memory, isReadOnly: isReadOnly, supportsDiscard: supportsDiscard)
        device = BlockDevice(memory: ram.memory, backend: disk)
        board = MockBoard(device, on: transport)
        driver = MockDriver(board, ram: ram)
        disk.completion = { [unowned board, unowned device] token, result in
            board.perform { device.complete(token, result) }
        }
    }

    var queue: MockQueue { driver.queues[0] }

    static func header(_ kind: UInt32, sector: UInt64) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: kind >> (8 * $0)) } + [0, 0, 0, 0]
            + (0..<8).map { UInt8(truncatingIfNeeded: sector >> (8 * $0)) }
    }

    /// The range of a discard or write-zeroes request.
    static func range(sector: UInt64, sectors: UInt32, flags: UInt32 = 0) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: sector >> (8 * $0)) }
            + (0..<4).map { UInt8(truncatingIfNeeded: sectors >> (8 * $0)) }
            + (0..<4).map { UInt8(truncatingIfNeeded: flags >> (8 * $0)) }
    }

    /// Adds a request and kicks.
    func begin(
        _ kind: Kind, sector: UInt64 = 0, readable: [MemorySegment] = [], writable: [MemorySegment] = [],
        indirect: Bool = false
    ) -> Request {
        let header = driver.segment(Self.header(kind.rawValue, sector: sector))
        let status = driver.segment([0xFF])
        let head = queue.add(readable: [header] + readable, writable: writable + [status], indirect: indirect)
        queue.kick()
        return Request(head: head ?? .max, status: status)
    }

    /// A request from beginning to end.
    func perform(
        _ kind: Kind, sector: UInt64 = 0, readable: [MemorySegment] = [], writable: [MemorySegment] = [],
        indirect: Bool = false
    ) -> Outcome? {
        let request = begin(kind, sector: sector, readable: readable, writable: writable, indirect: indirect)
        guard let used = queue.popUsed(), used.head == request.head else { return nil }
        return Outcome(status: driver.bytes(request.status)[0], length: used.length)
    }
}

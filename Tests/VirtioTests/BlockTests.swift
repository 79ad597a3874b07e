// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Testing
import VMMemory
import Virtio
import VirtioMock

@Suite("the block device")
struct BlockTests {
    typealias Outcome = BlockRig.Outcome

    @Test("a driver reads what is on the disk", arguments: MockBoard.Transport.allCases)
    func read(transport: MockBoard.Transport) {
        let rig = BlockRig(on: transport)
        rig.disk.content[512] = 7
        rig.disk.content[1023] = 9
        rig.driver.start()
        let data = rig.driver.segment(512)
        #expect(rig.perform(.read, sector: 1, writable: [data]) == Outcome(status: 0, length: 513))
        #expect(rig.driver.bytes(data) == Array(rig.disk.content[512..<1024]))
    }

    @Test("what a driver writes is on the disk", arguments: MockBoard.Transport.allCases, [false, true])
    func write(transport: MockBoard.Transport, indirect: Bool) {
        let rig = BlockRig(on: transport)
        rig.driver.start()
        let parts = [
            rig.driver.segment([UInt8](repeating: 5, count: 100)),
            rig.driver.segment([UInt8](repeating: 6, count: 924)),
        ]
        #expect(rig.perform(.write, sector: 3, readable: parts, indirect: indirect) == Outcome(status: 0, length: 1))
        #expect(rig.disk.content[1536..<1636].allSatisfy { $0 == 5 })
        #expect(rig.disk.content[1636..<2560].allSatisfy { $0 == 6 })
        #expect(rig.disk.content[2560] == 0)
    }

    @Test("header, data and status byte may be cut anywhere (virtio 1.2 §2.7.4.1)")
    func framing() {
        let rig = BlockRig()
        rig.disk.content[0..<512] = ArraySlice(repeating: 3, count: 512)
        rig.driver.start()
        let header = BlockRig.header(0, sector: 0)
        let pieces = [
            rig.driver.segment(Array(header[..<1])), rig.driver.segment(Array(header[1..<9])),
            rig.driver.segment(Array(header[9...])),
        ]
        let first = rig.driver.segment(500)
        let second = rig.driver.segment([UInt8](repeating: 0xFF, count: 13))
        rig.queue.add(readable: pieces, writable: [first, second])
        rig.queue.kick()
        #expect(rig.queue.popUsed()?.length == 513)
        #expect(rig.driver.bytes(first) == [UInt8](repeating: 3, count: 500))
        #expect(rig.driver.bytes(second) == [UInt8](repeating: 3, count: 12) + [0])
    }

    @Test(
        "the disk says who it is in 20 bytes, padded with NUL",
        arguments: ["", "MOCK-0001", "a serial number much too long"])
    func serial(serial: String) {
        let rig = BlockRig()
        rig.disk.serial = serial
        rig.driver.start()
        let data = rig.driver.segment([UInt8](repeating: 0xAA, count: 20))
        #expect(rig.perform(.getID, writable: [data]) == Outcome(status: 0, length: 21))
        let expected = Array(serial.utf8.prefix(20))
        #expect(rig.driver.bytes(data) == expected + [UInt8](repeating: 0, count: 20 - expected.count))
    }

    @Test("capacity and limits are in the configuration space", arguments: MockBoard.Transport.allCases)
    func configuration(transport: MockBoard.Transport) {
        let rig = BlockRig(on: transport, sectors: 100)
        #expect(rig.driver.registers.readConfig(at: 0, width: .word) == 100)
        #expect(rig.driver.registers.readConfig(at: 4, width: .word) == 0)
        #expect(rig.driver.registers.readConfig(at: 12, width: .word) == 254)
        #expect(rig.driver.registers.readConfig(at: 20, width: .half) == 512)
        #expect(rig.driver.registers.readConfig(at: 56, width: .byte) == 1)
        #expect(rig.driver.registers.readConfig(at: 60, width: .double) == 0)
    }

    @Test("a disk that grows tells the driver, and the generation changes", arguments: MockBoard.Transport.allCases)
    func resize(transport: MockBoard.Transport) {
        let rig = BlockRig(on: transport, sectors: 100)
        rig.driver.start()
        let before = rig.driver.registers.configGeneration
        rig.disk.content += [UInt8](repeating: 0, count: 512)
        rig.board.perform { rig.device.capacityChanged() }
        #expect(rig.driver.registers.readConfig(at: 0, width: .word) == 101)
        #expect(rig.driver.registers.configGeneration != before)
        #expect(rig.driver.registers.takeInterruptStatus() & 2 == 2)
        let data = rig.driver.segment(512)
        #expect(rig.perform(.read, sector: 100, writable: [data])?.status == 0)
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let kind: BlockRig.Kind
        var sector: UInt64 = 0
        var readable: [UInt8] = []
        var writable: UInt64 = 0
        let status: UInt8
    }

    static let bad: [Bad] = [
        Bad(testDescription: "read behind the end", kind: .read, sector: 64, writable: 512, status: 1),
        Bad(testDescription: "read over the end", kind: .read, sector: 63, writable: 1024, status: 1),
        Bad(testDescription: "read at a sector that overflows", kind: .read, sector: 1 << 55, writable: 512, status: 1),
        Bad(testDescription: "read at the last sector number", kind: .read, sector: .max, writable: 512, status: 1),
        Bad(testDescription: "read of half a sector", kind: .read, writable: 256, status: 1),
        Bad(testDescription: "read of nothing", kind: .read, sector: 64, status: 0),
        Bad(
            testDescription: "write behind the end", kind: .write, sector: 64,
            readable: [UInt8](repeating: 1, count: 512), status: 1),
        Bad(testDescription: "write of a byte", kind: .write, readable: [1], status: 1),
        Bad(testDescription: "SCSI", kind: .scsi, status: 2),
        Bad(
            testDescription: "secure erase", kind: .secureErase, readable: BlockRig.range(sector: 0, sectors: 1),
            status: 2),
        Bad(testDescription: "discard without a range", kind: .discard, status: 1),
        Bad(
            testDescription: "discard with half a range", kind: .discard, readable: [UInt8](repeating: 0, count: 8),
            status: 1),
        Bad(
            testDescription: "discard with unmap", kind: .discard,
            readable: BlockRig.range(sector: 0, sectors: 1, flags: 1), status: 2),
        Bad(
            testDescription: "discard with an unknown flag", kind: .discard,
            readable: BlockRig.range(sector: 0, sectors: 1, flags: 2), status: 2),
        Bad(
            testDescription: "discard over the end", kind: .discard, readable: BlockRig.range(sector: 60, sectors: 5),
            status: 1),
        Bad(
            testDescription: "discard with too many ranges", kind: .discard,
            readable: [[UInt8]](repeating: BlockRig.range(sector: 0, sectors: 1), count: 17).flatMap { $0 }, status: 1),
        Bad(
            testDescription: "write zeroes with an unknown flag", kind: .writeZeroes,
            readable: BlockRig.range(sector: 0, sectors: 1, flags: 2), status: 2),
        Bad(
            testDescription: "write zeroes over the end", kind: .writeZeroes,
            readable: BlockRig.range(sector: .max, sectors: 1), status: 1),
        Bad(
            testDescription: "write zeroes of too many sectors", kind: .writeZeroes,
            readable: BlockRig.range(sector: 0, sectors: .max), status: 1),
    ]

    @Test("a request that cannot be done ends with its status and leaves the disk alone", arguments: bad)
    func badRequests(bad: Bad) {
        let rig = BlockRig()
        let before = [UInt8](repeating: 9, count: rig.disk.content.count)
        rig.disk.content = before
        rig.driver.start()
        let readable = [bad.readable].filter { !$0.isEmpty }.map { rig.driver.segment($0) }
        let writable = [bad.writable].filter { $0 > 0 }.map { rig.driver.segment($0) }
        let outcome = rig.perform(bad.kind, sector: bad.sector, readable: readable, writable: writable)
        #expect(outcome?.status == bad.status)
        #expect(rig.disk.content == before)
        #expect(rig.disk.log.isEmpty)
        #expect(!rig.driver.needsReset)
    }

    @Test("a read-only disk refuses to change", arguments: [BlockRig.Kind.write, .discard, .writeZeroes])
    func readOnly(kind: BlockRig.Kind) {
        let rig = BlockRig(isReadOnly: true)
        rig.driver.start()
        #expect(rig.driver.features & 1 << 5 != 0)
        let data = rig.driver.segment([UInt8](repeating: 1, count: 512))
        #expect(rig.perform(kind, readable: [data])?.status == 1)
        #expect(rig.disk.log.isEmpty)
    }

    @Test(
        "a backend without discard does not offer it, and refuses it", arguments: [BlockRig.Kind.discard, .writeZeroes])
    func noDiscard(kind: BlockRig.Kind) {
        let rig = BlockRig(supportsDiscard: false)
        rig.driver.start()
        #expect(rig.driver.features & (1 << 13 | 1 << 14) == 0)
        let range = rig.driver.segment(BlockRig.range(sector: 0, sectors: 1))
        #expect(rig.perform(kind, readable: [range])?.status == 2)
    }

    @Test("several ranges of one discard are one request")
    func discard() {
        let rig = BlockRig()
        rig.disk.content = [UInt8](repeating: 9, count: rig.disk.content.count)
        rig.driver.start()
        let ranges = rig.driver.segment(BlockRig.range(sector: 1, sectors: 2) + BlockRig.range(sector: 10, sectors: 1))
        #expect(rig.perform(.discard, readable: [ranges]) == Outcome(status: 0, length: 1))
        #expect(rig.disk.content[512..<1536].allSatisfy { $0 == 0 })
        #expect(rig.disk.content[5120..<5632].allSatisfy { $0 == 0 })
        #expect(rig.disk.content[1536] == 9)
        #expect(rig.queue.popUsed() == nil)
    }

    @Test(
        "what the backend says is what the driver learns",
        arguments: [(BlockResult.failed, UInt8(1)), (.unsupported, 2)])
    func failure(result: BlockResult, status: UInt8) {
        let rig = BlockRig()
        rig.disk.failure = result
        rig.driver.start()
        #expect(rig.perform(.read, writable: [rig.driver.segment(512)])?.status == status)
        #expect(rig.device.core.counters.errors == 1)
    }

    @Test("without FLUSH a write ends only when it is durable (virtio 1.2 §5.2.6.2)")
    func writeThrough() {
        let rig = BlockRig()
        rig.disk.holdsAnswers = true
        rig.driver.start(accepting: ~(1 << 9))
        let data = rig.driver.segment([UInt8](repeating: 1, count: 512))
        let request = rig.begin(.write, readable: [data])
        rig.disk.answer()
        #expect(rig.queue.popUsed() == nil)
        #expect(rig.disk.pending.map(\.operation) == [.flush])
        rig.disk.answer()
        #expect(rig.queue.popUsed()?.head == request.head)
        #expect(rig.driver.bytes(request.status) == [0])
    }

    @Test("with FLUSH a write ends when it is written")
    func writeBack() {
        let rig = BlockRig()
        rig.driver.start()
        #expect(rig.perform(.write, readable: [rig.driver.segment([UInt8](repeating: 1, count: 512))])?.status == 0)
        #expect(!rig.disk.log.map(\.operation).contains(.flush))
        #expect(rig.perform(.flush) == Outcome(status: 0, length: 1))
        #expect(rig.disk.log.last?.operation == .flush)
    }

    @Test("answers may come in any order", arguments: MockBoard.Transport.allCases)
    func order(transport: MockBoard.Transport) {
        let rig = BlockRig(on: transport)
        for sector in 0..<8 { rig.disk.content[sector * 512] = UInt8(sector + 1) }
        rig.disk.holdsAnswers = true
        rig.driver.start()
        let data = (0..<8).map { _ in rig.driver.segment(512) }
        let requests = (0..<8).map { rig.begin(.read, sector: UInt64($0), writable: [data[$0]]) }
        rig.disk.answerAll(reversed: true)
        #expect(rig.queue.popAllUsed().map(\.head) == requests.map(\.head).reversed())
        #expect(data.map { rig.driver.bytes($0)[0] } == [1, 2, 3, 4, 5, 6, 7, 8])
    }

    @Test("all descriptors of a queue may be requests under way, and as many again")
    func fullQueue() {
        let rig = BlockRig(sectors: 512)
        rig.disk.holdsAnswers = true
        rig.driver.start(queueSize: 256)
        for round in 1...2 {
            for _ in 0..<256 { _ = rig.begin(.flush, indirect: true) }
            #expect(rig.queue.freeCount == 0)
            #expect(rig.disk.pending.count == 256)
            rig.disk.answerAll(reversed: round == 2)
            #expect(rig.queue.popAllUsed().count == 256)
        }
    }

    @Test("an answer to no request, or a second one, changes nothing", arguments: [UInt64(0), 5, .max, 1 << 32])
    func strayAnswer(token: UInt64) {
        let rig = BlockRig()
        rig.driver.start()
        rig.board.perform { rig.device.complete(token, .done) }
        #expect(rig.queue.popUsed() == nil)
        #expect(rig.perform(.flush)?.status == 0)
    }

    @Test("bytes, requests and notifications are counted")
    func counters() {
        let rig = BlockRig()
        rig.driver.start()
        _ = rig.perform(.read, writable: [rig.driver.segment(1024)])
        _ = rig.perform(.write, readable: [rig.driver.segment([UInt8](repeating: 1, count: 512))])
        _ = rig.perform(.read, sector: 64, writable: [rig.driver.segment(512)])
        let counters = rig.device.core.counters
        #expect(counters.requests == 3)
        #expect(counters.bytesToGuest == 1024)
        #expect(counters.bytesFromGuest == 512)
        #expect(counters.errors == 1)
        #expect(counters.notifications == 3)
    }
}

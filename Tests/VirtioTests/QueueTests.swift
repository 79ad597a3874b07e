// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Testing
import VMMemory
import Virtio
import VirtioMock

@Suite("a queue")
struct QueueTests {
    @Test("plain descriptors may come before an indirect table, whose write flag says nothing (virtio 1.2 §2.7.5.3.2)")
    func mixed() {
        let rig = BlockRig()
        rig.driver.start(queueSize: 8)
        let status = rig.driver.segment([0xFF])
        let table = rig.driver.segment(16)
        rig.queue.setDescriptor(0, status, flags: 2, table: table.address)
        rig.queue.setDescriptor(0, rig.driver.segment(BlockRig.header(4, sector: 0)), flags: 1, next: 1)
        rig.queue.setDescriptor(1, table, flags: 4 | 2)
        rig.queue.makeAvailable(0)
        rig.queue.kick()
        #expect(rig.queue.popUsed()?.head == 0)
        #expect(rig.driver.bytes(status) == [0])
    }

    @Test("an indirect table may lie anywhere", arguments: [UInt64(1), 2, 4, 8])
    func unalignedTable(shift: UInt64) {
        let rig = BlockRig()
        rig.driver.start(queueSize: 8)
        let status = rig.driver.segment([0xFF])
        let table = MemorySegment(address: rig.ram.allocate(64) + shift, count: 32)
        let header = rig.driver.segment(BlockRig.header(4, sector: 0))
        rig.queue.setDescriptor(0, header, flags: 1, next: 1, table: table.address)
        rig.queue.setDescriptor(1, status, flags: 2, table: table.address)
        rig.queue.setDescriptor(0, table, flags: 4)
        rig.queue.makeAvailable(0)
        rig.queue.kick()
        #expect(rig.driver.bytes(status) == [0])
    }

    @Test("an indirect chain may be longer than the driver's queue, up to the device's limit")
    func longIndirect() {
        let rig = BlockRig(sectors: 512)
        rig.driver.start(queueSize: 2)
        let data = (0..<254).map { _ in rig.driver.segment(512) }
        #expect(rig.perform(.read, writable: data, indirect: true) == .init(status: 0, length: 254 * 512 + 1))
    }

    @Test("a direct chain may take the whole queue")
    func longDirect() {
        let rig = BlockRig()
        rig.driver.start(queueSize: 8)
        let data = (0..<6).map { _ in rig.driver.segment(512) }
        #expect(rig.perform(.read, writable: data) == .init(status: 0, length: 3073))
    }

    @Test(
        "indices run over 65535 without harm", .timeLimit(.minutes(10)), arguments: [UInt64(0), MockDriver.eventIndex])
    func wrap(eventIndex: UInt64) {
        let rig = EntropyRig()
        rig.driver.start(accepting: MockDriver.version1 | eventIndex, queueSize: 8)
        let buffer = rig.driver.segment(1)
        var kicks = 0
        var answers = 0
        for _ in 0..<12_000 {
            rig.queue.wantInterrupt(ahead: 5)
            for _ in 0..<6 { rig.queue.add(writable: [buffer]) }
            kicks += rig.queue.kick() ? 1 : 0
            answers += rig.queue.popAllUsed().count
            _ = rig.driver.registers.takeInterruptStatus()
        }
        #expect(kicks == 12_000)
        #expect(answers == 72_000)
        #expect(rig.board.edges == 12_000)
    }

    @Test("with an event index the device interrupts at the entry that the driver named, and not before")
    func usedEvent() {
        let rig = BlockRig()
        rig.disk.holdsAnswers = true
        rig.driver.start(accepting: MockDriver.version1 | MockDriver.eventIndex)
        rig.queue.wantInterrupt(ahead: 2)
        for _ in 0..<4 { _ = rig.begin(.flush) }
        let edges = (0..<4).map { _ in
            rig.disk.answer()
            defer { _ = rig.driver.registers.takeInterruptStatus() }
            return rig.board.line
        }
        #expect(edges == [false, false, true, false])
    }

    @Test("without an event index the driver's flag silences interrupts")
    func noInterrupt() {
        let rig = BlockRig()
        rig.driver.start(accepting: MockDriver.version1)
        rig.queue.wantNoInterrupt()
        _ = rig.perform(.flush)
        #expect(!rig.board.line)
        rig.queue.wantInterrupt()
        _ = rig.perform(.flush)
        #expect(rig.board.line)
    }

    @Test("buffers made available one by one and shown together are one notification and one interrupt")
    func batch() {
        let rig = EntropyRig()
        rig.driver.start()
        for _ in 0..<10 { rig.queue.add(writable: [rig.driver.segment(8)]) }
        #expect(rig.queue.kick())
        #expect(rig.queue.popAllUsed().count == 10)
        #expect(rig.device.core.counters.notifications == 1)
        #expect(rig.device.core.counters.interrupts == 1)
    }

    @Test(
        "a driver that polls and notifies only when asked is never forgotten",
        arguments: [UInt64(0), MockDriver.eventIndex])
    func notForgotten(eventIndex: UInt64) {
        let rig = BlockRig()
        rig.disk.holdsAnswers = true
        rig.driver.start(accepting: MockDriver.version1 | eventIndex, queueSize: 16)
        var random = SplitMix(seed: 7)
        var begun = 0
        var ended = 0
        for _ in 0..<5_000 {
            switch random.next() % 3 {
            case 0 where rig.queue.freeCount >= 2:
                _ = rig.begin(.flush)
                begun += 1
            case 1 where !rig.disk.pending.isEmpty: rig.disk.answer()
            default: ended += rig.queue.popAllUsed().count
            }
        }
        rig.disk.answerAll()
        ended += rig.queue.popAllUsed().count
        #expect(begun > 500)
        #expect(ended == begun)
    }
}

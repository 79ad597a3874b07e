// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Testing
import VMMemory
import Virtio
import VirtioMock

@Suite("reset")
struct ResetTests {
    @Test(
        "is over when the backend has let go of the guest's memory (virtio 1.2 §2.4.2)",
        arguments: MockBoard.Transport.allCases)
    func drain(transport: MockBoard.Transport) {
        let rig = BlockRig(on: transport)
        rig.disk.holdsAnswers = true
        rig.driver.start()
        for sector in 0..<3 { _ = rig.begin(.read, sector: UInt64(sector), writable: [rig.driver.segment(512)]) }
        #expect(!rig.driver.reset())
        #expect(rig.device.core.requestsUnderWay == 3)
        rig.disk.answer()
        rig.disk.answer()
        #expect(rig.driver.registers.status != 0)
        rig.disk.answer()
        #expect(rig.driver.registers.status == 0)
        #expect(rig.device.core.requestsUnderWay == 0)
    }

    @Test("nothing reaches the rings of the past, and no interrupt comes", arguments: MockBoard.Transport.allCases)
    func silence(transport: MockBoard.Transport) {
        let rig = BlockRig(on: transport)
        rig.disk.holdsAnswers = true
        rig.driver.start()
        let request = rig.begin(.flush)
        rig.driver.reset()
        rig.disk.answerAll()
        #expect(rig.queue.popUsed() == nil)
        #expect(rig.driver.bytes(request.status) == [0xFF])
        #expect(!rig.board.line)
        #expect(rig.board.messages.delivered.isEmpty)
    }

    @Test("a driver that does not wait is served once the past has ended", arguments: MockBoard.Transport.allCases)
    func impatient(transport: MockBoard.Transport) {
        let rig = BlockRig(on: transport)
        rig.disk.holdsAnswers = true
        rig.driver.start()
        _ = rig.begin(.read, writable: [rig.driver.segment(512)])
        rig.driver.reset()
        #expect(rig.driver.start())
        let status = rig.begin(.flush).status
        #expect(rig.disk.pending.count == 1)
        rig.disk.answer()
        #expect(rig.disk.pending.map(\.operation) == [.flush])
        rig.disk.answer()
        #expect(rig.driver.bytes(status) == [0])
        #expect(rig.queue.popUsed() != nil)
    }

    @Test(
        "requests that wait in the backend are given up, and do not delay it", arguments: MockBoard.Transport.allCases)
    func cancel(transport: MockBoard.Transport) {
        let rig = BlockRig(on: transport)
        rig.disk.holdsAnswers = true
        rig.disk.cancelsPending = true
        rig.driver.start()
        for sector in 0..<3 { _ = rig.begin(.read, sector: UInt64(sector), writable: [rig.driver.segment(512)]) }
        #expect(rig.driver.reset())
        #expect(rig.disk.pending.isEmpty)
        #expect(rig.device.core.requestsUnderWay == 0)
        rig.driver.start()
        let status = rig.begin(.flush).status
        rig.disk.answerAll()
        #expect(rig.driver.bytes(status) == [0])
    }

    @Test("requests of the driver that came after it are none of those that it gives up")
    func cancelIsOfThePast() {
        let rig = BlockRig()
        rig.disk.holdsAnswers = true
        rig.driver.start()
        _ = rig.begin(.flush)
        rig.board.holdsWork = true
        rig.driver.reset()
        rig.disk.answerAll()
        rig.driver.start()
        rig.disk.cancelsPending = true
        let status = rig.begin(.flush).status
        rig.board.performHeldWork()
        #expect(rig.disk.pending.count == 1)
        rig.disk.answerAll()
        #expect(rig.driver.bytes(status) == [0])
    }

    @Test("what the backend has not been given is not waited for")
    func notSubmitted() {
        let rig = BlockRig()
        rig.driver.start()
        rig.board.holdsWork = true
        _ = rig.begin(.flush)
        // Taken by a vCPU's thread, which has not come to submit it yet: it will.
        #expect(!rig.driver.reset())
        rig.board.performHeldWork()
        #expect(rig.driver.registers.status == 0)
    }

    @Test("resets one after another while requests are under way add up to one wait")
    func manyResets() {
        let rig = BlockRig()
        rig.disk.holdsAnswers = true
        for round in 1...5 {
            rig.driver.start()
            _ = rig.begin(.flush)
            #expect(!rig.driver.reset())
            #expect(rig.disk.pending.count == 1, "round \(round): the queue waits for the first request")
        }
        rig.disk.answerAll()
        #expect(rig.driver.registers.status == 0)
        rig.disk.holdsAnswers = false
        rig.driver.start()
        #expect(rig.perform(.flush)?.status == 0)
    }

    @Test(
        "ten times unbound and bound again under load, the device works and what was flushed is on the disk",
        arguments: MockBoard.Transport.allCases)
    func rebind(transport: MockBoard.Transport) {
        let rig = BlockRig(on: transport)
        var random = SplitMix(seed: 11)
        for round in UInt8(1)...10 {
            rig.disk.holdsAnswers = false
            rig.driver.start(queueSize: 32)
            let data = rig.driver.segment([UInt8](repeating: round, count: 512))
            #expect(rig.perform(.write, sector: UInt64(round), readable: [data])?.status == 0)
            #expect(rig.perform(.flush)?.status == 0)
            rig.disk.holdsAnswers = true
            for _ in 0..<8 { _ = rig.begin(.read, sector: random.next() % 64, writable: [rig.driver.segment(512)]) }
            for _ in 0..<random.next() % 4 { rig.disk.answer(Int(random.next() % UInt64(rig.disk.pending.count))) }
            #expect(!rig.driver.reset())
            rig.disk.answerAll(reversed: round % 2 == 0)
            #expect(rig.driver.registers.status == 0)
        }
        #expect((1...10).allSatisfy { rig.disk.content[$0 * 512] == UInt8($0) })
        #expect(rig.device.core.counters.resets == 10)
        #expect(rig.device.core.counters.faults == 0)
    }
}

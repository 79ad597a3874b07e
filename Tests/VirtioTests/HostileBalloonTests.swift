// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Testing
import VMMemory
import Virtio
import VirtioMock

@Suite("a hostile driver of the balloon")
struct HostileBalloonTests {
    @Test("numbers pages outside of RAM: they are skipped and counted, the others are taken")
    func outside() {
        let rig = BalloonRig()
        rig.driver.start()
        let end = rig.ram.end.page
        rig.send([0, 0xFFFF_FFFF, MockRAM.base.page - 1, end, BalloonRig.page(0)], to: .inflate)
        #expect(rig.backend.operations == [.inflate([BalloonRig.pages(0)])])
        #expect(rig.device.core.counters.errors == 4)
        #expect(rig.queue(.inflate).popUsed() != nil)
        #expect(!rig.driver.needsReset)
    }

    @Test("sends a list without an end: it is worked off in parts, and what comes meanwhile waits its turn")
    func longList() {
        let rig = BalloonRig()
        rig.backend.holdsAnswers = true
        rig.driver.start()
        // The same 64 KiB of list 64 times: a million numbers, all of one page.
        let list = rig.driver.segment(BalloonRig.list((0..<16384).map { _ in BalloonRig.page(7) }))
        rig.queue(.inflate).add(readable: [MemorySegment](repeating: list, count: 64), indirect: true)
        rig.queue(.inflate).kick()
        var parts = 0
        while !rig.backend.pending.isEmpty {
            #expect(rig.backend.pending.map(\.operation) == [.inflate([BalloonRig.pages(7)])])
            #expect(rig.device.core.requestsUnderWay == 1)
            parts += 1
            rig.backend.answer()
        }
        #expect(parts == 1024)
        #expect(rig.queue(.inflate).popAllUsed().count == 1)
    }

    @Test("a list of pages that do not exist does not keep the lock: each part goes through the backend")
    func longListOfNothing() {
        let rig = BalloonRig()
        rig.backend.holdsAnswers = true
        rig.driver.start()
        rig.send([UInt64](repeating: 0, count: 4096), to: .inflate)
        #expect(rig.device.core.counters.errors == 1024)
        rig.backend.answer()
        #expect(rig.device.core.counters.errors == 2048)
    }

    @Test("a reset ends a list in the middle")
    func resetInList() {
        let rig = BalloonRig()
        rig.backend.holdsAnswers = true
        rig.driver.start()
        rig.send([UInt64](repeating: BalloonRig.page(1), count: 4096), to: .inflate)
        rig.driver.reset()
        rig.backend.answerAll()
        #expect(rig.backend.operations == [.inflate([BalloonRig.pages(1)]), .forget])
        #expect(rig.driver.registers.status == 0)
    }

    @Test("gives away the queue's own rings: the device goes on, or asks for a reset")
    func ownRings() {
        let rig = BalloonRig()
        rig.driver.start()
        let queue = rig.queue(.inflate)
        rig.send([queue.descriptors.page, queue.available.page, queue.used.page], to: .inflate)
        #expect(rig.device.pages.inflated > 0)
        rig.driver.reset()
        #expect(rig.driver.start())
        rig.send([BalloonRig.page(0)], to: .inflate)
        #expect(rig.queue(.inflate).popUsed() != nil)
    }

    @Test("sends a part of a number: it is no page")
    func shortList() {
        let rig = BalloonRig()
        rig.driver.start()
        rig.queue(.inflate).add(readable: [rig.driver.segment([1, 2, 3])])
        rig.queue(.inflate).kick()
        #expect(rig.backend.log.isEmpty)
        #expect(rig.queue(.inflate).popUsed() != nil)
    }

    @Test("mixes up buffers to read and to write", arguments: [0, 1, 4])
    func wrongWay(number: Int) {
        let rig = BalloonRig()
        rig.driver.start(accepting: ~BalloonRig.poison)
        let queue = rig.driver.queues[number]
        if number == 4 {
            queue.add(readable: [BalloonRig.pages(0)])
        } else {
            queue.add(writable: [BalloonRig.pages(0)])
        }
        queue.kick()
        #expect(rig.driver.needsReset)
        #expect(rig.device.core.lastFault == .malformedRequest)
        #expect(rig.backend.log.isEmpty)
    }

    @Test("reports memory that is none")
    func reportOutside() {
        let rig = BalloonRig()
        rig.driver.start(accepting: ~BalloonRig.poison)
        rig.queue(.reporting).add(writable: [MemorySegment(address: rig.ram.end, count: 4096)])
        rig.queue(.reporting).kick()
        #expect(rig.device.core.lastFault == .bufferOutsideMemory)
        #expect(rig.backend.log.isEmpty)
    }

    @Test("reports one page over and over in one buffer: it is discarded once")
    func reportTwice() {
        let rig = BalloonRig()
        rig.driver.start(accepting: ~BalloonRig.poison)
        rig.queue(.reporting).add(writable: [MemorySegment](repeating: BalloonRig.pages(3, 2), count: 30))
        rig.queue(.reporting).kick()
        #expect(rig.backend.operations == [.discard([BalloonRig.pages(3, 2)])])
    }

    @Test("makes many statistics available: one is taken at a time")
    func manyStatistics() {
        let rig = BalloonRig()
        rig.driver.start()
        for value in UInt64(1)..<4 { rig.sendStatistics([(4, value)]) }
        #expect(rig.device.guestStatistics?[.free] == 1)
        #expect(rig.queue(.statistics).popUsed() == nil)
        rig.board.perform { rig.device.requestStatistics() }
        #expect(rig.device.guestStatistics?[.free] == 2)
    }

    @Test("sends a megabyte of statistics: only so many are read")
    func largeStatistics() {
        let rig = BalloonRig()
        rig.driver.start()
        rig.queue(.statistics).add(readable: [rig.driver.segment(1 << 20)])
        rig.queue(.statistics).kick()
        #expect(rig.device.core.counters.bytesFromGuest == 640)
    }

    @Test("moves a queue while a buffer of it is worked off: the buffer goes nowhere")
    func movedQueue() {
        let rig = BalloonRig()
        rig.backend.holdsAnswers = true
        rig.driver.start()
        rig.send([BalloonRig.page(0)], to: .inflate)
        rig.driver.mmio?.disable(queue: 0)
        let fresh = rig.driver.makeQueue(0)
        rig.backend.answerAll()
        #expect(fresh.popUsed() == nil)
        #expect(!rig.driver.needsReset)
    }

    @Test("claims to hold what it likes: only what it says changes")
    func absurdActual() {
        let rig = BalloonRig(target: 1)
        rig.driver.start()
        rig[config: 4] = .max
        #expect(rig.device.actual == .max)
        #expect(rig.device.target == 1)
        #expect(rig.backend.log.isEmpty)
    }
}

// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Testing
import VMMemory
import Virtio
import VirtioMock

@Suite("the balloon")
struct BalloonTests {
    @Test("is device 5 with five queues and the features of the standard", arguments: MockBoard.Transport.allCases)
    func identity(transport: MockBoard.Transport) {
        let rig = BalloonRig(on: transport)
        rig.driver.registers.prepare()
        #expect(rig.driver.registers.deviceID == 5)
        // STATS_VQ, DEFLATE_ON_OOM, PAGE_POISON, PAGE_REPORTING: virtio 1.2 §5.5.3.
        #expect(rig.driver.registers.readDeviceFeatures() & 0xFF_FFFF == 0b11_0110)
        #expect((0..<6).map { rig.driver.registers.maximumSize(ofQueue: $0) } == [128, 128, 128, 128, 128, 0])
    }

    @Test("takes the pages given to it and answers when they are the host's", arguments: MockBoard.Transport.allCases)
    func inflate(transport: MockBoard.Transport) {
        let rig = BalloonRig(on: transport)
        rig.backend.holdsAnswers = true
        rig.driver.start()
        rig.send([BalloonRig.page(3)], to: .inflate)
        #expect(rig.backend.operations == [.inflate([BalloonRig.pages(3)])])
        #expect(rig.queue(.inflate).popUsed() == nil)
        rig.backend.answer()
        #expect(rig.queue(.inflate).popUsed()?.length == 0)
        #expect(rig.device.pages.inflated == 1)
    }

    @Test("gives pages back before it takes more")
    func deflate() {
        let rig = BalloonRig()
        rig.backend.holdsAnswers = true
        rig.driver.start()
        rig.send([BalloonRig.page(1)], to: .inflate)
        rig.send([BalloonRig.page(2)], to: .inflate)
        rig.send([BalloonRig.page(1)], to: .deflate)
        rig.backend.answerAll()
        #expect(
            rig.backend.operations == [
                .inflate([BalloonRig.pages(1)]), .deflate([BalloonRig.pages(1)]), .inflate([BalloonRig.pages(2)]),
            ])
        #expect(rig.device.pages.deflated == 1)
    }

    @Test("joins neighbours, in whatever order they come, and names a page once")
    func coalescing() {
        let rig = BalloonRig()
        rig.driver.start()
        rig.send([7, 5, 6, 5, 100, 9].map(BalloonRig.page), to: .inflate)
        #expect(
            rig.backend.operations
                == [.inflate([BalloonRig.pages(5, 3), BalloonRig.pages(9), BalloonRig.pages(100)])])
        #expect(rig.device.pages.inflated == 5)
    }

    @Test("a list may be cut anywhere")
    func cutList() {
        let rig = BalloonRig()
        rig.driver.start()
        let list = BalloonRig.list([BalloonRig.page(1), BalloonRig.page(4)])
        let parts = [rig.driver.segment(Array(list[..<3])), rig.driver.segment(Array(list[3...]))]
        rig.queue(.inflate).add(readable: parts)
        rig.queue(.inflate).kick()
        #expect(rig.backend.operations == [.inflate([BalloonRig.pages(1), BalloonRig.pages(4)])])
    }

    @Test("tells the driver how large it is to be", arguments: MockBoard.Transport.allCases)
    func target(transport: MockBoard.Transport) {
        let rig = BalloonRig(on: transport, target: 77)
        rig.driver.start()
        #expect(rig[config: 0] == 77)
        let generation = rig.driver.registers.configGeneration
        rig.board.perform { rig.device.target = 99 }
        #expect(rig[config: 0] == 99)
        #expect(rig.driver.registers.configGeneration != generation)
        #expect(rig.driver.registers.takeInterruptStatus() & 2 != 0)
    }

    @Test("a target that stays does not interrupt")
    func sameTarget() {
        let rig = BalloonRig(target: 5)
        rig.driver.start()
        rig.board.perform { rig.device.target = 5 }
        #expect(rig.driver.registers.takeInterruptStatus() == 0)
    }

    @Test("the driver writes what it holds, and nothing else", arguments: MockBoard.Transport.allCases)
    func actual(transport: MockBoard.Transport) {
        let rig = BalloonRig(on: transport, target: 3)
        rig.driver.start()
        for offset in [UInt64(0), 4, 8, 12, 16] { rig[config: offset] = 0x0102_0304 }
        #expect([0, 4, 8, 12].map { rig[config: $0] } == [3, 0x0102_0304, 0, 0])
        #expect(rig.device.actual == 0x0102_0304)
    }

    @Test("an old driver writes what it holds byte by byte")
    func actualByBytes() {
        let rig = BalloonRig()
        rig.driver.start()
        for index in UInt64(0)..<4 {
            rig.driver.registers.writeConfig(0x10 + index, at: 4 + index, width: .byte)
        }
        #expect(rig.device.actual == 0x1312_1110)
    }

    @Test("a reset empties it, and the host forgets what was in it")
    func reset() {
        let rig = BalloonRig(target: 4)
        rig.driver.start()
        rig.send([BalloonRig.page(0)], to: .inflate)
        rig[config: 4] = 1
        rig.backend.holdsAnswers = true
        #expect(!rig.driver.reset())
        #expect(rig.backend.operations.last == .forget)
        rig.backend.answer()
        #expect(rig.driver.registers.status == 0)
        #expect(rig.device.actual == 0)
        #expect(rig.device.target == 4)
    }

    @Test("a reset of a balloon that held nothing asks for nothing")
    func emptyReset() {
        let rig = BalloonRig()
        rig.driver.start()
        #expect(rig.driver.reset())
        #expect(rig.backend.log.isEmpty)
    }

    @Test("after a reset with pages on their way the driver is served once they have arrived")
    func resetInFlight() {
        let rig = BalloonRig()
        rig.backend.holdsAnswers = true
        rig.driver.start()
        rig.send([BalloonRig.page(0)], to: .inflate)
        rig.driver.reset()
        #expect(rig.driver.start())
        rig.send([BalloonRig.page(1)], to: .inflate)
        #expect(rig.backend.operations == [.inflate([BalloonRig.pages(0)]), .forget])
        #expect(Set(rig.backend.log.map(\.token)).count == 2)
        rig.backend.answerAll()
        #expect(rig.backend.operations.last == .inflate([BalloonRig.pages(1)]))
        #expect(rig.queue(.inflate).popAllUsed().count == 1)
    }

    @Test("two resets in a row do not lose what is to be forgotten")
    func twoResets() {
        let rig = BalloonRig()
        rig.driver.start()
        rig.send([BalloonRig.page(0)], to: .inflate)
        rig.board.perform {
            rig.device.reset()
            rig.device.reset()
        }
        #expect(rig.backend.operations.last == .forget)
    }

    @Test("begins nothing while it is held, and goes on afterwards")
    func held() {
        let rig = BalloonRig()
        rig.driver.start()
        rig.sendStatistics([(4, 1)])
        rig.board.perform { rig.device.hold() }
        rig.send([BalloonRig.page(0)], to: .inflate)
        rig.board.perform { rig.device.requestStatistics() }
        #expect(rig.backend.log.isEmpty)
        #expect(rig.queue(.statistics).popUsed() == nil)
        rig.board.perform { rig.device.release() }
        #expect(rig.backend.operations == [.inflate([BalloonRig.pages(0)])])
        #expect(rig.queue(.inflate).popUsed() != nil)
    }
}

@Suite("free page reporting")
struct BalloonReportingTests {
    @Test(
        "gives reported pages to the host before it answers",
        arguments: [BalloonRig.Queue.reporting, .compactReporting]
    )
    func report(queue: BalloonRig.Queue) {
        let rig = BalloonRig()
        rig.backend.holdsAnswers = true
        rig.driver.start(accepting: ~BalloonRig.poison)
        rig.queue(queue).add(writable: [BalloonRig.pages(8, 4), BalloonRig.pages(2, 1)])
        rig.queue(queue).kick()
        #expect(rig.backend.operations == [.discard([BalloonRig.pages(2, 1), BalloonRig.pages(8, 4)])])
        #expect(rig.queue(queue).popUsed() == nil)
        rig.backend.answer()
        #expect(rig.queue(queue).popUsed()?.length == 0)
        #expect(rig.device.pages.reported == 5)
    }

    @Test("queue 2 reports where there are no statistics, as drivers that leave no gaps have it")
    func withoutStatistics() {
        let rig = BalloonRig()
        rig.driver.start(accepting: ~(BalloonRig.poison | BalloonRig.statistics))
        rig.queue(.statistics).add(writable: [BalloonRig.pages(0)])
        rig.queue(.statistics).kick()
        #expect(rig.backend.operations == [.discard([BalloonRig.pages(0)])])
    }

    @Test("does nothing where it was not negotiated")
    func notNegotiated() {
        let rig = BalloonRig()
        rig.driver.start(accepting: ~BalloonRig.reporting)
        rig.queue(.reporting).add(writable: [BalloonRig.pages(0)])
        rig.queue(.reporting).kick()
        #expect(rig.backend.log.isEmpty)
        #expect(!rig.driver.needsReset)
    }

    @Test("a page reported in part only is kept")
    func parts() {
        let rig = BalloonRig()
        rig.driver.start(accepting: ~BalloonRig.poison)
        let page = BalloonRig.pages(0).address
        rig.queue(.reporting).add(writable: [
            MemorySegment(address: page + 1, count: 8191), MemorySegment(address: page + 8192, count: 4095),
        ])
        rig.queue(.reporting).kick()
        #expect(rig.backend.operations == [.discard([BalloonRig.pages(1)])])
    }

    @Test(
        "a driver that poisons its free pages finds them as it left them (virtio 1.2 §5.5.6.7)",
        arguments: [(UInt32(0xAAAA_AAAA), UInt8(0x55)), (0, 0)])
    func poison(value: UInt32, left: UInt8) {
        let rig = BalloonRig()
        rig.driver.negotiate()
        rig[config: 12] = value
        rig.driver.run()
        rig.ram.memory.fill(at: BalloonRig.pages(0).address, count: 4096, with: 0x55)
        rig.queue(.reporting).add(writable: [BalloonRig.pages(0)])
        rig.queue(.reporting).kick()
        #expect(rig.ram.bytes(at: BalloonRig.pages(0).address, count: 1) == [left])
        #expect(rig.queue(.reporting).popUsed() != nil)
    }

    @Test("the poison stays as it was when the driver became ready")
    func latePoison() {
        let rig = BalloonRig()
        rig.driver.negotiate()
        rig[config: 12] = 0x11
        rig.driver.run()
        rig[config: 12] = 0
        #expect(rig[config: 12] == 0x11)
    }

    @Test("poison that was not negotiated is none")
    func unknownPoison() {
        let rig = BalloonRig()
        rig.driver.negotiate(accepting: ~BalloonRig.poison)
        rig[config: 12] = 0x11
        #expect(rig[config: 12] == 0)
    }
}

@Suite("balloon statistics")
struct BalloonStatisticsTests {
    @Test("are read when they come, whatever their order, and unknown tags are ignored")
    func read() {
        let rig = BalloonRig()
        rig.driver.start()
        rig.sendStatistics([(6, 600), (0xFFFF, 1), (4, 400), (15, 1 << 40)])
        let told = rig.device.guestStatistics
        #expect(told?[.free] == 400)
        #expect(told?[.available] == 600)
        #expect(told?[.directReclaims] == 1 << 40)
        #expect(told?[.total] == nil)
    }

    @Test("come anew when they are asked for", arguments: MockBoard.Transport.allCases)
    func ask(transport: MockBoard.Transport) {
        let rig = BalloonRig(on: transport)
        rig.driver.start()
        rig.sendStatistics([(4, 1)])
        #expect(rig.queue(.statistics).popUsed() == nil)
        rig.board.perform { rig.device.requestStatistics() }
        #expect(rig.queue(.statistics).popUsed()?.length == 0)
        rig.sendStatistics([(4, 2)])
        #expect(rig.device.guestStatistics?[.free] == 2)
    }

    @Test("are asked for once however often somebody asks")
    func askTwice() {
        let rig = BalloonRig()
        rig.driver.start()
        rig.sendStatistics([(4, 1)])
        for _ in 0..<3 { rig.board.perform { rig.device.requestStatistics() } }
        #expect(rig.queue(.statistics).popAllUsed().count == 1)
    }

    @Test("a reset forgets them, and the buffer")
    func reset() {
        let rig = BalloonRig()
        rig.driver.start()
        rig.sendStatistics([(4, 1)])
        rig.driver.reset()
        rig.driver.start()
        rig.board.perform { rig.device.requestStatistics() }
        #expect(rig.device.guestStatistics == nil)
        #expect(rig.queue(.statistics).popUsed() == nil)
    }
}

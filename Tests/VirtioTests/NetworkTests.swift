// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Testing
import VMMemory
import Virtio
import VirtioMock

@Suite("the network device")
struct NetworkTests {
    @Test("the configuration space has the address and the link", arguments: MockBoard.Transport.allCases)
    func configuration(transport: MockBoard.Transport) {
        let rig = NetworkRig(on: transport)
        let bytes = (0..<6).map { UInt8(rig.driver.registers.readConfig(at: $0, width: .byte)) }
        #expect(bytes == NetworkRig.address)
        #expect(rig.driver.registers.readConfig(at: 6, width: .half) == 1)
        #expect(rig.driver.registers.deviceID == 1)
    }

    @Test("a frame leaves as it was, without its header", arguments: MockBoard.Transport.allCases)
    func transmit(transport: MockBoard.Transport) {
        let rig = NetworkRig(on: transport)
        rig.driver.start()
        let frame = NetworkRig.frame(count: 1514)
        let header = [UInt8](repeating: 0, count: 12)
        rig.transmit.add(
            readable: [rig.driver.segment(header + frame[..<10]), rig.driver.segment(Array(frame[10...]))])
        rig.transmit.kick()
        #expect(rig.network.sent == [frame])
        #expect(rig.transmit.popUsed()?.length == 0)
    }

    @Test("a driver from before the standard uses a header of ten bytes (virtio 1.2 §5.1.6.1)")
    func legacyHeader() {
        let rig = NetworkRig()
        rig.driver.start(accepting: 0)
        rig.send(NetworkRig.frame(), header: 10)
        #expect(rig.network.sent == [NetworkRig.frame()])
        let buffers = rig.addBuffers(1, of: 1524)
        #expect(rig.deliver(NetworkRig.frame()))
        #expect(rig.receive.popUsed()?.length == 70)
        #expect(Array(rig.driver.bytes(buffers[0])[10..<70]) == NetworkRig.frame())
    }

    @Test("frames leave in order, also those added while others are being sent")
    func order() {
        let rig = NetworkRig()
        rig.driver.start()
        rig.board.holdsWork = true
        let frames = (60..<80).map { NetworkRig.frame(count: $0) }
        for frame in frames {
            rig.send(frame)
            rig.driver.registers.notify(queue: 1)
        }
        #expect(rig.board.heldWork.count == 1)
        rig.board.performHeldWork()
        #expect(rig.network.sent == frames)
        #expect(rig.transmit.popAllUsed().count == 20)
    }

    @Test("a frame added while another is being sent leaves behind all before it", arguments: [1, 64, 70, 100])
    func overtaking(moment: Int) {
        let rig = NetworkRig()
        rig.driver.start(queueSize: 256)
        let last = NetworkRig.frame(count: 999)
        rig.network.onSend = { [unowned rig] number in
            guard number == moment else { return }
            rig.transmit.add(readable: [rig.driver.segment([UInt8](repeating: 0, count: 12) + last)])
            rig.transmit.publish()
            rig.driver.registers.notify(queue: 1)
        }
        for _ in 0..<100 { rig.transmit.add(readable: [rig.driver.segment([UInt8](repeating: 0, count: 72))]) }
        rig.transmit.kick()
        #expect(rig.network.sent.count == 101)
        #expect(rig.network.sent.last == last)
    }

    @Test("a backend that holds frames is given no more until it has room; none is lost, and their order stays")
    func heldBack() {
        let rig = NetworkRig()
        rig.driver.start()
        rig.network.isHolding = true
        let frames = (60..<90).map { NetworkRig.frame(count: $0) }
        for frame in frames { rig.send(frame) }
        #expect(rig.network.sent == [frames[0]])
        #expect(rig.transmit.popAllUsed().count == 1)
        rig.network.isHolding = false
        rig.board.perform { rig.device.resumeSending() }
        #expect(rig.network.sent == frames)
        #expect(rig.transmit.popAllUsed().count == 29)
    }

    @Test("a driver that resets and notifies cannot make a backend hold more")
    func heldBackOverReset() {
        let rig = NetworkRig()
        rig.driver.start()
        rig.network.isHolding = true
        rig.send(NetworkRig.frame())
        for _ in 0..<3 {
            rig.driver.reset()
            rig.driver.start()
            rig.send(NetworkRig.frame())
        }
        #expect(rig.network.sent.count == 1)
        rig.network.isHolding = false
        rig.board.perform { rig.device.resumeSending() }
        #expect(rig.network.sent.count == 2)
    }

    @Test("a full queue of frames leaves, whatever the batch")
    func fullQueue() {
        let rig = NetworkRig()
        rig.driver.start(queueSize: 256)
        for _ in 0..<256 { rig.transmit.add(readable: [rig.driver.segment([UInt8](repeating: 0, count: 1526))]) }
        rig.transmit.kick()
        #expect(rig.network.sent.count == 256)
        #expect(rig.transmit.popAllUsed().count == 256)
    }

    @Test("a frame that cannot exist is dropped and counted", arguments: [1, 13, 65_551])
    func impossibleFrame(count: Int) {
        let rig = NetworkRig()
        rig.driver.start()
        rig.send([UInt8](repeating: 0, count: count))
        #expect(rig.network.sent.isEmpty)
        #expect(rig.transmit.popUsed() != nil)
        #expect(rig.device.core.counters.errors == 1)
        #expect(!rig.driver.needsReset)
    }

    @Test("a buffer without room for a header is a fault", arguments: MockBoard.Transport.allCases)
    func noHeader(transport: MockBoard.Transport) {
        let rig = NetworkRig(on: transport)
        rig.driver.start()
        rig.transmit.add(readable: [rig.driver.segment(11)])
        rig.transmit.kick()
        #expect(rig.driver.needsReset)
    }

    @Test("a frame for the guest comes with a header that counts its buffers", arguments: MockBoard.Transport.allCases)
    func receive(transport: MockBoard.Transport) {
        let rig = NetworkRig(on: transport)
        rig.driver.start()
        let buffers = rig.addBuffers(1, of: 2048)
        #expect(rig.deliver(NetworkRig.frame(count: 1514)))
        #expect(rig.receive.popUsed()?.length == 1526)
        let bytes = rig.driver.bytes(buffers[0])
        #expect(Array(bytes[..<12]) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0])
        #expect(Array(bytes[12..<1526]) == NetworkRig.frame(count: 1514))
        #expect(rig.driver.registers.takeInterruptStatus() == (transport == .pciWithMessages ? 0 : 1))
    }

    @Test("a frame may take several buffers, if that was negotiated")
    func mergeable() {
        let rig = NetworkRig()
        rig.driver.start()
        let buffers = rig.addBuffers(4, of: 100)
        #expect(rig.deliver(NetworkRig.frame(count: 300)))
        #expect(rig.receive.popAllUsed().map(\.length) == [100, 100, 100, 12])
        let bytes = buffers.flatMap(rig.driver.bytes)
        #expect(bytes[10] == 4)
        #expect(Array(bytes[12..<312]) == NetworkRig.frame(count: 300))
    }

    @Test("a frame larger than its one buffer is dropped, and the buffer kept")
    func notMergeable() {
        let rig = NetworkRig()
        rig.driver.start(accepting: ~NetworkRig.mergeable)
        rig.addBuffers(1, of: 100)
        #expect(rig.deliver(NetworkRig.frame(count: 300)))
        #expect(rig.receive.popUsed() == nil)
        #expect(rig.deliver(NetworkRig.frame(count: 60)))
        #expect(rig.receive.popUsed()?.length == 72)
    }

    @Test(
        "without buffers a frame is refused, and the backend hears when there are some",
        arguments: [UInt64.max, ~MockDriver.eventIndex])
    func noBuffers(accepting: UInt64) {
        let rig = NetworkRig()
        rig.driver.start(accepting: accepting)
        #expect(!rig.deliver(NetworkRig.frame()))
        #expect(rig.network.resumes == 0)
        rig.addBuffers(1, of: 2048)
        #expect(rig.network.resumes == 1)
        #expect(rig.deliver(NetworkRig.frame()))
        #expect(!rig.deliver(NetworkRig.frame()))
        rig.addBuffers(1, of: 2048)
        #expect(rig.network.resumes == 2)
    }

    @Test(
        "a frame for which there are some buffers, but not enough, waits for the next",
        arguments: [UInt64.max, ~MockDriver.eventIndex])
    func notEnoughBuffers(accepting: UInt64) {
        let rig = NetworkRig()
        rig.driver.start(accepting: accepting)
        rig.addBuffers(2, of: 100)
        #expect(!rig.deliver(NetworkRig.frame(count: 300)))
        #expect(rig.receive.popUsed() == nil)
        rig.addBuffers(2, of: 100)
        #expect(rig.network.resumes == 1)
        #expect(rig.deliver(NetworkRig.frame(count: 300)))
        #expect(rig.receive.popAllUsed().count == 4)
    }

    @Test("a frame that all the driver's buffers together would not hold is dropped")
    func tooLargeForAll() {
        let rig = NetworkRig()
        rig.driver.start(queueSize: 4)
        rig.addBuffers(4, of: 100)
        #expect(rig.deliver(NetworkRig.frame(count: 1000)))
        #expect(rig.device.core.counters.errors == 1)
        #expect(rig.deliver(NetworkRig.frame(count: 60)))
    }

    @Test("receive buffers notify only when they are waited for")
    func quietReceive() {
        let rig = NetworkRig()
        rig.driver.start(accepting: ~MockDriver.eventIndex)
        #expect(!rig.receive.kick())
        #expect(!rig.deliver(NetworkRig.frame()))
        #expect(rig.receive.kick())
    }

    @Test("with no driver, or no link, frames are dropped, not kept")
    func dropped() {
        let rig = NetworkRig()
        #expect(rig.deliver(NetworkRig.frame()))
        rig.driver.start()
        rig.addBuffers(1, of: 2048)
        rig.board.perform { rig.device.setLink(up: false) }
        #expect(rig.driver.registers.takeInterruptStatus() & 2 != 0)
        #expect(rig.driver.registers.readConfig(at: 6, width: .half) == 0)
        #expect(rig.deliver(NetworkRig.frame()))
        rig.send(NetworkRig.frame())
        #expect(rig.network.sent.isEmpty)
        #expect(rig.receive.popUsed() == nil)
        #expect(rig.device.core.counters.errors == 3)
    }

    @Test("a backend that waits for buffers is let go when the driver goes")
    func resetWhileStarved() {
        let rig = NetworkRig()
        rig.driver.start()
        #expect(!rig.deliver(NetworkRig.frame()))
        #expect(rig.driver.reset())
        #expect(rig.network.resumes == 1)
        #expect(rig.deliver(NetworkRig.frame()))
    }

    @Test("a receive buffer that does not hold a header is a fault, not an endless wait")
    func shortReceiveBuffer() {
        let rig = NetworkRig()
        rig.driver.start()
        rig.addBuffers(1, of: 11)
        #expect(rig.deliver(NetworkRig.frame()))
        #expect(rig.driver.needsReset)
    }

    struct Filter: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let commands: [[UInt8]]
        let destination: [UInt8]
        let arrives: Bool
    }

    static let group: [UInt8] = [0x33, 0x33, 0, 0, 0, 1]
    static let other: [UInt8] = [2, 0, 0, 0, 0, 9]
    static let broadcast = [UInt8](repeating: 0xFF, count: 6)
    static let strict: [UInt8] = [0, 0, 0]
    static let tables: [UInt8] = [1, 0] + [1, 0, 0, 0] + other + [1, 0, 0, 0] + group
    static let manyGroups: [UInt8] =
        [1, 0] + [0, 0, 0, 0] + [65, 0, 0, 0] + (0..<65).flatMap { [1, 0, 0, 0, 1, UInt8($0)] }

    static let filters = [
        Filter(testDescription: "all, at first", commands: [], destination: other, arrives: true),
        Filter(testDescription: "own address", commands: [strict], destination: NetworkRig.address, arrives: true),
        Filter(testDescription: "another address", commands: [strict], destination: other, arrives: false),
        Filter(
            testDescription: "an address in the table", commands: [strict, tables], destination: other, arrives: true),
        Filter(testDescription: "a group", commands: [strict], destination: group, arrives: false),
        Filter(testDescription: "a group in the table", commands: [strict, tables], destination: group, arrives: true),
        Filter(testDescription: "all groups", commands: [strict, [0, 1, 1]], destination: group, arrives: true),
        Filter(
            testDescription: "no groups", commands: [strict, [0, 1, 1], [0, 3, 1]], destination: group, arrives: false),
        Filter(
            testDescription: "a table too long to keep", commands: [strict, manyGroups], destination: group,
            arrives: true),
        Filter(testDescription: "all addresses", commands: [strict, [0, 2, 1]], destination: other, arrives: true),
        Filter(
            testDescription: "no addresses", commands: [strict, [0, 4, 1]], destination: NetworkRig.address,
            arrives: false),
        Filter(testDescription: "broadcast", commands: [strict], destination: broadcast, arrives: true),
        Filter(
            testDescription: "no broadcast", commands: [strict, [0, 5, 1]], destination: broadcast, arrives: false),
        Filter(
            testDescription: "promiscuous after all", commands: [strict, [0, 5, 1], [0, 0, 1]], destination: broadcast,
            arrives: true),
        Filter(
            testDescription: "a new address", commands: [strict, [1, 1] + other], destination: other, arrives: true),
        Filter(
            testDescription: "the old address", commands: [strict, [1, 1] + other], destination: NetworkRig.address,
            arrives: false),
    ]

    @Test("the driver says which frames it wants (virtio 1.2 §5.1.6.5)", arguments: filters)
    func filter(filter: Filter) {
        let rig = NetworkRig()
        rig.driver.start()
        rig.addBuffers(1, of: 2048)
        #expect(filter.commands.map(rig.command) == filter.commands.map { _ in 0 })
        #expect(rig.deliver(NetworkRig.frame(to: filter.destination)))
        #expect((rig.receive.popUsed() != nil) == filter.arrives)
    }

    @Test(
        "a command that is none is answered with an error",
        arguments: [
            [], [0], [0, 0], [0, 0, 2], [0, 6, 1], [1, 1, 1, 2, 3], [1, 1] + group, [1, 0, 255, 255, 255, 255],
            [1, 0, 1, 0, 0, 0], [2, 0, 0, 0], [4, 0, 1, 0], [255, 255, 255],
        ] as [[UInt8]])
    func badCommand(bytes: [UInt8]) {
        let rig = NetworkRig()
        rig.driver.start()
        let answer = rig.driver.segment([0xFF])
        rig.control.add(readable: bytes.isEmpty ? [] : [rig.driver.segment(bytes)], writable: [answer])
        rig.control.kick()
        #expect(rig.driver.bytes(answer) == [1])
        #expect(!rig.driver.needsReset)
    }

    @Test("commands need their queue's feature (virtio 1.2 §5.1.3.1)", arguments: [UInt64(18), 20, 23])
    func dependencies(bit: UInt64) {
        #expect(!NetworkRig().driver.start(accepting: MockDriver.version1 | 1 << bit))
        #expect(NetworkRig().driver.start(accepting: MockDriver.version1 | 1 << bit | 1 << 17))
    }

    @Test("a reset brings back the address and the filter", arguments: MockBoard.Transport.allCases)
    func reset(transport: MockBoard.Transport) {
        let rig = NetworkRig(on: transport)
        rig.driver.start()
        #expect(rig.command(Self.strict) == 0)
        #expect(rig.command([1, 1] + Self.other) == 0)
        #expect(rig.driver.registers.readConfig(at: 0, width: .byte) == 2)
        rig.driver.reset()
        #expect(rig.driver.registers.readConfig(at: 0, width: .byte) == 0x52)
        rig.driver.start()
        rig.addBuffers(1, of: 2048)
        #expect(rig.deliver(NetworkRig.frame(to: [2, 0, 0, 0, 0, 77])))
        #expect(rig.receive.popUsed() != nil)
    }

    @Test(
        "ten times unbound and bound again with frames both ways, all still works",
        arguments: MockBoard.Transport.allCases)
    func rebind(transport: MockBoard.Transport) {
        let rig = NetworkRig(on: transport)
        for _ in 0..<10 {
            rig.driver.start(queueSize: 16)
            rig.addBuffers(3, of: 2048)
            rig.network.clear()
            rig.send(NetworkRig.frame())
            #expect(rig.deliver(NetworkRig.frame()))
            #expect(rig.receive.popAllUsed().count == 1)
            #expect(rig.network.sent.count == 1)
            rig.board.holdsWork = true
            rig.send(NetworkRig.frame())
            #expect(rig.driver.reset())
            rig.board.performHeldWork()
        }
        #expect(rig.device.core.counters.faults == 0)
    }
}

// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Testing
import VMMemory
import Virtio
import VirtioMock

@Suite("the console device")
struct ConsoleTests {
    typealias Event = ConsoleRig.Event
    typealias Message = ConsoleRig.Message

    @Test("a driver learns of ports, their names and their state", arguments: MockBoard.Transport.allCases)
    func handshake(transport: MockBoard.Transport) {
        let rig = ConsoleRig(on: transport)
        rig.start()
        #expect(rig.driver.registers.deviceID == 3)
        #expect(rig.driver.queues.count == 10)
        #expect(rig.driver.registers.readConfig(at: 4, width: .word) == 4)
        #expect(rig.heard() == [Message(port: 0, event: Event.deviceAdd), Message(port: 1, event: Event.deviceAdd)])
        rig.say(0, Event.portReady, 1)
        #expect(
            rig.heard() == [
                Message(port: 0, event: Event.consolePort, value: 1),
                Message(port: 0, event: Event.resize, rest: [80, 0, 25, 0]),
                Message(port: 0, event: Event.portOpen, value: 1),
            ])
        rig.say(1, Event.portReady, 1)
        #expect(
            rig.heard() == [
                Message(port: 1, event: Event.portName, value: 1, rest: Array(ConsoleRig.agentName.utf8)),
                Message(port: 1, event: Event.portOpen, value: 1),
            ])
    }

    @Test("messages wait for the driver's buffers, each comes once, and none is kept twice")
    func fewBuffers() {
        let rig = ConsoleRig()
        rig.start(buffers: 1)
        var messages = rig.heard()
        for _ in 0..<5 { messages += rig.heard() }
        #expect(messages.map(\.event) == [Event.deviceAdd, Event.deviceAdd])
        for _ in 0..<1000 { rig.say(1, Event.portReady, 1) }
        messages = []
        for _ in 0..<10 { messages += rig.heard() }
        #expect(messages.map(\.event) == [Event.portName, Event.portName, Event.portOpen])
    }

    @Test("bytes go out of every port byte for byte", arguments: MockBoard.Transport.allCases)
    func output(transport: MockBoard.Transport) {
        let rig = ConsoleRig(on: transport)
        rig.startAll()
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        for start in stride(from: 0, to: bytes.count, by: 4000) {
            rig.write(Array(bytes[start..<start + 4000]), port: 1)
            _ = rig.output(1).popAllUsed()
        }
        rig.write([1, 2, 3], port: 0)
        #expect(rig.agent.sent == bytes)
        #expect(rig.terminal.sent == [1, 2, 3])
    }

    @Test("one buffer larger than all that is kept goes out whole")
    func largeBuffer() {
        let rig = ConsoleRig()
        rig.startAll()
        let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 13) }
        rig.write(bytes, port: 0)
        rig.write(bytes, port: 1)
        #expect(rig.terminal.sent == bytes)
        #expect(rig.agent.sent == bytes)
        #expect(rig.output(1).popUsed()?.length == 0)
        #expect(rig.device.core.counters.errors == 0)
    }

    @Test("bytes come in to every port byte for byte", arguments: MockBoard.Transport.allCases)
    func input(transport: MockBoard.Transport) {
        let rig = ConsoleRig(on: transport)
        rig.startAll()
        rig.addInputBuffers(3, of: 4, port: 1)
        #expect(rig.deliver([1, 2, 3, 4, 5, 6], port: 1) == 6)
        #expect(rig.readInput(1) == [1, 2, 3, 4, 5, 6])
        rig.addInputBuffers(1, of: 4, port: 0)
        #expect(rig.deliver([9], port: 0) == 1)
        #expect(rig.readInput(0) == [9])
    }

    @Test(
        "what does not fit into the guest's buffers waits, and the host side hears when there are more",
        arguments: [UInt64.max, ~MockDriver.eventIndex])
    func fullInput(accepting: UInt64) {
        let rig = ConsoleRig()
        rig.start(accepting: accepting)
        rig.say(1, Event.portReady, 1)
        rig.say(1, Event.portOpen, 1)
        rig.addInputBuffers(1, of: 4, port: 1)
        #expect(rig.deliver([1, 2, 3, 4, 5, 6], port: 1) == 4)
        #expect(rig.agent.resumes == 0)
        rig.addInputBuffers(1, of: 4, port: 1)
        #expect(rig.agent.resumes == 1)
        #expect(rig.deliver([5, 6], port: 1) == 2)
        #expect(rig.readInput(1) == [1, 2, 3, 4, 5, 6])
        #expect(rig.terminal.resumes == 0)
    }

    @Test("a port that nothing in the guest has open takes nothing, until it is opened")
    func closedInput() {
        let rig = ConsoleRig()
        rig.start()
        rig.say(1, Event.portReady, 1)
        rig.addInputBuffers(1, of: 4, port: 1)
        #expect(rig.deliver([1], port: 1) == 0)
        #expect(rig.agent.resumes == 0)
        rig.say(1, Event.portOpen, 1)
        #expect(rig.agent.resumes == 1)
        #expect(rig.deliver([1], port: 1) == 1)
    }

    @Test("a writer to a plain port waits for a slow host, with bounded memory, and nothing is lost")
    func slowHost() {
        let rig = ConsoleRig()
        rig.startAll()
        rig.agent.room = 10
        let chunk = (0..<8192).map { UInt8(truncatingIfNeeded: $0 &* 3) }
        for _ in 0..<60 { rig.write(chunk, port: 1) }
        // 64 KiB are kept by the device; the rest stay the driver's.
        #expect(rig.output(1).popAllUsed().count == 8)
        #expect(rig.agent.sent.count == 10)
        rig.agent.room = .max
        rig.board.perform { rig.device.resume(port: 1) }
        #expect(rig.output(1).popAllUsed().count == 52)
        #expect(rig.agent.sent == Array((0..<60).map { _ in chunk }.joined()))
    }

    @Test("a terminal whose host does not read drops, so that the guest never waits, and goes on when it reads")
    func slowTerminal() {
        let rig = ConsoleRig()
        rig.startAll()
        rig.terminal.room = 0
        let chunk = [UInt8](repeating: 7, count: 8192)
        for _ in 0..<50 {
            rig.write(chunk, port: 0)
            #expect(rig.output(0).popAllUsed().count == 1)
        }
        #expect(rig.device.core.counters.errors > 0)
        rig.terminal.room = .max
        rig.board.perform { rig.device.resume(port: 0) }
        #expect(rig.terminal.sent.count == 65_536)
        rig.write([1], port: 0)
        #expect(rig.terminal.sent.last == 1)
    }

    @Test("room that the host makes while an offer is on its way is not missed")
    func resumeDuringOffer() {
        let rig = ConsoleRig()
        rig.startAll()
        rig.agent.room = 1
        rig.agent.onShort = { [board = rig.board, device = rig.device, agent = rig.agent] in
            agent.onShort = nil
            agent.room = .max
            board.perform { device.resume(port: 1) }
        }
        rig.write([1, 2, 3], port: 1)
        #expect(rig.agent.sent == [1, 2, 3])
    }

    @Test("the host hears of opening and closing, after what was written before")
    func events() {
        let rig = ConsoleRig()
        rig.startAll()
        #expect(rig.events == [.opened(port: 0), .opened(port: 1)])
        rig.agent.room = 1
        rig.write([1, 2, 3], port: 1)
        rig.say(1, Event.portOpen, 0)
        #expect(rig.events.count == 2)
        rig.agent.room = .max
        rig.board.perform { rig.device.resume(port: 1) }
        #expect(rig.agent.sent == [1, 2, 3])
        #expect(rig.events.last == .closed(port: 1))
    }

    @Test("a port closed and opened again at once is told as both")
    func reopened() {
        let rig = ConsoleRig()
        rig.startAll()
        rig.board.holdsWork = true
        rig.say(1, Event.portOpen, 0)
        rig.say(1, Event.portOpen, 1)
        rig.board.performHeldWork()
        #expect(rig.events.suffix(2) == [.closed(port: 1), .opened(port: 1)])
    }

    @Test("a driver that opens and closes without end keeps the host's list short")
    func toggling() {
        let rig = ConsoleRig()
        rig.startAll()
        rig.board.holdsWork = true
        for _ in 0..<500 {
            rig.say(1, Event.portOpen, 0)
            rig.say(1, Event.portOpen, 1)
        }
        rig.board.performHeldWork()
        #expect(rig.events.count <= 6)
        #expect(rig.events.last == .opened(port: 1))
    }

    @Test("a reset closes all ports, and what was written still goes out")
    func reset() {
        let rig = ConsoleRig()
        rig.startAll()
        rig.agent.room = 1
        rig.write([1, 2, 3], port: 1)
        #expect(rig.driver.reset())
        #expect(rig.events.last == .closed(port: 0))
        rig.agent.room = .max
        rig.board.perform { rig.device.resume(port: 1) }
        #expect(rig.agent.sent == [1, 2, 3])
        #expect(rig.events.last == .closed(port: 1))
    }

    @Test("a new size is told to the terminal, not to other ports", arguments: MockBoard.Transport.allCases)
    func resize(transport: MockBoard.Transport) {
        let rig = ConsoleRig(on: transport)
        rig.startAll()
        let generation = rig.driver.registers.configGeneration
        rig.board.perform { rig.device.resize(columns: 132, rows: 50) }
        #expect(rig.heard() == [Message(port: 0, event: Event.resize, rest: [132, 0, 50, 0])])
        #expect(rig.driver.registers.readConfig(at: 0, width: .half) == 132)
        #expect(rig.driver.registers.readConfig(at: 2, width: .half) == 50)
        #expect(rig.driver.registers.configGeneration != generation)
        #expect(rig.driver.registers.takeInterruptStatus() & 2 != 0)
    }

    @Test("a size that becomes known later is told then")
    func lateSize() {
        let rig = ConsoleRig(size: nil)
        rig.start()
        _ = rig.heard()
        rig.say(0, Event.portReady, 1)
        #expect(rig.heard().map(\.event) == [Event.consolePort, Event.portOpen])
        rig.board.perform { rig.device.resize(columns: 100, rows: 30) }
        #expect(rig.heard() == [Message(port: 0, event: Event.resize, rest: [100, 0, 30, 0])])
        rig.board.perform { rig.device.resize(columns: 100, rows: 30) }
        #expect(rig.heard().isEmpty)
    }

    @Test("the host side may go and come")
    func hostOpen() {
        let rig = ConsoleRig()
        rig.startAll()
        rig.board.perform { rig.device.setHostOpen(port: 1, false) }
        rig.board.perform { rig.device.setHostOpen(port: 1, true) }
        rig.board.perform { rig.device.setHostOpen(port: 1, true) }
        #expect(
            rig.heard() == [
                Message(port: 1, event: Event.portOpen, value: 0), Message(port: 1, event: Event.portOpen, value: 1),
            ])
    }

    @Test("ports come and go while the guest runs")
    func hotPlug() {
        let rig = ConsoleRig(maximumPorts: 3)
        rig.startAll()
        let backend = MockStream()
        let description = ConsolePortDescription(name: "late", backend: backend)
        #expect(rig.board.perform { rig.device.addPort(description) } == 2)
        #expect(rig.board.perform { rig.device.addPort(description) } == nil)
        #expect(rig.heard() == [Message(port: 2, event: Event.deviceAdd)])
        rig.say(2, Event.portReady, 1)
        rig.say(2, Event.portOpen, 1)
        rig.write([5], port: 2)
        #expect(backend.sent == [5])
        rig.board.perform { rig.device.removePort(2) }
        #expect(rig.heard().last == Message(port: 2, event: Event.deviceRemove))
        rig.write([6], port: 2)
        #expect(backend.sent == [5])
        #expect(rig.board.perform { rig.device.addPort(description) } == 2)
    }

    @Test("a driver that knows of one port only has the terminal")
    func singlePort() {
        let rig = ConsoleRig()
        rig.driver.start(accepting: ~ConsoleRig.multiport)
        #expect(rig.events == [.opened(port: 0)])
        rig.write([1], port: 0)
        rig.addInputBuffers(1, of: 4, port: 0)
        #expect(rig.deliver([2], port: 0) == 1)
        #expect(rig.terminal.sent == [1])
        #expect(rig.readInput(0) == [2])
        rig.write([3], port: 1)
        rig.say(0, Event.deviceReady, 1)
        #expect(rig.agent.sent.isEmpty)
        #expect(rig.deliver([1], port: 1) == 0)
    }

    @Test("an emergency write works with no driver at all", arguments: MockBoard.Transport.allCases)
    func emergency(transport: MockBoard.Transport) {
        let rig = ConsoleRig(on: transport)
        rig.driver.registers.writeConfig(0x4142_4321, at: 8, width: .word)
        rig.driver.registers.writeConfig(0x22, at: 8, width: .byte)
        #expect(rig.terminal.sent == [0x21, 0x22])
    }

    @Test("emergency writes that nobody takes are bounded")
    func emergencyFlood() {
        let rig = ConsoleRig()
        rig.terminal.room = 0
        for _ in 0..<70_000 { rig.driver.registers.writeConfig(1, at: 8, width: .byte) }
        rig.terminal.room = .max
        rig.board.perform { rig.device.resume(port: 0) }
        #expect(rig.terminal.sent.count == 65_536)
        #expect(rig.device.core.counters.errors == 70_000 - 65_536)
    }

    @Test(
        "a control message that means nothing is counted and forgotten",
        arguments: [
            (UInt32(9), Event.portOpen, UInt16(1)), (.max, Event.portReady, 1), (3, Event.portReady, 1), (0, 99, 0),
            (0, Event.deviceAdd, 0), (0, Event.deviceReady, 0),
        ])
    func badControl(port: UInt32, event: UInt16, value: UInt16) {
        let rig = ConsoleRig()
        rig.startAll()
        rig.say(port, event, value)
        #expect(rig.device.core.counters.errors == 1)
        #expect(rig.heard().isEmpty)
        #expect(!rig.driver.needsReset)
    }

    @Test("a control message that is cut short is counted and given back")
    func shortControl() {
        let rig = ConsoleRig()
        rig.startAll()
        rig.driver.queues[3].add(readable: [rig.driver.segment(7)])
        rig.driver.queues[3].kick()
        #expect(rig.driver.queues[3].popUsed() != nil)
        #expect(rig.device.core.counters.errors == 1)
    }

    @Test("a control buffer too small for its message is a fault")
    func smallControlBuffer() {
        let rig = ConsoleRig()
        rig.driver.start()
        rig.driver.queues[2].add(writable: [rig.driver.segment(4)])
        rig.driver.queues[2].kick()
        rig.say(0, Event.deviceReady, 1)
        #expect(rig.driver.needsReset)
    }

    @Test(
        "ten times unbound and bound again with bytes both ways, all still works",
        arguments: MockBoard.Transport.allCases)
    func rebind(transport: MockBoard.Transport) {
        let rig = ConsoleRig(on: transport)
        for round in UInt8(1)...10 {
            rig.startAll()
            rig.addInputBuffers(2, of: 16, port: 1)
            rig.write([round], port: 1)
            #expect(rig.deliver([round, round], port: 1) == 2)
            #expect(rig.readInput(1) == [round, round])
            rig.board.holdsWork = true
            rig.write([round], port: 1)
            #expect(rig.driver.reset())
            rig.board.performHeldWork()
        }
        #expect(rig.agent.sent == (UInt8(1)...10).flatMap { [$0, $0] })
        #expect(rig.device.core.counters.faults == 0)
    }
}

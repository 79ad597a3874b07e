// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory
import Virtio
import VirtioMock

/// A console device of a terminal and an agent's port on a board, with a driver.
final class ConsoleRig {
    /// VIRTIO_CONSOLE_F_MULTIPORT.
    static let multiport: UInt64 = 1 << 1
    static let agentName = "org.apus.agent.0"

    /// A message of the control queues.
    enum Event {
        static let deviceReady: UInt16 = 0
        static let deviceAdd: UInt16 = 1
        static let deviceRemove: UInt16 = 2
        static let portReady: UInt16 = 3
        static let consolePort: UInt16 = 4
        static let resize: UInt16 = 5
        static let portOpen: UInt16 = 6
        static let portName: UInt16 = 7
    }

    struct Message: Equatable {
        var port: UInt32
        var event: UInt16
        var value: UInt16 = 0
        var rest: [UInt8] = []
    }

    let ram = MockRAM(size: 8 << 20)
    let terminal = MockStream()
    let agent = MockStream()
    let device: ConsoleDevice
    let board: MockBoard
    let driver: MockDriver
    private(set) var events: [ConsoleEvent] = []
    private var controlBuffers: [UInt16: MemorySegment] = [:]
    private var inputBuffers: [UInt16: MemorySegment] = [:]

    init(on transport: MockBoard.Transport = .mmio, maximumPorts: Int = 4, size: (UInt16, UInt16)? = (80, 25)) {
        device = ConsoleDevice(
            memory: ram.memory,
            ports: [
                ConsolePortDescription(isConsole: true, backend: terminal),
                ConsolePortDescription(name: Self.agentName, backend: agent),
            ], maximumPorts: maximumPorts, terminalSize: size)
        board = MockBoard(device, on: transport)
        driver = MockDriver(board, ram: ram)
        device.onEvent = { [unowned self] in events.append($0) }
    }

    func input(_ port: Int) -> MockQueue { driver.queues[port == 0 ? 0 : 2 * port + 2] }
    func output(_ port: Int) -> MockQueue { driver.queues[port == 0 ? 1 : 2 * port + 3] }

    /// Up to the driver's word that it takes control messages.
    func start(buffers: Int = 16, accepting mask: UInt64 = .max) {
        driver.start(accepting: mask)
        addControlBuffers(buffers)
        say(0, Event.deviceReady, 1)
    }

    /// All of the set-up as Linux does it, both ports open.
    func startAll() {
        start()
        _ = heard()
        for port in UInt32(0)..<2 {
            say(port, Event.portReady, 1)
            say(port, Event.portOpen, 1)
        }
        _ = heard()
    }

    func addControlBuffers(_ number: Int) {
        for _ in 0..<number {
            let segment = driver.segment(64)
            if let head = driver.queues[2].add(writable: [segment]) { controlBuffers[head] = segment }
        }
        driver.queues[2].kick()
    }

    /// Sends a control message.
    func say(_ port: UInt32, _ event: UInt16, _ value: UInt16) {
        let bytes =
            (0..<4).map { UInt8(truncatingIfNeeded: port >> (8 * $0)) }
            + [event, value].flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
        driver.queues[3].add(readable: [driver.segment(bytes)])
        driver.queues[3].kick()
        _ = driver.queues[3].popAllUsed()
    }

    /// The control messages that came, their buffers given back.
    func heard() -> [Message] {
        let used = driver.queues[2].popAllUsed()
        let messages = used.compactMap { one -> Message? in
            guard let segment = controlBuffers[one.head] else { return nil }
            let bytes = Array(driver.bytes(segment).prefix(Int(one.length)))
            return Message(
                port: UInt32(bytes[0]) | UInt32(bytes[1]) << 8, event: UInt16(bytes[4]),
                value: UInt16(bytes[6]), rest: Array(bytes.dropFirst(8)))
        }
        addControlBuffers(used.count)
        return messages
    }

    /// Writes from the guest to port `port`.
    func write(_ bytes: [UInt8], port: Int) {
        output(port).add(readable: [driver.segment(bytes)])
        output(port).kick()
    }

    func addInputBuffers(_ number: Int, of count: UInt64, port: Int) {
        for _ in 0..<number {
            let segment = driver.segment(count)
            if let head = input(port).add(writable: [segment]) { inputBuffers[head] = segment }
        }
        input(port).kick()
    }

    /// What the guest has read at port `port` since it last looked.
    func readInput(_ port: Int) -> [UInt8] {
        input(port).popAllUsed().flatMap { used in
            inputBuffers[used.head].map { Array(driver.bytes($0).prefix(Int(used.length))) } ?? []
        }
    }

    /// Bytes from the host; how many were taken.
    func deliver(_ bytes: [UInt8], port: Int) -> Int { board.perform { device.deliver(bytes[...], port: port) } }
}

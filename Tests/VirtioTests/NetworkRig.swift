// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory
import Virtio
import VirtioMock

/// A network device on a board, with a driver and an outside.
final class NetworkRig {
    static let address: [UInt8] = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56]
    /// VIRTIO_NET_F_MRG_RXBUF.
    static let mergeable: UInt64 = 1 << 15

    let ram = MockRAM(size: 4 << 20)
    let network = MockNetwork()
    let device: NetworkDevice
    let board: MockBoard
    let driver: MockDriver

    init(on transport: MockBoard.Transport = .mmio) {
        device = NetworkDevice(memory: ram.memory, backend: network, address: Self.address)
        board = MockBoard(device, on: transport)
        driver = MockDriver(board, ram: ram)
    }

    var receive: MockQueue { driver.queues[0] }
    var transmit: MockQueue { driver.queues[1] }
    var control: MockQueue { driver.queues[2] }

    /// An Ethernet frame of `count` bytes.
    static func frame(to destination: [UInt8] = address, count: Int = 60) -> [UInt8] {
        let head = destination + [2, 0, 0, 0, 0, 1, 0x08, 0x00]
        return head + (0..<count - head.count).map { UInt8(truncatingIfNeeded: $0) }
    }

    /// Sends `frame` from the guest behind a header of `header` bytes.
    func send(_ frame: [UInt8], header: Int = 12) {
        transmit.add(readable: [driver.segment([UInt8](repeating: 0, count: header) + frame)])
        transmit.kick()
    }

    /// Adds receive buffers of `count` bytes.
    @discardableResult
    func addBuffers(_ number: Int, of count: UInt64) -> [MemorySegment] {
        let segments = (0..<number).map { _ in driver.segment(count) }
        for segment in segments { receive.add(writable: [segment]) }
        receive.kick()
        return segments
    }

    /// A frame from outside; whether the device took it.
    func deliver(_ frame: [UInt8]) -> Bool { board.perform { device.deliver(frame) } }

    /// A command; the device's answer, 0 for done.
    func command(_ bytes: [UInt8]) -> UInt8? {
        let answer = driver.segment([0xFF])
        control.add(readable: [driver.segment(bytes)], writable: [answer])
        control.kick()
        return control.popUsed() == nil ? nil : driver.bytes(answer)[0]
    }
}

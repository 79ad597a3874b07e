// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore

/// Ports 0xCF8 to 0xCFF on the board: each access to configuration space takes the lock of the function that it names.
final class PCIPortWindow: BusTarget, BoardResident {
    let name = "pci-config-ports"
    private let board: PCIBoard
    private let ports = PCIConfigurationPorts()
    private let requests: @Sendable (MachineRequest) -> Void

    /// Ports to the functions of `board`; a write to the reset control register asks `requests`.
    init(_ board: PCIBoard, requests: @escaping @Sendable (MachineRequest) -> Void) {
        self.board = board
        self.requests = requests
    }

    func busRead(at offset: UInt64, width: AccessWidth) -> UInt64 {
        guard let target = ports.target(at: offset, width: width) else { return ports.read(at: offset, width: width) }
        guard let slot = board.slot(target.function) else { return width.mask }
        return slot.change { $0.readConfiguration(at: target.register, width: width) }
    }

    func busWrite(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
        if let target = ports.target(at: offset, width: width) {
            board.slot(target.function)?.change {
                $0.writeConfiguration(value, at: target.register, width: width)
            }
        } else if ports.write(value, at: offset, width: width) {
            requests(.reset)
        }
    }

    func reset() { ports.reset() }

    func refresh() {}

    var counters: [(name: String, count: UInt64)] { [] }
}

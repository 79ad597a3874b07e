// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory
import Virtio
import VirtioMock

/// An entropy device on a board, with a driver.
final class EntropyRig {
    let ram = MockRAM(size: 2 << 20)
    let source = MockEntropy()
    let device: EntropyDevice
    let board: MockBoard
    let driver: MockDriver

    init(on transport: MockBoard.Transport = .mmio) {
        device = EntropyDevice(memory: ram.memory, source: source)
        board = MockBoard(device, on: transport)
        driver = MockDriver(board, ram: ram)
    }

    var queue: MockQueue { driver.queues[0] }
}

/// Random numbers that are the same in each run.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

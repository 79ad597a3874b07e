// SPDX-License-Identifier: Apache-2.0

import Foundation
import MachineCore
import Testing
import VMMemory
import Virtio
import VirtioMock

/// A backend that answers flushes on a thread of its own.
private final class ThreadedDisk: BlockBackend, @unchecked Sendable {
    let capacity: UInt64 = 1 << 20
    let isReadOnly = false
    let supportsDiscard = false
    let serial = "threaded"
    var completion: (UInt64, BlockResult) -> Void = { _, _ in }
    private let condition = NSCondition()
    private var pending: [BlockRequest] = []
    private var isOver = false
    private let ended = DispatchSemaphore(value: 0)

    func submit(_ requests: [BlockRequest]) {
        condition.withLock {
            pending += requests
            condition.signal()
        }
    }

    func start() {
        Thread.detachNewThread { [self] in
            while let batch = next() { for request in batch { completion(request.token, .done) } }
            completion = { _, _ in }
            ended.signal()
        }
    }

    private func next() -> [BlockRequest]? {
        condition.withLock {
            while pending.isEmpty, !isOver { condition.wait() }
            defer { pending = [] }
            return isOver ? nil : pending
        }
    }

    func stop() {
        condition.withLock {
            isOver = true
            condition.signal()
        }
        ended.wait()
    }
}

@Suite("two threads")
struct ConcurrencyTests {
    /// The driver kicks only when the device asks for it and sleeps until an interrupt comes, which the device sends
    /// only when asked. What is lost ends in a wait without end. (A fence that is missing alone may escape: much between
    /// a store and a load is a fence on x86.)
    @Test(
        "no notification and no interrupt is lost between a driver and a backend", .timeLimit(.minutes(10)),
        arguments: [UInt64(0), MockDriver.eventIndex])
    func nothingIsLost(eventIndex: UInt64) {
        let ram = MockRAM(size: 1 << 20)
        let disk = ThreadedDisk()
        let device = BlockDevice(memory: ram.memory, backend: disk)
        let board = MockBoard(device, on: .mmio)
        let interrupt = DispatchSemaphore(value: 0)
        board.onEdge = { interrupt.signal() }
        disk.completion = { token, result in board.perform { device.complete(token, result) } }
        disk.start()
        defer { disk.stop() }

        let driver = MockDriver(board, ram: ram)
        driver.start(accepting: MockDriver.version1 | eventIndex, queueSize: 16)
        let queue = driver.queues[0]
        let header = driver.segment(BlockRig.header(4, sector: 0))
        let status = driver.segment(1)
        var begun = 0
        var ended = 0
        var lost = 0
        var random = SplitMix(seed: 3)
        while ended < 30_000, lost == 0 {
            for _ in 0..<1 + random.next() % 4 where queue.add(readable: [header], writable: [status]) != nil {
                begun += 1
                queue.kick()
            }
            queue.wantNoInterrupt()
            ended += queue.popAllUsed().count
            guard queue.freeCount < 2 || random.next() % 4 == 0 else { continue }
            // As drivers sleep: ask, look once more, wait.
            queue.wantInterrupt()
            let late = queue.popAllUsed().count
            ended += late
            if late == 0, ended < begun {
                lost += interrupt.wait(timeout: .now() + 10) == .timedOut ? 1 : 0
            }
            _ = driver.registers.takeInterruptStatus()
        }
        #expect(lost == 0)
        #expect(ended >= 30_000)
    }
}

// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Testing
import VMMemory
import Virtio
import VirtioMock

@Suite("the entropy device")
struct EntropyTests {
    @Test("fills a buffer wherever its parts lie", arguments: MockBoard.Transport.allCases)
    func fill(transport: MockBoard.Transport) {
        let rig = EntropyRig(on: transport)
        rig.driver.start()
        let parts = [rig.driver.segment(3), rig.driver.segment(5)]
        rig.queue.add(writable: parts)
        rig.queue.kick()
        #expect(rig.queue.popUsed()?.length == 8)
        #expect(parts.flatMap(rig.driver.bytes) == [1, 2, 3, 4, 5, 6, 7, 8])
    }

    @Test("gives no byte twice")
    func noRepeat() {
        let rig = EntropyRig()
        rig.driver.start()
        let buffers = [rig.driver.segment(4), rig.driver.segment(4)]
        for buffer in buffers { rig.queue.add(writable: [buffer]) }
        rig.queue.kick()
        #expect(buffers.flatMap(rig.driver.bytes) == [1, 2, 3, 4, 5, 6, 7, 8])
        #expect(rig.source.asked == [8])
    }

    @Test("a buffer of a megabyte comes back partly filled, and the source is asked for no more than 64 KiB")
    func large() {
        let rig = EntropyRig()
        rig.driver.start()
        rig.queue.add(writable: [rig.driver.segment(1 << 20)])
        rig.queue.add(writable: [rig.driver.segment(4)])
        rig.queue.kick()
        #expect(rig.queue.popAllUsed().map(\.length) == [64 << 10, 4])
        #expect(rig.source.asked == [64 << 10, 4])
    }

    @Test("when the source runs dry a buffer waits for the next notification")
    func dry() {
        let rig = EntropyRig()
        rig.source.left = 0
        rig.driver.start()
        rig.queue.add(writable: [rig.driver.segment(4)])
        rig.queue.kick()
        #expect(rig.queue.popUsed() == nil)
        rig.source.left = .max
        rig.queue.add(writable: [rig.driver.segment(4)])
        rig.queue.kick()
        #expect(rig.queue.popAllUsed().map(\.length) == [4, 4])
    }

    @Test("bytes that come after a reset go nowhere")
    func lateBytes() {
        let rig = EntropyRig()
        rig.driver.start()
        let buffer = rig.driver.segment(4)
        rig.board.holdsWork = true
        rig.queue.add(writable: [buffer])
        rig.queue.kick()
        #expect(rig.driver.reset())
        rig.board.performHeldWork()
        #expect(rig.driver.bytes(buffer) == [0, 0, 0, 0])
        rig.driver.start()
        rig.queue.add(writable: [buffer])
        rig.queue.kick()
        #expect(rig.queue.popUsed()?.length == 4)
    }

    @Test("buffers added while the source is asked are served in the same round")
    func whileFetching() {
        let rig = EntropyRig()
        rig.driver.start()
        rig.board.holdsWork = true
        for _ in 0..<3 {
            rig.queue.add(writable: [rig.driver.segment(4)])
            rig.queue.publish()
            rig.driver.registers.notify(queue: 0)
        }
        #expect(rig.board.heldWork.count == 1)
        rig.board.performHeldWork()
        #expect(rig.queue.popAllUsed().map(\.length) == [4, 4, 4])
    }

    @Test("a buffer to read is no buffer for it", arguments: MockBoard.Transport.allCases)
    func readable(transport: MockBoard.Transport) {
        let rig = EntropyRig(on: transport)
        rig.driver.start()
        rig.queue.add(readable: [rig.driver.segment(4)])
        rig.queue.kick()
        #expect(rig.driver.needsReset)
        #expect(rig.device.core.lastFault == .malformedRequest)
    }
}

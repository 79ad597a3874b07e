// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Testing
import VMMemory
import Virtio
import VirtioMock

@Suite("the block device")
struct BlockTests {
    @Test("a driver reads what is on the disk", arguments: MockBoard.Transport.allCases)
    func read(transport: MockBoard.Transport) {
        let rig = BlockRig(on: transport)
        rig.disk.content[512] = 7
        rig.disk.content[1023] = 9
        rig.driver.start()
        let data = rig.driver.segment(512)
        #expect(rig.perform(.read, sector: 1, writable: [data]) == .init(status: 0, length: 513))
        #expect(rig.driver.bytes(data) == Array(rig.disk.content[512..<1024]))
    }
}

// SPDX-License-Identifier: Apache-2.0

import ApusKit
import Testing

@Suite("Memory sizes")
struct MemoryBalloonDeviceTests {
    @Test(
        "are what the guest has at its start, and what it can be given",
        arguments: [("1G", 1 << 30, nil), ("512M,max=1G", 512 << 20, 1 << 30)] as [(String, UInt64, UInt64?)])
    func sizes(text: String, size: UInt64, maximum: UInt64?) throws {
        let read = try MemoryBalloonDevice.sizes(parsing: text)
        #expect(read.size == size)
        #expect(read.maximum == maximum)
    }

    @Test(
        "that cannot be read are refused",
        arguments: ["", ",max=1G", "1G,", "1G,max", "1G,max=", "1G,min=1G", "1G,max=2G,max=3G", "1G,max=x"])
    func refusal(text: String) {
        #expect(throws: VirtualMachineError.self) { try MemoryBalloonDevice.sizes(parsing: text) }
    }
}

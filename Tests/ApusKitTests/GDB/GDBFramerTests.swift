// SPDX-License-Identifier: Apache-2.0

import ApusKit
import Testing

@Suite("GDB packets")
struct GDBFramerTests {
    private func frames(_ bytes: [UInt8]) -> [GDBFramer.Frame] {
        var framer = GDBFramer()
        return bytes.compactMap { framer.take($0) }
    }

    private func frames(_ text: String) -> [GDBFramer.Frame] { frames(Array(text.utf8)) }

    @Test("a packet with the right checksum comes out as its content")
    func whole() {
        #expect(frames("$m80000000,4#55") == [.packet(Array("m80000000,4".utf8))])
    }

    @Test(
        "a packet whose checksum is wrong or no number is damaged", arguments: ["$g#00", "$g#zz", "$g#6z", "$g#z7"])
    func damaged(_ text: String) {
        #expect(frames(text) == [.damaged])
    }

    @Test("in no-acknowledgement mode checksums are not looked at")
    func unchecked() {
        var framer = GDBFramer()
        framer.checksChecksum = false
        #expect("$g#zz".utf8.compactMap { framer.take($0) } == [.packet(Array("g".utf8))])
    }

    @Test("acknowledgements and the interrupt byte come out between packets, noise does not")
    func between() {
        #expect(frames([0x2B, 0x00, 0x2D, 0x0A, 0x03]) == [.acknowledge, .resend, .interrupt])
    }

    @Test("every byte survives encoding and decoding")
    func roundTrip() {
        let all = Array(UInt8.min...UInt8.max)
        #expect(frames(GDBFramer.encode(all)) == [.packet(all)])
    }

    @Test("a packet that was cut off gives way to the one that follows")
    func cutOff() {
        #expect(frames("$m8000$g#67") == [.packet(Array("g".utf8))])
    }

    @Test("content past the announced size is counted, not kept")
    func tooLong() {
        let content = [UInt8](repeating: UInt8(ascii: "a"), count: GDBFramer.packetSize + 1)
        #expect(frames(GDBFramer.encode(content)) == [.tooLong])
        #expect(frames(GDBFramer.encode(content.dropLast())) == [.packet(content.dropLast())])
    }
}

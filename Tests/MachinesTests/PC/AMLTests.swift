// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Machines

/// Encodings worked out by hand from ACPI 6.5 §20.2.
@Suite struct AMLTests {
    @Test(
        "a number takes the shortest form",
        arguments: [
            (0, [0]), (1, [1]), (2, [0x0A, 2]), (0xFF, [0x0A, 0xFF]), (0x100, [0x0B, 0, 1]),
            (0x1_0000, [0x0C, 0, 0, 1, 0]), (1 << 32, [0x0E, 0, 0, 0, 0, 1, 0, 0, 0]),
        ] as [(UInt64, [UInt8])])
    func integers(value: UInt64, bytes: [UInt8]) {
        #expect(AMLValue.integer(value).bytes == bytes)
    }

    @Test(
        "a name's segments have four characters each, and a prefix where there is more than one",
        arguments: [
            ("_HID", Array("_HID".utf8)), ("PIC", Array("PIC_".utf8)), ("\\_SB", [0x5C] + Array("_SB_".utf8)),
            ("\\", [0x5C, 0]), ("_SB.PCI0", [0x2E] + Array("_SB_PCI0".utf8)),
            ("\\_SB.PCI0.A", [0x5C, 0x2F, 3] + Array("_SB_PCI0A___".utf8)),
        ] as [(String, [UInt8])])
    func names(name: String, bytes: [UInt8]) {
        #expect(AML.name(name) == bytes)
    }

    @Test(
        "a length counts itself, and grows at 63, at 4095 and at 2^20 bytes",
        arguments: [
            (0, [1]), (62, [63]), (63, [0x41, 0x04]), (4093, [0x4F, 0xFF]), (4094, [0x81, 0x00, 0x01]),
            (0xF_FFFC, [0x8F, 0xFF, 0xFF]), (0xF_FFFD, [0xC1, 0x00, 0x00, 0x01]),
        ] as [(Int, [UInt8])])
    func lengths(count: Int, bytes: [UInt8]) {
        let encoded = AML.sized([0x10], [UInt8](repeating: 0, count: count))
        #expect(encoded.count == 1 + bytes.count + count)
        #expect(Array(encoded[1...bytes.count]) == bytes)
    }

    @Test("an EISA identifier is three letters of five bits and four digits, highest byte first")
    func eisa() {
        #expect(AML.eisa("PNP0A08") == 0x080A_D041)
    }

    @Test("a device is an extended operator, a length, a name and its statements")
    func device() {
        let device = AMLTerm.device("COM1", [.name("_UID", .integer(1))])
        #expect(device.bytes == [0x5B, 0x82, 11] + Array("COM1".utf8) + [0x08] + Array("_UID".utf8) + [1])
    }

    @Test("resources are descriptors with an end tag, in a buffer")
    func resources() {
        let value = AMLValue.resources([.ports(PCPort.Range(base: 0x3F8, size: 8)), .interrupt(4)])
        #expect(
            value.bytes == [
                0x11, 16, 0x0A, 13, 0x47, 1, 0xF8, 0x03, 0xF8, 0x03, 1, 8, 0x22, 0x10, 0, 0x79, 0,
            ])
    }
}

// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Testing

/// A function whose interrupt and base addresses a test plays with.
final class PlainFunction: PCIFunction {
    let configuration: PCIConfiguration
    var wantsInterrupt = false

    init(interruptPin: PCIInterruptPin = .a) {
        configuration = PCIConfiguration(
            identity: PCIIdentity(
                vendor: 0x1234, device: 0x5678, revision: 0x9A, classCode: 0x01_80_02, subsystemVendor: 0xBCDE,
                subsystem: 0xF012), interruptPin: interruptPin)
    }

    func read(bar: Int, at offset: UInt64, width: AccessWidth) -> UInt64 { 0 }
    func write(_ value: UInt64, bar: Int, at offset: UInt64, width: AccessWidth) {}
    func reset() { configuration.reset() }
}

@Suite("PCI configuration space")
struct PCIConfigurationTests {
    let function = PlainFunction()
    var configuration: PCIConfiguration { function.configuration }

    private func word(_ offset: Int) -> UInt64 { function.readConfiguration(at: offset, width: .word) }
    private func setWord(_ value: UInt64, _ offset: Int) {
        function.writeConfiguration(value, at: offset, width: .word)
    }

    // MARK: Header

    @Test(
        "the header says who the function is",
        arguments: [(0x00, 0x5678_1234), (0x08, 0x0180_029A), (0x2C, 0xF012_BCDE), (0x3C, 0x0100)] as [(Int, UInt64)])
    func identity(offset: Int, value: UInt64) { #expect(word(offset) == value) }

    @Test("registers that are read-only keep their value", arguments: [0x00, 0x08, 0x2C, 0x30, 0x34] as [Int])
    func readOnly(offset: Int) {
        let before = word(offset)
        setWord(0xFFFF_FFFF, offset)
        #expect(word(offset) == before)
    }

    @Test("the interrupt line is the firmware's note, the interrupt pin is not")
    func interruptLine() {
        setWord(0xFFFF_FF21, 0x3C)
        #expect(word(0x3C) == 0x0121)
    }

    @Test("a function without base addresses has no bits for the spaces in its command register")
    func commandBits() {
        setWord(0xFFFF_FFFF, 0x04)
        #expect(word(0x04) == 0x0544)
    }

    @Test("base addresses open the command bits of their space")
    func commandBitsOfSpaces() {
        configuration.addBaseAddress(0, .memory32(size: 4096))
        setWord(0xFFFF_FFFF, 0x04)
        #expect(word(0x04) == 0x0546)
        configuration.addBaseAddress(1, .io(size: 32))
        setWord(0xFFFF_FFFF, 0x04)
        #expect(word(0x04) == 0x0547)
    }

    @Test("each byte can be read and written alone and across words")
    func widths() {
        #expect(function.readConfiguration(at: 0x01, width: .word) == 0x0056_7812)
        #expect(function.readConfiguration(at: 0x03, width: .byte) == 0x56)
        #expect(function.readConfiguration(at: 0x00, width: .double) == 0x5678_1234)
        function.writeConfiguration(0x04, at: 0x04, width: .byte)
        function.writeConfiguration(0x04, at: 0x05, width: .byte)
        #expect(configuration.command == [.busMaster, .interruptDisable])
    }

    @Test(
        "past the 256 bytes all reads as zero: no extended capability", arguments: [0x100, 0xFFC, 0xFFFF, .max - 1, -8])
    func extended(offset: Int) {
        function.writeConfiguration(.max, at: offset, width: .double)
        #expect(function.readConfiguration(at: offset, width: .double) == 0)
    }

    @Test("a double that ends past the space reads zeroes there")
    func edge() { #expect(function.readConfiguration(at: 0xFC, width: .double) == 0) }

    // MARK: Interrupt pin

    @Test(
        "the pin follows the function unless it is disabled; the status says what the function wants",
        arguments: [(0x0000, true), (0x0400, false)] as [(UInt64, Bool)])
    func interrupt(command: UInt64, level: Bool) {
        setWord(command, 0x04)
        #expect(!function.interruptLevel)
        #expect(word(0x04) == command)
        function.wantsInterrupt = true
        #expect(function.interruptLevel == level)
        #expect(word(0x04) == command | 0x0008_0000)
        #expect(function.readConfiguration(at: 0x06, width: .half) == 0x0008)
        #expect(function.readConfiguration(at: 0x06, width: .byte) == 0x08)
        #expect(function.readConfiguration(at: 0x07, width: .byte) == 0)
    }

    @Test("a function without a pin asserts nothing")
    func noPin() {
        let function = PlainFunction(interruptPin: .none)
        function.wantsInterrupt = true
        #expect(!function.interruptLevel)
    }

    @Test(
        "pins are rotated over the lines by the device's number",
        arguments: [(0, .a, 0), (0, .d, 3), (1, .a, 1), (3, .b, 0), (31, .a, 3)] as [(UInt8, PCIInterruptPin, Int)])
    func routing(device: UInt8, pin: PCIInterruptPin, line: Int) {
        #expect(PCIInterruptRouting.line(device: device, pin: pin) == line)
    }

    // MARK: Capabilities

    @Test("capabilities are a list, aligned to words, in the order they were added")
    func capabilities() {
        #expect(word(0x34) == 0)
        #expect(word(0x04) == 0)
        #expect(configuration.addCapability(0x09, body: [5, 6, 7]) == 0x40)
        #expect(configuration.addCapability(0x11, body: [8, 9]) == 0x48)
        #expect(word(0x34) == 0x40)
        #expect(word(0x04) == 0x0010_0000)
        #expect(word(0x40) == 0x0605_4809)
        #expect(word(0x44) == 0x0000_0007)
        #expect(word(0x48) == 0x0908_0011)
    }

    @Test("of a capability the guest writes the bits it was given")
    func capabilityBits() {
        configuration.addCapability(0x09, body: [0xF0, 0xF0], guestWrites: [0x0F])
        setWord(0xFFFF_FFFF, 0x40)
        #expect(word(0x40) == 0xF0FF_0009)
        setWord(0, 0x40)
        #expect(word(0x40) == 0xF0F0_0009)
    }

    // MARK: Base addresses

    @Test(
        "a driver learns size and kind of a base address by writing ones",
        arguments: [
            (.memory32(size: 4096), 0xFFFF_F000, 0), (.memory32(size: 16, prefetchable: true), 0xFFFF_FFF8, 0),
            (.memory64(size: 0x8000), 0xFFFF_8004, 0xFFFF_FFFF),
            (.memory64(size: 1 << 33, prefetchable: true), 0x0000_000C, 0xFFFF_FFFE), (.io(size: 32), 0xFFFF_FFE1, 0),
        ] as [(PCIBaseAddress, UInt64, UInt64)])
    func sizing(kind: PCIBaseAddress, low: UInt64, high: UInt64) {
        configuration.addBaseAddress(2, kind)
        setWord(0xFFFF_FFFF, 0x18)
        setWord(0xFFFF_FFFF, 0x1C)
        #expect(word(0x18) == low)
        #expect(word(0x1C) == high)
    }

    @Test("a base address decodes once it is assigned and its space is enabled, and the change is told once")
    func decoding() throws {
        configuration.addBaseAddress(0, .memory64(size: 0x4000))
        setWord(0x4000_3FFF, 0x10)
        #expect(configuration.takeDecodingChange() == nil)
        setWord(0x02, 0x04)
        let decoding = try #require(configuration.takeDecodingChange())
        #expect(decoding.ranges == [PCIDecoding.Range(bar: 0, space: .memory, base: 0x4000_0000, size: 0x4000)])
        #expect(configuration.takeDecodingChange() == nil)
        setWord(4, 0x14)
        let moved = try #require(configuration.takeDecodingChange())
        #expect(moved.ranges.map(\.base) == [0x4_4000_0000])
        #expect(moved.generation > decoding.generation)
        setWord(0, 0x04)
        #expect(configuration.takeDecodingChange()?.ranges == [])
    }

    @Test(
        "a base address of zero is not assigned", arguments: [.memory32(size: 4096), .io(size: 32)] as [PCIBaseAddress])
    func unassigned(kind: PCIBaseAddress) {
        configuration.addBaseAddress(0, kind)
        setWord(0x03, 0x04)
        #expect(configuration.decodedRanges.isEmpty)
    }

    @Test(
        "each space has its own enable bit",
        arguments: [(0x01, [1]), (0x02, [0]), (0x03, [0, 1])] as [(UInt64, [Int])])
    func spaces(command: UInt64, bars: [Int]) {
        configuration.addBaseAddress(0, .memory32(size: 4096))
        configuration.addBaseAddress(1, .io(size: 32))
        setWord(0x5000_0000, 0x10)
        setWord(0x2000, 0x14)
        setWord(command, 0x04)
        #expect(configuration.decodedRanges.map(\.bar) == bars)
    }

    @Test("reset takes back all that the guest wrote, and tells that nothing is decoded")
    func reset() {
        configuration.addBaseAddress(0, .memory32(size: 4096))
        let before = configuration.state.bytes
        setWord(0x5000_0000, 0x10)
        setWord(0x07, 0x04)
        _ = configuration.takeDecodingChange()
        function.reset()
        #expect(configuration.state.bytes == before)
        #expect(configuration.takeDecodingChange()?.ranges == [])
    }

    @Test("random writes change no read-only bit and decode nothing out of alignment")
    func storm() {
        configuration.addBaseAddress(0, .memory64(size: 1 << 20))
        configuration.addBaseAddress(2, .memory32(size: 16))
        configuration.addBaseAddress(5, .io(size: 4))
        configuration.addCapability(0x09, body: Array(repeating: 0xAA, count: 14), guestWrites: [0, 0, 0xFF])
        let frozen = readOnlyBytes()
        var random = SeededGenerator(seed: 7)
        let misaligned = (0..<100_000).count { _ in
            let width = AccessWidth.allCases[Int(random.next() % 4)]
            let offset = random.next() % 8 == 0 ? Int(truncatingIfNeeded: random.next()) : Int(random.next() % 260)
            function.writeConfiguration(random.next() & width.mask, at: offset, width: width)
            _ = function.readConfiguration(at: offset, width: width)
            return configuration.decodedRanges.contains { $0.base % $0.size != 0 }
        }
        #expect(misaligned == 0)
        #expect(readOnlyBytes() == frozen)
    }

    private func readOnlyBytes() -> [UInt64] {
        [0x00, 0x08, 0x2C, 0x30, 0x34, 0x38, 0x40, 0x48, 0x4C, 0x50, 0xFC].map(word)
    }
}

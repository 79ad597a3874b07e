// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore
import Testing

@Suite("PCI host bridge")
struct PCIHostTests {
    let host = PCIHost()
    let first = PCIAddress(device: 1)
    let second = PCIAddress(device: 2)

    private func decode(_ generation: UInt64, _ ranges: (Int, PCISpace, UInt64, UInt64)..., of function: PCIAddress) {
        let ranges = ranges.map { PCIDecoding.Range(bar: $0.0, space: $0.1, base: $0.2, size: $0.3) }
        host.setDecoding(PCIDecoding(generation: generation, ranges: ranges), of: function)
    }

    @Test(
        "an ECAM offset names bus, device, function and register",
        arguments: [
            (0, 0, 0, 0, 0), (0x00_8004, 0, 1, 0, 4), (0x00_1000, 0, 0, 1, 0), (0x0F_FFFC, 0, 31, 7, 0xFFC),
            (0x10_0000, 1, 0, 0, 0), (0xFFF_FFFF, 255, 31, 7, 0xFFF),
        ] as [(UInt64, UInt8, UInt8, UInt8, Int)])
    func ecam(offset: UInt64, bus: UInt8, device: UInt8, function: UInt8, register: Int) {
        let target = PCIHost.configurationTarget(ecam: offset)
        #expect(target.function == PCIAddress(bus: bus, device: device, function: function))
        #expect(target.register == register)
        #expect([target.function.bus, target.function.device, target.function.function] == [bus, device, function])
    }

    @Test(
        "an access goes to the range that holds all of it",
        arguments: [
            (0x4000_0000, .double, 0), (0x4000_0FF8, .double, 0xFF8), (0x4000_0FFF, .byte, 0xFFF),
        ] as [(UInt64, AccessWidth, UInt64)])
    func hits(address: UInt64, width: AccessWidth, offset: UInt64) {
        decode(1, (3, .memory, 0x4000_0000, 0x1000), of: first)
        let target = host.target(in: .memory, at: address, width: width)
        #expect(target?.function == first)
        #expect(target?.bar == 3)
        #expect(target?.offset == offset)
    }

    @Test(
        "an access that no range holds goes nowhere",
        arguments: [
            (.memory, 0x3FFF_FFFF, .byte), (.memory, 0x4000_1000, .byte), (.memory, 0x4000_0FFC, .double),
            (.memory, 0x3FFF_FFFC, .double), (.io, 0x4000_0000, .byte), (.memory, .max, .double), (.memory, 0, .byte),
        ] as [(PCISpace, UInt64, AccessWidth)])
    func misses(space: PCISpace, address: UInt64, width: AccessWidth) {
        decode(1, (3, .memory, 0x4000_0000, 0x1000), of: first)
        #expect(host.target(in: space, at: address, width: width) == nil)
    }

    @Test("memory and ports are apart")
    func spaces() {
        decode(1, (0, .memory, 0x1000, 0x100), (1, .io, 0x1000, 0x100), of: first)
        #expect(host.target(in: .memory, at: 0x1000, width: .word)?.bar == 0)
        #expect(host.target(in: .io, at: 0x1000, width: .word)?.bar == 1)
    }

    @Test("a function that moves is found at its new place alone, and its neighbour stays")
    func moves() {
        decode(1, (0, .memory, 0x4000_0000, 0x1000), of: first)
        decode(1, (0, .memory, 0x5000_0000, 0x1000), of: second)
        decode(2, (0, .memory, 0x6000_0000, 0x1000), of: first)
        #expect(host.target(in: .memory, at: 0x4000_0000, width: .word) == nil)
        #expect(host.target(in: .memory, at: 0x6000_0000, width: .word)?.function == first)
        #expect(host.target(in: .memory, at: 0x5000_0000, width: .word)?.function == second)
    }

    @Test("news that arrives late does not undo newer news", arguments: [1, 2] as [UInt64])
    func late(generation: UInt64) {
        decode(2, (0, .memory, 0x6000_0000, 0x1000), of: first)
        decode(generation, (0, .memory, 0x4000_0000, 0x1000), of: first)
        #expect(host.target(in: .memory, at: 0x4000_0000, width: .word) == nil)
        #expect(host.target(in: .memory, at: 0x6000_0000, width: .word) != nil)
    }

    @Test("where two functions decode one address, the lower one answers")
    func overlap() {
        decode(1, (0, .memory, 0x4000_0000, 0x1000), of: second)
        decode(1, (0, .memory, 0x4000_0000, 0x1000), of: first)
        #expect(host.target(in: .memory, at: 0x4000_0000, width: .word)?.function == first)
    }

    @Test("a range at the end of the address space is decoded")
    func endOfSpace() {
        decode(1, (0, .memory, .max - 0xFFF, 0x1000), of: first)
        #expect(host.target(in: .memory, at: .max - 7, width: .double)?.offset == 0xFF8)
        #expect(host.target(in: .memory, at: .max - 6, width: .double) == nil)
    }

    @Test("a line is up as long as one function asserts it")
    func wiredOr() {
        let fifth = PCIAddress(device: 5)
        host.setInterrupt(true, of: first, pin: .a)
        host.setInterrupt(true, of: first, pin: .a)
        host.setInterrupt(true, of: fifth, pin: .a)
        #expect(host.interruptLevels == 0b0010)
        host.setInterrupt(false, of: first, pin: .a)
        #expect(host.interruptLevels == 0b0010)
        host.setInterrupt(false, of: fifth, pin: .a)
        #expect(host.interruptLevels == 0)
    }

    @Test("a function without a pin moves no line")
    func noPin() {
        host.setInterrupt(true, of: first, pin: .none)
        #expect(host.interruptLevels == 0)
    }

    @Test("the bridge itself is a host bridge without base addresses, capabilities or interrupt")
    func hostFunction() {
        let bridge = PCIHostFunction()
        #expect(bridge.readConfiguration(at: 0, width: .word) == 0x0008_1B36)
        #expect(bridge.readConfiguration(at: 8, width: .word) == 0x0600_0000)
        bridge.writeConfiguration(0xFFFF_FFFF, at: 0x10, width: .word)
        #expect(bridge.readConfiguration(at: 0x10, width: .word) == 0)
        #expect(bridge.readConfiguration(at: 0x34, width: .word) == 0)
        #expect(!bridge.interruptLevel)
    }

    @Test("a function's own change of place is found by the host bridge")
    func together() throws {
        let function = PlainFunction()
        function.configuration.addBaseAddress(0, .memory32(size: 4096))
        function.writeConfiguration(0x4000_5000, at: 0x10, width: .word)
        function.writeConfiguration(0x02, at: 0x04, width: .half)
        host.setDecoding(try #require(function.configuration.takeDecodingChange()), of: first)
        #expect(host.target(in: .memory, at: 0x4000_5010, width: .word)?.offset == 0x10)
        function.reset()
        host.setDecoding(try #require(function.configuration.takeDecodingChange()), of: first)
        #expect(host.target(in: .memory, at: 0x4000_5010, width: .word) == nil)
    }
}

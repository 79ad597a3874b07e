// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore
import Testing

@Suite("pvpanic on PCI")
struct PVPanicTests {
    private static let base: UInt64 = 0x4000_0000
    let requests = Recorder<MachineRequest>()
    let panic: PVPanic
    let bus = MockPCIBus()

    init() {
        panic = PVPanic(requests: requests.record)
        bus.plug(panic, device: 2)
    }

    @Test(
        "a driver finds it by its numbers",
        arguments: [
            (PCIRegister.vendorID, .word, 0x0011_1B36), (PCIRegister.revisionID, .word, 0x0880_0000),
            (PCIRegister.headerType, .byte, 0), (PCIRegister.interruptPin, .byte, 0),
            (PCIRegister.subsystemVendorID, .word, 0x1100_1AF4),
        ] as [(Int, AccessWidth, UInt64)])
    func found(register: Int, width: AccessWidth, value: UInt64) {
        #expect(bus.readConfiguration(2, register, width) == value)
    }

    @Test("its register is in PCI's smallest memory, and nothing answers before a driver says where")
    func place() {
        #expect(bus.read(Self.base, .byte) == 0xFF)
        #expect(bus.enable(2, bar: 0, at: Self.base) == 16)
        #expect(bus.read(Self.base, .byte) == 0b111)
        #expect(bus.read(Self.base + 16, .byte) == 0xFF)
    }

    @Test("a read names the events it understands, whatever was written", arguments: AccessWidth.allCases)
    func understood(width: AccessWidth) {
        bus.enable(2, bar: 0, at: Self.base)
        bus.write(.max, Self.base, .byte)
        #expect(bus.read(Self.base, width) == 0b111)
    }

    @Test(
        "an event asks for one thing of the machine",
        arguments: [
            (0b001, [.panic]), (0b010, []), (0b100, [.powerOff(code: 0)]), (0b011, [.panic]), (0b101, [.panic]),
            (0b110, [.powerOff(code: 0)]), (0b111, [.panic]), (0b1111_1001, [.panic]),
        ] as [(UInt64, [MachineRequest])])
    func events(value: UInt64, asked: [MachineRequest]) {
        bus.enable(2, bar: 0, at: Self.base)
        bus.write(value, Self.base, .byte)
        #expect(requests.all == asked)
        #expect(panic.takeWork() == nil)
    }

    @Test(
        "each event that is told is counted",
        arguments: [
            (0b001, [1, 0, 0]), (0b010, [0, 1, 0]), (0b100, [0, 0, 1]), (0b111, [1, 1, 1]), (0b1111_1000, [0, 0, 0]),
        ] as [(UInt64, [UInt64])])
    func counts(value: UInt64, told: [UInt64]) {
        bus.enable(2, bar: 0, at: Self.base)
        bus.write(value, Self.base, .byte)
        #expect([panic.told.panicked, panic.told.crashLoaded, panic.told.shutdown] == told)
    }

    @Test("a wider write has the register in its lowest byte", arguments: AccessWidth.allCases)
    func widths(width: AccessWidth) {
        bus.enable(2, bar: 0, at: Self.base)
        bus.write(0x0404_0404_0404_0401, Self.base, width)
        #expect(requests.all == [.panic])
    }

    @Test(
        "what it does not understand changes nothing",
        arguments: [
            (0, 0, .byte), (0xF8, 0, .byte), (0xFFFF_FF00, 0, .word), (.max, 1, .byte), (.max, 2, .half),
            (.max, 4, .word), (.max, 8, .double), (.max, 15, .byte),
        ] as [(UInt64, UInt64, AccessWidth)])
    func ignored(value: UInt64, offset: UInt64, width: AccessWidth) {
        bus.enable(2, bar: 0, at: Self.base)
        bus.write(value, Self.base + offset, width)
        #expect(requests.all.isEmpty)
        #expect(panic.told == PVPanic.Counts())
    }

    @Test("the rest of its memory reads as zero", arguments: [1, 2, 8, 15] as [UInt64])
    func reserved(offset: UInt64) {
        bus.enable(2, bar: 0, at: Self.base)
        #expect(bus.read(Self.base + offset, .byte) == 0)
    }

    @Test("while a driver has its memory off, nothing is told")
    func disabled() {
        bus.enable(2, bar: 0, at: Self.base)
        bus.writeConfiguration(0, 2, PCIRegister.command, .half)
        bus.write(1, Self.base, .byte)
        #expect(requests.all.isEmpty)
    }

    @Test("reset forgets a request that was not handed on, and where its memory was, but not what was told")
    func reset() {
        bus.enable(2, bar: 0, at: Self.base)
        panic.write(1, bar: 0, at: 0, width: .byte)
        panic.reset()
        #expect(panic.takeWork() == nil)
        #expect(panic.told.panicked == 1)
        #expect(bus.readConfiguration(2, PCIRegister.bar0) == 0)
    }
}

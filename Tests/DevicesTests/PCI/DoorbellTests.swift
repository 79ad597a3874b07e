// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Testing

/// The tests of docs/adding-a-device.md's example; they hold the mock bus, too.
@Suite("Example: a doorbell on PCI")
struct DoorbellTests {
    private static let base: UInt64 = 0x4000_0000
    let heard = Recorder<UInt8>()
    let doorbell: Doorbell
    let bus = MockPCIBus()

    init() {
        doorbell = Doorbell(heard: heard.record)
        bus.plug(doorbell, device: 2)
    }

    @Test("a driver finds it by its numbers, and finds nothing in an empty slot")
    func found() {
        #expect(bus.readConfiguration(2, PCIRegister.vendorID) == 0x00FE_1B36)
        #expect(bus.readConfiguration(3, PCIRegister.vendorID) == 0xFFFF_FFFF)
    }

    @Test("its registers are 16 bytes of memory, and nothing answers before a driver says where")
    func place() {
        #expect(bus.read(Self.base + 4, .word) == 0xFFFF_FFFF)
        #expect(bus.enable(2, bar: 0, at: Self.base) == 16)
        #expect(bus.read(Self.base + 4, .word) == 0)
        #expect(bus.read(Self.base + 16, .word) == 0xFFFF_FFFF)
    }

    @Test("a ring is heard once, counted, and interrupts until it is taken back")
    func rings() {
        bus.enable(2, bar: 0, at: Self.base)
        bus.write(7, Self.base, .byte)
        #expect(heard.all == [7])
        #expect(bus.read(Self.base + 4, .word) == 1)
        #expect(bus.lines == 0b0100)
        bus.write(1, Self.base + 8, .byte)
        #expect(bus.lines == 0)
        #expect(heard.all == [7])
    }

    @Test(
        "what is not a register changes nothing",
        arguments: [(1, .byte), (0, .word), (4, .word), (8, .half), (15, .byte), (12, .double)]
            as [(UInt64, AccessWidth)])
    func reserved(offset: UInt64, width: AccessWidth) {
        bus.enable(2, bar: 0, at: Self.base)
        bus.write(.max, Self.base + offset, width)
        #expect(doorbell.state == Doorbell.State())
        #expect(heard.all.isEmpty)
    }

    @Test("after reset it is as new")
    func reset() {
        bus.enable(2, bar: 0, at: Self.base)
        bus.write(7, Self.base, .byte)
        doorbell.reset()
        #expect(doorbell.state == Doorbell.State())
        #expect(bus.readConfiguration(2, PCIRegister.bar0) == 0)
        #expect(bus.lines == 0)
    }
}

// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore
import Testing

@Suite("Local APIC: its two pins")
struct LAPICPinTests {
    let bench = LAPICBench.enabled()
    var apic: LAPIC { bench.apic }

    private func pulse(_ pin: Int) {
        bench.inbox.setLine(pin, level: true)
        bench.inbox.setLine(pin, level: false)
    }

    @Test("a pin in external mode follows its wire and sends the processor to the 8259s", arguments: [0, 1])
    func external(pin: Int) {
        apic.writeWord(0x700, pin == 0 ? 0x350 : 0x360)
        bench.inbox.setLine(pin, level: true)
        apic.writeWord(0xFF, 0x80)
        #expect(bench.isPending, "the task priority does not hold external interrupts back")
        #expect(apic.acknowledge() == .external)
        #expect(apic.acknowledge() == .external)
        bench.inbox.setLine(pin, level: false)
        #expect(apic.acknowledge() == .none)
    }

    @Test("an external interrupt comes before all vectors")
    func externalFirst() {
        apic.writeWord(0x700, 0x350)
        bench.post(0xFF)
        bench.inbox.setLine(0, level: true)
        #expect(apic.acknowledge() == .external)
    }

    @Test("an external interrupt as a message comes once")
    func externalMessage() {
        bench.inbox.post(.external, vector: 0, isLevel: false)
        #expect(apic.acknowledge() == .external)
        #expect(apic.acknowledge() == .none)
    }

    @Test("an edge asks once, however long the pin stays up")
    func edge() {
        apic.writeWord(0x61, 0x360)
        bench.inbox.setLine(1, level: true)
        #expect(bench.drain() == [0x61])
        #expect(bench.drain() == [])
        bench.inbox.setLine(1, level: false)
        pulse(1)
        #expect(bench.drain() == [0x61])
    }

    @Test("a level asks until it falls, each time after its end, and shows its remote IRR meanwhile")
    func level() {
        apic.writeWord(0x8061, 0x350)
        bench.inbox.setLine(0, level: true)
        #expect(apic.acknowledge() == .vector(0x61))
        #expect(apic.readWord(0x350) == 0xC061)
        #expect(apic.acknowledge() == .none)
        bench.endOfInterrupt()
        #expect(apic.acknowledge() == .vector(0x61))
        bench.inbox.setLine(0, level: false)
        bench.endOfInterrupt()
        #expect(apic.readWord(0x350) == 0x8061)
        #expect(apic.acknowledge() == .none)
    }

    @Test(
        "a pin asks for what its vector says",
        arguments: [(0x200, .systemManagement), (0x400, .nonMaskable), (0x500, .initialize), (0x300, []), (0x600, [])]
            as [(UInt64, ProcessorEvents)])
    func deliveries(vector: UInt64, event: ProcessorEvents) {
        apic.writeWord(vector, 0x360)
        pulse(1)
        #expect(apic.pendingEvents == event)
    }

    @Test("an edge at a masked pin is gone; what came before the mask is kept")
    func masked() {
        pulse(1)
        apic.writeWord(0x400, 0x360)
        #expect(apic.pendingEvents == [])
        pulse(1)
        apic.writeWord(0x1_0400, 0x360)
        #expect(apic.pendingEvents == .nonMaskable)
    }

    @Test("a pin with a vector below 16 is an error", arguments: [0x0F, 0x800F] as [UInt64])
    func illegalVector(vector: UInt64) {
        apic.writeWord(vector, 0x350)
        bench.inbox.setLine(0, level: true)
        #expect(!bench.isPending)
        apic.writeWord(0, 0x280)
        #expect(apic.readWord(0x280) == 0x40)
    }

    @Test("with the local APIC off the pins are the processor's own: INTR and NMI")
    func off() {
        #expect(apic.writeRegister(0xFEE0_0100, 0x1B))
        bench.inbox.setLine(0, level: true)
        bench.inbox.setLine(1, level: true)
        #expect(apic.pendingEvents == [.maskable, .nonMaskable])
        #expect(apic.acknowledge() == .external)
    }

    @Test("virtual wire: external interrupts by LINT0, NMI by LINT1")
    func virtualWire() {
        let bench = LAPICBench()
        bench.apic.enterVirtualWireMode()
        bench.inbox.setLine(0, level: true)
        bench.inbox.setLine(1, level: true)
        #expect(bench.apic.pendingEvents == [.maskable, .nonMaskable])
        #expect(bench.apic.readWord(0xF0) == 0x1FF)
        #expect(bench.apic.acknowledge() == .external)
    }

    @Test("there is no third pin", arguments: [Int.min, -1, 2, 64, .max])
    func noPin(number: Int) {
        bench.inbox.setLine(number, level: true)
        #expect(apic.pendingEvents == [])
        #expect(bench.woken.all.isEmpty)
    }
}

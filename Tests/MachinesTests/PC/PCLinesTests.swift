// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore
import Testing

@testable import Machines

@Suite struct PCLinesTests {
    private final class Nowhere: MessageSink {
        func deliver(address: UInt64, data: UInt32) {}
    }

    private let pics = BoardSlot(PICPair(), name: "pic")
    private let ioapic = BoardSlot(IOAPIC(messages: Nowhere()), name: "ioapic")
    private var lines: PCLines { PCLines(pics: pics, ioapic: ioapic) }

    private var asserted: UInt32 { ioapic.change { $0.state.asserted } }
    private var master: UInt8 { pics.change { $0.state.master.inputs } }
    private var slave: UInt8 { pics.change { $0.state.slave.inputs } }

    @Test(
        "ISA's interrupts reach both controllers, the timer's at the IOAPIC's input 2",
        arguments: [
            (0, UInt32(1 << 2), UInt8(1), UInt8(0)), (4, 1 << 4, 1 << 4, 0), (9, 1 << 9, 0, 1 << 1),
        ])
    func isa(number: Int, input: UInt32, master: UInt8, slave: UInt8) {
        lines.line(number).set(true)
        #expect(asserted == input)
        #expect(self.master & ~4 == master)
        #expect(self.slave == slave)
    }

    @Test("PCI's lines have inputs of their own at the IOAPIC, and share those of the PICs")
    func pci() {
        let lines = lines
        lines.line(16).set(true)
        lines.line(19).set(true)
        #expect(asserted == 1 << 16 | 1 << 19)
        #expect(master & 1 << 5 != 0)
        lines.line(16).set(false)
        #expect(asserted == 1 << 19)
        #expect(master & 1 << 5 != 0)
        lines.line(19).set(false)
        #expect(asserted == 0)
        #expect(master & 1 << 5 == 0)
    }

    @Test("a wire is up while anyone pulls at it")
    func shared() {
        let lines = lines
        lines.input(.device).setLine(20, level: true)
        lines.input(.eventTimer).setLine(20, level: true)
        lines.input(.device).setLine(20, level: false)
        #expect(asserted == 1 << 20)
        lines.input(.eventTimer).setLine(20, level: false)
        #expect(asserted == 0)
    }

    @Test("while the HPET replaces PIT and CMOS clock only its own interrupts arrive in their places")
    func replaced() {
        let lines = lines
        lines.line(0).set(true)
        lines.line(8).set(true)
        lines.setReplaced(true)
        #expect(asserted == 0)
        lines.input(.legacyEventTimer).setLine(0, level: true)
        #expect(asserted == 1 << 2)
        lines.setReplaced(false)
        #expect(asserted == 1 << 2 | 1 << 8)
    }

    @Test("a number that is no wire's is ignored", arguments: [-1, 24, 64])
    func none(number: Int) {
        lines.input(.device).setLine(number, level: true)
        #expect(asserted == 0)
    }
}

// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import X86_64

@Suite("Virtual-8086 mode and its extensions (Intel SDM Vol 3B §22.2, §22.3)")
struct Virtual8086Tests {
    typealias Fixture = ProcessorFixture

    /// Virtual-8086 mode at 0500:0000, its stack at 0600:1000.
    private func fixture(iopl: UInt64, cr4: UInt64 = 0) -> Fixture {
        let fixture = Fixture()
        fixture.enterProtected()
        fixture.state.pointee.cr4 = cr4
        fixture.state.pointee.rflags |= RFlags.virtual8086 | iopl << 12 | RFlags.interrupt
        fixture.processor.enterVirtual8086([0, 0x500, 0x600, 0, 0, 0], 0, 0x1000)
        // The redirection bitmap lies in the 32 bytes before the I/O bitmap: all to the 8086 program.
        fixture.ram[half: Fixture.tss + 0x66] = 0x88
        fixture.state.pointee.tr.limit = 0xff
        fixture.ram[word: 0x21 * 4] = 0x0700_0010
        return fixture
    }

    @Test("INT n needs IOPL 3", arguments: [(3, 0x21), (0, 13)] as [(UInt64, UInt64)])
    func interrupt(iopl: UInt64, vector: UInt64) {
        let fixture = fixture(iopl: iopl)
        fixture.ram[Fixture.idt + 0x21 * 8] |= 0x6000 << 32
        fixture.run([0xcd, 0x21], at: 0x5000, offset: 0)
        #expect(fixture.stopVector == vector)
        #expect(fixture.state.pointee.privilege == 0)
    }

    @Test("with VME, INT n goes through the program's own table, where the bitmap says so")
    func redirected() {
        let fixture = fixture(iopl: 0, cr4: CR4.vme)
        fixture.state.pointee.rflags |= RFlags.virtualInterrupt
        #expect(fixture.processor.softwareInterrupt(0x21, next: 2) == .look)
        #expect(fixture.state.pointee.segments[1].selector == 0x700)
        #expect(fixture.state.pointee.rip == 0x10)
        // IF as VIF was, IOPL 3 in the image; VIF is off.
        #expect(fixture.ram[half: 0x6000 + 0x1000 - 2] == 0x3202)
        #expect(fixture.state.pointee.rflags & RFlags.virtualInterrupt == 0)
        #expect(fixture.processor.interruptReturn(bytes: 2) == .look)
        #expect(fixture.state.pointee.rip == 2)
        #expect(fixture.state.pointee.rflags & RFlags.virtualInterrupt != 0)
        #expect(fixture.state.r64(4) == 0x1000)
    }

    @Test("with VME, INT n goes to the monitor where the bitmap says so")
    func notRedirected() {
        let fixture = fixture(iopl: 0, cr4: CR4.vme)
        fixture.ram.put([0xff], at: Fixture.tss + 0x88 - 32 + 4)
        #expect(fixture.processor.softwareInterrupt(0x21, next: 2) == .fault)
        #expect(fixture.processor.fault == .generalProtection)
    }

    @Test(
        "IRET with the virtual flags refuses TF, and IF while an interrupt waits",
        arguments: [
            (0x102, 0, false), (0x202, RFlags.virtualInterruptPending, false), (0x202, 0, true),
            (0x002, RFlags.virtualInterruptPending, true),
        ] as [(UInt16, UInt64, Bool)])
    func virtualReturn(image: UInt16, flags: UInt64, allowed: Bool) {
        let fixture = fixture(iopl: 0, cr4: CR4.vme)
        fixture.state.pointee.rflags |= flags
        fixture.ram[half: 0x7000] = 0x77
        fixture.ram[half: 0x7002] = 0x500
        fixture.ram[half: 0x7004] = image
        #expect((fixture.processor.interruptReturn(bytes: 2) == .look) == allowed)
        #expect(fixture.state.pointee.rip == (allowed ? 0x77 : 0))
    }

    @Test(
        "CLI and STI need IOPL 3, or VME's virtual flag",
        arguments: [
            (3, 0, nil), (0, 0, 13), (0, CR4.vme, nil),
        ] as [(UInt64, UInt64, UInt64?)])
    func flags(iopl: UInt64, cr4: UInt64, vector: UInt64?) {
        let fixture = fixture(iopl: iopl, cr4: cr4)
        // cli; then HLT is privileged.
        fixture.run([0xfa], at: 0x5000, offset: 0)
        #expect(fixture.stopVector == 13)
        #expect(fixture.stack(2, bytes: 4)[1] == (vector == nil ? 1 : 0))
    }

    @Test("LLDT and its like are #UD there")
    func undefined() {
        let fixture = fixture(iopl: 3)
        fixture.run([0x0f, 0x00, 0xd0], at: 0x5000, offset: 0)
        #expect(fixture.stopVector == 6)
    }
}

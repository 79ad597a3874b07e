// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import X86_64

@Suite("Accesses to linear memory")
struct LinearAccessTests {
    typealias Fixture = ProcessorFixture

    /// 64-bit mode with 4 KiB pages from 40_0000H on: the first two present, the third not.
    private func fixture(second: UInt64 = 7) -> Fixture {
        let fixture = Fixture()
        fixture.enterLong()
        fixture.ram[Fixture.tables + 0x2010] = (Fixture.tables + 0x3000) | 7
        fixture.ram[Fixture.tables + 0x3000] = 0x20_0007
        fixture.ram[Fixture.tables + 0x3008] = 0x20_5000 | second
        fixture.processor.stateChanged()
        return fixture
    }

    @Test("a store over a page's end faults before it writes anything (Vol 3A §5.7)")
    func precise() {
        let fixture = fixture(second: 5)
        fixture.ram[0x20_0ff8] = .max
        #expect(!fixture.processor.store(UInt64(0), at: 0x40_0ffc))
        #expect(fixture.processor.fault == Fault(.pageFault, code: 3, address: 0x40_1000))
        #expect(fixture.ram[0x20_0ff8] == .max)
    }

    @Test("accesses over a page's end go to both pages")
    func crossing() {
        let fixture = fixture()
        #expect(fixture.processor.store(UInt64(0x1122_3344_5566_7788), at: 0x40_0ffd))
        #expect(fixture.ram[0x20_0ff8] >> 40 == 0x66_7788)
        #expect(fixture.ram[0x20_5000] == 0x11_2233_4455)
        #expect(fixture.processor.load(UInt64.self, at: 0x40_0ffd) == 0x1122_3344_5566_7788)
    }

    @Test(
        "what is not canonical is #GP(0), or #SS(0) on the stack, and its last byte counts",
        arguments: [
            (0x8000_0000_0000, false), (0x7fff_ffff_fffd, false), (0xffff_7fff_ffff_ffff, true),
        ] as [(UInt64, Bool)])
    func canonical(address: UInt64, stack: Bool) {
        let fixture = fixture()
        #expect(fixture.processor.load(UInt64.self, at: address, stack: stack) == nil)
        #expect(fixture.processor.fault == (stack ? .stackFault : .generalProtection))
    }

    @Test("what is not RAM goes to the bus, in one access where it is aligned")
    func devices() {
        let fixture = Fixture()
        fixture.enterProtected()
        #expect(fixture.processor.load(UInt32.self, at: 0xfee0_0020) == 0x8080_8020)
        #expect(fixture.processor.load(UInt16.self, at: 0xfee0_0021) == 0x2221)
        #expect(fixture.processor.store(UInt32(7), at: 0xfee0_0300))
        #expect(fixture.door.script.writes == [[0xfee0_0300, 4, 7]])
        // Nothing answers.
        #expect(fixture.processor.load(UInt32.self, at: 0xd000_0000) == 0xffff_ffff)
    }

    @Test(
        "segment limits, of segments that expand down as well (Vol 3A §6.3)",
        arguments: [
            // Limit FFFFH: the last byte may be there.
            (0x93, 0, 0xffff, 0xfffc, true), (0x93, 0, 0xffff, 0xfffd, false), (0x93, 0, 0xffff, 0xffff_fffe, false),
            // Expand-down: above the limit, up to FFFFH or FFFF_FFFFH.
            (0x97, 0, 0xfff, 0xfff, false), (0x97, 0, 0xfff, 0x1000, true), (0x97, 0, 0xfff, 0xfffd, false),
            (0x97, 4, 0xfff, 0xfffd, true), (0x97, 4, 0xfff, 0xffff_fffd, false),
        ] as [(UInt64, UInt64, UInt64, UInt64, Bool)])
    func limits(access: UInt64, flags: UInt64, limit: UInt64, offset: UInt64, allowed: Bool) {
        let fixture = Fixture()
        fixture.enterProtected()
        fixture.ram[Fixture.gdt + 0x80] = Fixture.descriptor(limit: limit, access: access, flags: flags)
        #expect(fixture.processor.loadSegment(.es, Fixture.free))
        let place = fixture.processor.linear(.es, offset, count: 4, writes: true)
        #expect((place != nil) == allowed)
        #expect(allowed || fixture.processor.fault == .generalProtection)
    }

    @Test(
        "read-only data and code refuse stores, execute-only code loads",
        arguments: [
            (0x91, true, false), (0x91, false, true), (0x9b, false, true), (0x9b, true, false), (0xf3, true, true),
        ] as [(UInt64, Bool, Bool)])
    func rights(access: UInt64, writes: Bool, allowed: Bool) {
        let fixture = Fixture()
        fixture.enterProtected()
        fixture.ram[Fixture.gdt + 0x80] = Fixture.descriptor(access: access)
        #expect(fixture.processor.loadSegment(.es, Fixture.free))
        #expect((fixture.processor.linear(.es, 0x100, count: 1, writes: writes) != nil) == allowed)
    }

    @Test("a store to a page of code is seen by the code, and costs other pages nothing")
    func selfModifying() {
        let fixture = Fixture()
        fixture.enterLong()
        // mov byte [5010H], 90H, twice; at 5010H: HLT, or NOP once it is overwritten; then inc eax.
        var code: [UInt8] = [0xc6, 0x04, 0x25, 0x10, 0x50, 0, 0, 0x90, 0xc6, 0x04, 0x25, 0x10, 0x50, 0, 0, 0x90]
        code += [0xf4, 0xff, 0xc0]
        fixture.run(code)
        #expect(fixture.state.r64(0) == 1)
        #expect(fixture.stopVector == nil)
    }
}

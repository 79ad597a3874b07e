// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import X86_64

@Suite("Loads of segment registers (Intel SDM Vol 2B \"MOV\", Vol 3A §6.5 to §6.7)")
struct SegmentLoadTests {
    typealias Fixture = ProcessorFixture

    /// What a load of a descriptor raised, or nil.
    private func load(
        _ segment: Segment, access: UInt64, rpl: UInt16 = 0, cpl: UInt64 = 0, flags: UInt64 = 0xc
    ) -> Fault? {
        let fixture = Fixture()
        fixture.enterProtected(privilege: cpl)
        fixture.ram[Fixture.gdt + 0x80] = Fixture.descriptor(base: 0x1234_5678, access: access, flags: flags)
        return fixture.processor.loadSegment(segment, Fixture.free | rpl) ? nil : fixture.processor.fault
    }

    @Test(
        "data segment registers take data and readable code that the privilege allows",
        arguments: [
            // Data of DPL 0 and 3, read-only, expand-down; readable and execute-only code; conforming code.
            (0x93, 0, 0, nil), (0x91, 0, 0, nil), (0x97, 0, 0, nil), (0xf3, 3, 3, nil), (0xf3, 0, 0, nil),
            (0x9b, 0, 0, nil), (0x99, 0, 0, Fault(.generalProtection, code: 0x80)), (0x9f, 3, 3, nil),
            // RPL or CPL beyond DPL.
            (0x93, 3, 0, Fault(.generalProtection, code: 0x80)), (0x93, 0, 3, Fault(.generalProtection, code: 0x80)),
            (0xb3, 2, 0, Fault(.generalProtection, code: 0x80)), (0xb3, 1, 0, nil),
            // Not present; a system descriptor.
            (0x13, 0, 0, Fault(.segmentNotPresent, code: 0x80)), (0x89, 0, 0, Fault(.generalProtection, code: 0x80)),
        ] as [(UInt64, UInt16, UInt64, Fault?)])
    func data(access: UInt64, rpl: UInt16, cpl: UInt64, fault: Fault?) {
        #expect(load(.ds, access: access, rpl: rpl, cpl: cpl) == fault)
    }

    @Test(
        "SS takes writable data of exactly the CPL's privilege",
        arguments: [
            (0x93, 0, 0, nil), (0x97, 0, 0, nil), (0xf3, 3, 3, nil),
            (0x91, 0, 0, Fault(.generalProtection, code: 0x80)),
            (0x9b, 0, 0, Fault(.generalProtection, code: 0x80)), (0x93, 3, 0, Fault(.generalProtection, code: 0x80)),
            (0xf3, 3, 0, Fault(.generalProtection, code: 0x80)), (0x13, 0, 0, Fault(.stackFault, code: 0x80)),
        ] as [(UInt64, UInt16, UInt64, Fault?)])
    func stack(access: UInt64, rpl: UInt16, cpl: UInt64, fault: Fault?) {
        #expect(load(.ss, access: access, rpl: rpl, cpl: cpl) == fault)
    }

    @Test("a load fills the hidden part and sets the accessed bit in memory")
    func hidden() {
        let fixture = Fixture()
        fixture.enterProtected()
        fixture.ram[Fixture.gdt + 0x80] = Fixture.descriptor(base: 0x1234_5678, limit: 0x12, access: 0x92)
        #expect(fixture.processor.loadSegment(.fs, Fixture.free))
        let register = fixture.state.pointee.segments[4]
        #expect(register.base == 0x1234_5678)
        #expect(register.limit == 0x12fff)
        #expect(register.selector == Fixture.free)
        #expect(register.rights.rawValue == 0xc093)
        #expect(fixture.ram[Fixture.gdt + 0x80] >> 40 & 0xff == 0x93)
    }

    @Test("a selector past the table's limit is #GP with the selector", arguments: [0x1000, 0x84] as [UInt16])
    func past(selector: UInt16) {
        let fixture = Fixture()
        fixture.enterProtected()
        #expect(!fixture.processor.loadSegment(.es, selector))
        #expect(fixture.processor.fault == Fault(.generalProtection, code: UInt32(selector)))
    }

    @Test(
        "a null selector: Intel clears the base, AMD keeps it",
        arguments: [
            (ProcessorVendor.intel, 0), (.amd, 0x7777),
        ] as [(ProcessorVendor, UInt64)])
    func null(vendor: ProcessorVendor, base: UInt64) {
        var model = CPUModel.maximum
        model.vendor = vendor
        let fixture = Fixture(model)
        fixture.enterLong()
        fixture.state.pointee.segments[5].base = 0x7777
        #expect(fixture.processor.loadSegment(.gs, 0))
        #expect(fixture.state.pointee.segments[5].base == base)
        #expect(fixture.state.pointee.segments[5].rights.contains(.unusable))
    }

    @Test(
        "a null SS is for 64-bit mode below CPL 3, with the CPL as its RPL",
        arguments: [(0, 0, true), (0, 1, false), (3, 3, false)] as [(UInt64, UInt16, Bool)])
    func nullStack(cpl: UInt64, selector: UInt16, allowed: Bool) {
        let fixture = Fixture()
        fixture.enterLong(privilege: cpl)
        #expect(fixture.processor.loadSegment(.ss, selector) == allowed)
        #expect(allowed || fixture.processor.fault == .generalProtection)
    }

    @Test("real mode makes a base of the selector and keeps the limit; virtual-8086 mode sets that too")
    func real() {
        let fixture = Fixture()
        fixture.enterReal()
        fixture.state.pointee.segments[3].limit = 0xffff_ffff
        #expect(fixture.processor.loadSegment(.ds, 0x1234))
        #expect(fixture.state.pointee.segments[3].base == 0x12340)
        #expect(fixture.state.pointee.segments[3].limit == 0xffff_ffff)
        fixture.state.pointee.cr0 |= CR0.pe
        fixture.state.pointee.rflags |= RFlags.virtual8086
        #expect(fixture.processor.loadSegment(.ds, 0x1000))
        #expect(fixture.state.pointee.segments[3].limit == 0xffff)
        #expect(fixture.state.pointee.segments[3].rights.privilege == 3)
    }
}

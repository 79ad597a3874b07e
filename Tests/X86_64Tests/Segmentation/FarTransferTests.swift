// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import X86_64

@Suite("Far transfers (Intel SDM Vol 3A §6.8)")
struct FarTransferTests {
    typealias Fixture = ProcessorFixture

    private func jump(
        access: UInt64, rpl: UInt16 = 0, cpl: UInt64 = 0, offset: UInt64 = 0x6000, flags: UInt64 = 0xc
    ) -> Fault? {
        let fixture = Fixture()
        fixture.enterProtected(privilege: cpl)
        fixture.ram[Fixture.gdt + 0x80] = Fixture.descriptor(limit: 0xffff, access: access, flags: flags)
        let outcome = fixture.processor.farTransfer(.jump, Fixture.free | rpl, offset, bytes: 4, next: 0)
        guard outcome == .fault else {
            return fixture.state.pointee.rip == offset && fixture.state.pointee.privilege == cpl ? nil : .invalidOpcode
        }
        return fixture.processor.fault
    }

    @Test(
        "direct jumps go to code of the same privilege, or to conforming code of an inner one",
        arguments: [
            (0x9b, 0, 0, nil), (0xfb, 3, 3, nil), (0xfb, 0, 3, nil), (0x9f, 3, 3, nil),
            (0xdf, 0, 0, Fault(.generalProtection, code: 0x80)),
            (0x9b, 3, 0, Fault(.generalProtection, code: 0x80)), (0x9b, 0, 3, Fault(.generalProtection, code: 0x80)),
            (0xfb, 0, 0, Fault(.generalProtection, code: 0x80)), (0x93, 0, 0, Fault(.generalProtection, code: 0x80)),
            (0x1b, 0, 0, Fault(.segmentNotPresent, code: 0x80)), (0x82, 0, 0, Fault(.generalProtection, code: 0x80)),
        ] as [(UInt64, UInt16, UInt64, Fault?)])
    func direct(access: UInt64, rpl: UInt16, cpl: UInt64, fault: Fault?) {
        #expect(jump(access: access, rpl: rpl, cpl: cpl) == fault)
    }

    @Test("a target past the limit is #GP(0)")
    func limit() {
        #expect(jump(access: 0x9b, offset: 0x1_0000, flags: 4) == .generalProtection)
        #expect(jump(access: 0x9b, offset: 0xffff, flags: 4) == nil)
    }

    @Test("a far call pushes CS and the return address, a far return takes them back")
    func callAndReturn() {
        let fixture = Fixture()
        fixture.enterProtected()
        fixture.ram[Fixture.gdt + 0x80] = Fixture.descriptor(access: 0x9a)
        #expect(fixture.processor.farTransfer(.call, Fixture.free, 0x6000, bytes: 4, next: 0x5007) == .look)
        #expect(fixture.stack(2, bytes: 4) == [0x5007, 0x18])
        #expect(fixture.state.pointee.segments[1].selector == Fixture.free)
        #expect(fixture.processor.farReturn(bytes: 4, release: 8) == .look)
        #expect(fixture.state.pointee.rip == 0x5007)
        #expect(fixture.state.r64(4) == Fixture.stack + 8)
        #expect(fixture.state.pointee.segments[1].selector == 0x18)
    }

    @Test("a call gate to an inner ring copies parameters to the TSS's stack, and the return drops them on both")
    func callGate() {
        let fixture = Fixture()
        fixture.enterProtected(privilege: 3)
        fixture.ram[Fixture.gdt + 0x80] = Fixture.gate(Fixture.kernelCode32, 0x6000, access: 0xec, low: 2)
        fixture.ram[word: Fixture.stack] = 0x1111
        fixture.ram[word: Fixture.stack + 4] = 0x2222
        #expect(fixture.processor.farTransfer(.call, Fixture.free | 3, 0xdead, bytes: 4, next: 0x5007) == .look)
        #expect(fixture.state.pointee.privilege == 0)
        #expect(fixture.state.pointee.rip == 0x6000)
        #expect(fixture.state.r64(4) == Fixture.innerStack - 24)
        #expect(fixture.stack(6, bytes: 4) == [0x5007, 0x23, 0x1111, 0x2222, Fixture.stack, 0x2b])
        fixture.processor.setSegment(.es, Descriptor(fixture.ram[Fixture.gdt + 0x10]).segment(selector: 0x10))
        #expect(fixture.processor.farReturn(bytes: 4, release: 8) == .look)
        #expect(fixture.state.pointee.privilege == 3)
        #expect(fixture.state.pointee.rip == 0x5007)
        #expect(fixture.state.r64(4) == Fixture.stack + 8)
        #expect(fixture.state.pointee.segments[2].selector == 0x2b)
        #expect(fixture.state.pointee.segments[0].rights.contains(.unusable))
        #expect(!fixture.state.pointee.segments[3].rights.contains(.unusable))
    }

    @Test("a call gate of 64-bit mode pushes 8 bytes each and no parameters (§6.8.3.1)")
    func longCallGate() {
        let fixture = Fixture()
        fixture.enterLong(privilege: 3)
        fixture.ram[Fixture.gdt + 0x80] = Fixture.gate(Fixture.kernelCode, 0x6000, access: 0xec)
        fixture.ram[Fixture.gdt + 0x88] = 0
        #expect(fixture.processor.farTransfer(.call, Fixture.free | 3, 0, bytes: 4, next: 0x5007) == .look)
        #expect(fixture.stack(4) == [0x5007, 0x33, Fixture.stack, 0x2b])
        #expect(fixture.state.r64(4) == Fixture.innerStack - 32)
        #expect(fixture.state.pointee.segments[2].rights.contains(.unusable))
    }

    @Test(
        "what is wrong with a call gate",
        arguments: [
            // The gate's own privilege, presence, target: null, data, less privileged, 64-bit gate to 32-bit code.
            (0x8c, 0x18, 3, Fault(.generalProtection, code: 0x80)),
            (0x6c, 0x18, 3, Fault(.segmentNotPresent, code: 0x80)),
            (0xec, 0, 3, Fault(.generalProtection)), (0xec, 0x10, 3, Fault(.generalProtection, code: 0x10)),
            (0xec, 0x20, 0, Fault(.generalProtection, code: 0x20)),
            (0xec, 0x2000, 3, Fault(.generalProtection, code: 0x2000)),
        ] as [(UInt64, UInt16, UInt64, Fault)])
    func badGates(access: UInt64, target: UInt16, cpl: UInt64, fault: Fault) {
        let fixture = Fixture()
        fixture.enterProtected(privilege: cpl)
        fixture.ram[Fixture.gdt + 0x80] = Fixture.gate(target, 0x6000, access: access)
        #expect(fixture.processor.farTransfer(.call, Fixture.free | UInt16(cpl), 0, bytes: 4, next: 0) == .fault)
        #expect(fixture.processor.fault == fault)
        #expect(fixture.state.r64(4) == Fixture.stack)
    }

    @Test(
        "the inner stack that a TSS names is checked as #TS",
        arguments: [
            (0, 0x67, Fault(.invalidTSS)), (0x2b, 0x67, Fault(.invalidTSS, code: 0x28)),
            (0x18, 0x67, Fault(.invalidTSS, code: 0x18)), (0x1000, 0x67, Fault(.invalidTSS, code: 0x1000)),
            (0x10, 8, Fault(.invalidTSS, code: 0x40)),
        ] as [(UInt16, UInt32, Fault)])
    func badStacks(selector: UInt16, limit: UInt32, fault: Fault) {
        let fixture = Fixture()
        fixture.enterProtected(privilege: 3)
        fixture.ram[half: Fixture.tss + 8] = selector
        fixture.state.pointee.tr.limit = limit
        fixture.ram[Fixture.gdt + 0x80] = Fixture.gate(Fixture.kernelCode32, 0x6000, access: 0xec)
        #expect(fixture.processor.farTransfer(.call, Fixture.free | 3, 0, bytes: 4, next: 0) == .fault)
        #expect(fixture.processor.fault == fault)
    }

    @Test("IRETQ takes RIP, CS, RFLAGS, RSP and SS, whatever the privilege (Vol 2A \"IRET\")")
    func longReturn() {
        let fixture = Fixture()
        fixture.enterLong()
        for (index, value) in [0x6000, 0x33, 0x3202, 0x9000, 0x2b].enumerated() {
            fixture.ram[Fixture.stack + UInt64(index) * 8] = UInt64(value)
        }
        #expect(fixture.processor.interruptReturn(bytes: 8) == .look)
        #expect(fixture.state.pointee.rip == 0x6000)
        #expect(fixture.state.pointee.privilege == 3)
        #expect(fixture.state.pointee.rflags == 0x3202)
        #expect(fixture.state.r64(4) == 0x9000)
    }

    @Test("IRET at CPL 3 leaves IOPL, and IF where IOPL does not allow it")
    func userReturn() {
        let fixture = Fixture()
        fixture.enterLong(privilege: 3)
        for (index, value) in [0x6000, 0x33, 0x3202, 0x9000, 0x2b].enumerated() {
            fixture.ram[Fixture.stack + UInt64(index) * 8] = UInt64(value)
        }
        #expect(fixture.processor.interruptReturn(bytes: 8) == .look)
        #expect(fixture.state.pointee.rflags == RFlags.fixed)
    }

    @Test(
        "what IRETQ refuses leaves everything as it was",
        arguments: [
            (0x6000, 0, 0x2b, Fault(.generalProtection)), (0x8000_0000_0000, 0x33, 0x2b, Fault(.generalProtection)),
            (0x6000, 0x33, 0, Fault(.generalProtection)), (0x6000, 0x33, 0x10, Fault(.generalProtection, code: 0x10)),
            (0x6000, 0x2b, 0x2b, Fault(.generalProtection, code: 0x28)),
            (0x6000, 0x0b, 0x2b, Fault(.generalProtection, code: 8)),
        ] as [(UInt64, UInt64, UInt64, Fault)])
    func badReturns(rip: UInt64, cs: UInt64, ss: UInt64, fault: Fault) {
        let fixture = Fixture()
        fixture.enterLong()
        for (index, value) in [rip, cs, 0x202, 0x9000, ss].enumerated() {
            fixture.ram[Fixture.stack + UInt64(index) * 8] = value
        }
        #expect(fixture.processor.interruptReturn(bytes: 8) == .fault)
        #expect(fixture.processor.fault == fault)
        #expect(fixture.state.r64(4) == Fixture.stack)
        #expect(fixture.state.pointee.rflags == RFlags.fixed)
        #expect(fixture.state.pointee.privilege == 0)
    }

    @Test("NT in long mode makes IRET #GP(0)")
    func nestedTask() {
        let fixture = Fixture()
        fixture.enterLong()
        fixture.state.pointee.rflags |= RFlags.nestedTask
        #expect(fixture.processor.interruptReturn(bytes: 8) == .fault)
        #expect(fixture.processor.fault == .generalProtection)
    }

    @Test("IRET with VM in the image enters virtual-8086 mode")
    func toVirtual8086() {
        let fixture = Fixture()
        fixture.enterProtected()
        for (index, value) in [0x77, 0x200, 0x2_3202, 0x88, 0x300, 0x100, 0x400, 0x500, 0x600].enumerated() {
            fixture.ram[word: Fixture.stack + UInt64(index) * 4] = UInt32(value)
        }
        #expect(fixture.processor.interruptReturn(bytes: 4) == .look)
        #expect(fixture.state.pointee.rip == 0x77)
        #expect(fixture.state.pointee.segments[1].base == 0x2000)
        #expect(fixture.state.pointee.segments[5].base == 0x6000)
        #expect(fixture.state.r64(4) == 0x88)
        #expect(fixture.state.pointee.privilege == 3)
        #expect(fixture.state.pointee.rflags == 0x2_3202)
    }
}

@Suite("Task switches (Intel SDM Vol 3A §9.3)")
struct TaskTests {
    typealias Fixture = ProcessorFixture
    static let other: UInt64 = 0x4000

    private func fixture() -> Fixture {
        let fixture = Fixture()
        fixture.enterProtected()
        fixture.ram[Fixture.gdt + 0x40] = Fixture.descriptor(base: Fixture.tss, limit: 0x67, access: 0x8b, flags: 0)
        fixture.ram[Fixture.gdt + 0x80] = Fixture.descriptor(base: Self.other, limit: 0x67, access: 0x89, flags: 0)
        let fields: [(UInt64, UInt32)] = [
            (0x20, 0x6000), (0x24, 0x202), (0x28, 0xaaaa), (0x38, 0x9000), (0x48, 0x10), (0x4c, 0x18), (0x50, 0x10),
            (0x54, 0x10), (0x58, 0), (0x5c, 0),
        ]
        for (offset, value) in fields { fixture.ram[word: Self.other + offset] = value }
        return fixture
    }

    @Test("a call saves the old task, links to it and sets NT; IRET comes back")
    func callAndReturn() {
        let fixture = fixture()
        fixture.state.setR64(0, 0x1234)
        #expect(fixture.processor.farTransfer(.call, Fixture.free, 0, bytes: 4, next: 0x5007) == .look)
        #expect(fixture.state.pointee.rip == 0x6000)
        #expect(fixture.state.r64(0) == 0xaaaa)
        #expect(fixture.state.r64(4) == 0x9000)
        #expect(fixture.state.pointee.rflags == 0x202 | RFlags.nestedTask)
        #expect(fixture.state.pointee.cr0 & CR0.ts != 0)
        #expect(fixture.ram[half: Self.other] == Fixture.taskState)
        #expect(fixture.ram[word: Fixture.tss + 0x20] == 0x5007)
        #expect(fixture.ram[word: Fixture.tss + 0x28] == 0x1234)
        #expect(fixture.ram[Fixture.gdt + 0x40] >> 40 & 0xff == 0x8b)
        #expect(fixture.ram[Fixture.gdt + 0x80] >> 40 & 0xff == 0x8b)

        #expect(fixture.processor.interruptReturn(bytes: 4) == .look)
        #expect(fixture.state.pointee.rip == 0x5007)
        #expect(fixture.state.r64(0) == 0x1234)
        #expect(fixture.state.pointee.tr.selector == Fixture.taskState)
        #expect(fixture.ram[Fixture.gdt + 0x80] >> 40 & 0xff == 0x89)
    }

    @Test("a jump leaves the old task available")
    func jump() {
        let fixture = fixture()
        #expect(fixture.processor.farTransfer(.jump, Fixture.free, 0, bytes: 4, next: 0x5007) == .look)
        #expect(fixture.ram[Fixture.gdt + 0x40] >> 40 & 0xff == 0x89)
        #expect(fixture.state.pointee.rflags & RFlags.nestedTask == 0)
    }

    @Test("a task gate in the IDT switches and pushes the error code there")
    func taskGate() {
        let fixture = fixture()
        fixture.ram[Fixture.idt + 13 * 8] = Fixture.gate(Fixture.free, 0, access: 0x85)
        #expect(fixture.deliver(Fault(.generalProtection, code: 0x50)) == .look)
        #expect(fixture.state.pointee.rip == 0x6000)
        #expect(fixture.state.r64(4) == 0x9000 - 4)
        #expect(fixture.ram[word: 0x9000 - 4] == 0x50)
        #expect(fixture.ram[word: Fixture.tss + 0x20] == UInt32(Fixture.code))
    }

    @Test(
        "a task that cannot be switched to",
        arguments: [
            (0x8b, 0x67, Fault(.generalProtection, code: 0x80)), (0x09, 0x67, Fault(.segmentNotPresent, code: 0x80)),
            (0x89, 0x66, Fault(.invalidTSS, code: 0x80)),
        ] as [(UInt64, UInt64, Fault)])
    func refused(access: UInt64, limit: UInt64, fault: Fault) {
        let fixture = fixture()
        fixture.ram[Fixture.gdt + 0x80] = Fixture.descriptor(base: Self.other, limit: limit, access: access, flags: 0)
        #expect(fixture.processor.farTransfer(.jump, Fixture.free, 0, bytes: 4, next: 0) == .fault)
        #expect(fixture.processor.fault == fault)
        #expect(fixture.state.pointee.tr.selector == Fixture.taskState)
    }

    @Test("a bad segment of the new task is the new task's #TS")
    func badSegment() {
        let fixture = fixture()
        fixture.ram[word: Self.other + 0x50] = 0x1008
        #expect(fixture.processor.farTransfer(.jump, Fixture.free, 0, bytes: 4, next: 0) == .fault)
        #expect(fixture.processor.fault == Fault(.invalidTSS, code: 0x1008))
        #expect(fixture.state.pointee.rip == 0x6000)
    }
}

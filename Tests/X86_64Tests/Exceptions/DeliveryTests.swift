// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import X86_64

@Suite("Delivery of exceptions and interrupts (Intel SDM Vol 3A chapter 7)")
struct DeliveryTests {
    typealias Fixture = ProcessorFixture

    @Test("64-bit mode pushes SS, RSP, RFLAGS, CS, RIP and the error code on an aligned stack (§7.14.2)")
    func longFrame() {
        let fixture = Fixture()
        fixture.enterLong()
        fixture.state.setR64(4, 0x8008)
        fixture.state.pointee.rflags = RFlags.fixed | RFlags.interrupt | RFlags.carry | RFlags.trap
        #expect(fixture.deliver(Fault(.generalProtection, code: 0x18)) == .look)
        #expect(fixture.vector == 13)
        #expect(fixture.state.r64(4) == 0x8000 - 48)
        #expect(fixture.stack(6) == [0x18, Fixture.code, 0x08, 0x10303, 0x8008, 0x10])
        #expect(fixture.state.pointee.rflags == RFlags.fixed | RFlags.carry)
    }

    @Test("from CPL 3 the stack is the TSS's and SS becomes null (§7.14.4)")
    func longInwards() {
        let fixture = Fixture()
        fixture.enterLong(privilege: 3)
        fixture.deliver(Fault(.pageFault, code: 6, address: 0x1234_5000))
        #expect(fixture.vector == 14)
        #expect(fixture.state.pointee.cr2 == 0x1234_5000)
        #expect(fixture.state.r64(4) == Fixture.innerStack - 48)
        #expect(fixture.stack(6) == [6, Fixture.code, 0x33, 0x10002, Fixture.stack, 0x2b])
        #expect(fixture.state.pointee.segments[2].selector == 0)
        #expect(fixture.state.pointee.segments[2].rights.contains(.unusable))
        #expect(fixture.state.pointee.privilege == 0)
    }

    @Test("an interrupt stack of the TSS is used whatever the CPL (§7.14.5)")
    func interruptStack() {
        let fixture = Fixture()
        fixture.enterLong()
        fixture.setLongGate(2, Fixture.gate(Fixture.kernelCode, Fixture.handler(2), access: 0x8e, low: 1))
        fixture.door.script.events = .nonMaskable
        #expect(fixture.processor.takeEvents() == .look)
        #expect(fixture.vector == 2)
        #expect(fixture.state.r64(4) == Fixture.interruptStack - 40)
        #expect(fixture.state.pointee.segments[2].selector == 0x10)
        #expect(fixture.state.pointee.nmiBlocked)
    }

    @Test(
        "a trap gate leaves IF, an interrupt gate clears it",
        arguments: [(0x8f, true), (0x8e, false)] as [(UInt64, Bool)])
    func gates(access: UInt64, isOn: Bool) {
        let fixture = Fixture()
        fixture.enterLong()
        fixture.state.pointee.rflags |= RFlags.interrupt
        fixture.setLongGate(6, Fixture.gate(Fixture.kernelCode, Fixture.handler(6), access: access))
        fixture.deliver(.invalidOpcode)
        #expect((fixture.state.pointee.rflags & RFlags.interrupt != 0) == isOn)
    }

    @Test("protected mode pushes 32 bits, and a 16-bit gate 16")
    func protectedFrame() {
        let fixture = Fixture()
        fixture.enterProtected()
        fixture.deliver(Fault(.generalProtection, code: 0x18))
        #expect(fixture.vector == 13)
        #expect(fixture.stack(4, bytes: 4) == [0x18, Fixture.code, 0x18, 0x10002])
        let narrow = Fixture()
        narrow.enterProtected()
        narrow.ram[Fixture.idt + 13 * 8] = Fixture.gate(Fixture.kernelCode32, 0x6000, access: 0x86)
        narrow.deliver(Fault(.generalProtection, code: 0x18))
        #expect(narrow.state.pointee.rip == 0x6000)
        #expect(narrow.stack(4, bytes: 2) == [0x18, Fixture.code, 0x18, 2])
    }

    @Test("from CPL 3 protected mode pushes the outer stack too")
    func protectedInwards() {
        let fixture = Fixture()
        fixture.enterProtected(privilege: 3)
        fixture.deliver(Fault(.generalProtection))
        #expect(fixture.state.r64(4) == Fixture.innerStack - 24)
        #expect(fixture.stack(6, bytes: 4) == [0, Fixture.code, 0x23, 0x10002, Fixture.stack, 0x2b])
        #expect(fixture.state.pointee.segments[2].selector == Fixture.kernelData)
    }

    @Test("virtual-8086 mode pushes its data segments as well and leaves them null")
    func fromVirtual8086() {
        let fixture = Fixture()
        fixture.enterProtected()
        fixture.state.pointee.rflags |= RFlags.virtual8086 | RFlags.ioPrivilege
        fixture.processor.enterVirtual8086([0x100, 0x200, 0x300, 0x400, 0x500, 0x600], 0x77, 0x88)
        fixture.deliver(Fault(.generalProtection))
        #expect(fixture.vector == 13)
        #expect(
            fixture.stack(10, bytes: 4) == [0, 0x77, 0x200, 0x33002, 0x88, 0x300, 0x100, 0x400, 0x500, 0x600])
        #expect(fixture.state.pointee.segments[3].rights.contains(.unusable))
        #expect(fixture.state.pointee.privilege == 0)
    }

    @Test("real mode goes through the vector table with 16-bit pushes")
    func real() {
        let fixture = Fixture()
        fixture.enterReal()
        fixture.ram[word: 0x21 * 4] = 0x1234_5678
        fixture.state.pointee.rflags = 0x202
        #expect(fixture.processor.softwareInterrupt(0x21, next: 0x5002) == .look)
        #expect(fixture.state.pointee.segments[1].base == 0x12340)
        #expect(fixture.state.pointee.rip == 0x5678)
        #expect(fixture.stack(3, bytes: 2) == [0x5002, 0, 0x202])
        #expect(fixture.state.pointee.rflags == 2)
    }

    @Test(
        "what is wrong with a gate is an exception with the gate's index (§7.13)",
        arguments: [
            // Not present, of no type of gate, without privilege, a 16-bit one in long mode.
            (0x0e, 0x20 * 8 + 2, 11), (0x8c, 0x20 * 8 + 2, 13), (0x8e, 0x20 * 8 + 2, 13), (0x86, 0x20 * 8 + 2, 13),
        ] as [(UInt64, UInt64, UInt64)])
    func badGates(access: UInt64, code: UInt64, vector: UInt64) {
        let fixture = Fixture()
        fixture.enterLong(privilege: access == 0x8e ? 3 : 0)
        fixture.setLongGate(0x20, Fixture.gate(Fixture.kernelCode, Fixture.handler(0x20), access: access))
        #expect(fixture.processor.softwareInterrupt(0x20, next: 0x5002) == .look)
        #expect(fixture.vector == vector)
        #expect(fixture.stack(2) == [code, Fixture.code])
    }

    @Test("the error code of a fault in an external interrupt's delivery has EXT")
    func external() {
        let fixture = Fixture()
        fixture.enterLong()
        fixture.setLongGate(0x20, 0)
        fixture.state.pointee.rflags |= RFlags.interrupt
        fixture.door.script.events = .maskable
        #expect(fixture.processor.takeEvents() == .look)
        #expect(fixture.vector == 13)
        #expect(fixture.stack(1) == [0x20 * 8 + 2 + 1])
    }

    @Test(
        "exceptions in the delivery of exceptions (table 7-5)",
        arguments: [
            (Fault(.generalProtection), 8), (Fault(.divideError), 8), (Fault(.pageFault), 8),
            (Fault(.invalidOpcode), 13),
            (Fault(.debug), 13), (Fault(.alignmentCheck), 13),
        ] as [(Fault, UInt64)])
    func doubleFaults(first: Fault, vector: UInt64) {
        let fixture = Fixture()
        fixture.enterLong()
        fixture.setLongGate(UInt64(first.vector.rawValue), 0)
        fixture.deliver(first)
        // #GP's own gate is missing too where it is what came first.
        #expect(fixture.vector == vector)
        #expect(fixture.stack(2)[1] == Fixture.code)
    }

    @Test("without a handler for the double fault the processor shuts down, and the machine is to reset")
    func tripleFault() {
        let fixture = Fixture()
        fixture.enterLong()
        fixture.state.pointee.idtr = TableRegister(base: Fixture.idt, limit: 0)
        #expect(fixture.deliver(.generalProtection) == .leave)
        #expect(fixture.processor.leaving == .request(.reset))
        #expect(fixture.state.pointee.activity == .shutdown)
        #expect(fixture.processor.takeEvents() == .leave)
    }

    @Test("a fault in delivery leaves the stack pointer and the privilege as they were")
    func restarts() {
        let fixture = Fixture()
        fixture.enterLong(privilege: 3)
        // No page: the first push to the inner stack faults, then the double fault's.
        fixture.ram[Fixture.tss + 4] = 0x1_0000_0000
        fixture.deliver(.generalProtection)
        #expect(fixture.state.pointee.activity == .shutdown)
        #expect(fixture.state.pointee.privilege == 3)
        #expect(fixture.state.r64(4) == Fixture.stack)
        #expect(fixture.state.pointee.cr2 == 0x1_0000_0000 - 8)
    }
}

@Suite("Events between instructions (Intel SDM Vol 3A §7.8, §7.9)")
struct EventTests {
    typealias Fixture = ProcessorFixture

    @Test(
        "a maskable interrupt waits for IF and the end of a shadow",
        arguments: [
            (0, InterruptShadow(), nil), (RFlags.interrupt, [], 0x20), (RFlags.interrupt, .sti, nil),
            (RFlags.interrupt, .movSS, nil),
        ] as [(UInt64, InterruptShadow, UInt64?)])
    func maskable(flags: UInt64, shadow: InterruptShadow, vector: UInt64?) {
        let fixture = Fixture()
        fixture.enterLong()
        fixture.state.pointee.rflags |= flags
        fixture.state.pointee.shadow = shadow
        fixture.door.script.events = .maskable
        _ = fixture.processor.takeEvents()
        #expect(fixture.vector == vector)
    }

    @Test("a second NMI waits for IRET")
    func nonMaskable() {
        let fixture = Fixture()
        fixture.enterLong()
        fixture.door.script.events = .nonMaskable
        _ = fixture.processor.takeEvents()
        fixture.door.script.events = .nonMaskable
        let rip = fixture.state.pointee.rip
        #expect(fixture.processor.takeEvents() == .next)
        #expect(fixture.state.pointee.rip == rip)
        #expect(fixture.processor.interruptReturn(bytes: 8) == .look)
        #expect(fixture.state.pointee.rip == Fixture.code)
        #expect(fixture.processor.takeEvents() == .look)
        #expect(fixture.vector == 2)
    }

    @Test("a halted processor sleeps until an interrupt that it takes")
    func halted() {
        let fixture = Fixture()
        fixture.enterLong()
        fixture.state.pointee.activity = .halted
        #expect(fixture.processor.takeEvents() == .leave)
        #expect(fixture.processor.leaving == .halt)
        fixture.door.script.events = .maskable
        #expect(fixture.processor.takeEvents() == .leave)
        fixture.state.pointee.rflags |= RFlags.interrupt
        #expect(fixture.processor.takeEvents() == .look)
        #expect(fixture.state.pointee.activity == .running)
        #expect(fixture.vector == 0x20)
    }

    @Test("an application processor begins at its start-up message's page (§10.4.4)")
    func startUp() {
        let fixture = Fixture(id: 1)
        #expect(fixture.state.pointee.activity == .waitForStartup)
        #expect(fixture.processor.takeEvents() == .leave)
        fixture.door.script.events = .startUp
        fixture.door.script.startUpVector = 0x9a
        #expect(fixture.processor.takeEvents() == .look)
        #expect(fixture.state.pointee.segments[1].selector == 0x9a00)
        #expect(fixture.state.pointee.segments[1].base == 0x9a000)
        #expect(fixture.state.pointee.rip == 0)
        // Another one does nothing.
        fixture.door.script.events = .startUp
        fixture.state.pointee.rip = 7
        #expect(fixture.processor.takeEvents() == .next)
        #expect(fixture.state.pointee.rip == 7)
    }

    @Test("INIT brings an application processor back to waiting")
    func initialize() {
        let fixture = Fixture(id: 1)
        fixture.enterLong()
        fixture.state.pointee.activity = .running
        fixture.state.pointee.apicBase = 0xfee0_0800
        fixture.door.script.events = .initialize
        #expect(fixture.processor.takeEvents() == .look)
        #expect(fixture.state.pointee.activity == .waitForStartup)
        #expect(fixture.state.pointee.cr0 & CR0.pg == 0)
        #expect(fixture.state.pointee.efer == 0)
    }

    @Test("a start-up message that waits behind INIT is not lost")
    func startUpBehindInitialize() {
        let fixture = Fixture(id: 1)
        fixture.ram[0x9000] = 0xf4  // hlt
        fixture.state.pointee.apicBase = 0xfee0_0800
        fixture.door.script.events = [.initialize, .startUp]
        fixture.door.script.startUpVector = 9
        #expect(fixture.processor.interpret() == .halt)
        #expect(fixture.state.pointee.activity == .halted)
        #expect(fixture.state.pointee.segments[1].base == 0x9000)
        #expect(fixture.state.pointee.rip == 1)
    }

    @Test("an interrupt that another engine began is delivered first")
    func injected() {
        let fixture = Fixture()
        fixture.enterLong()
        fixture.state.pointee.injected.kind = .exception
        fixture.state.pointee.injected.vector = 13
        fixture.state.pointee.injected.hasErrorCode = true
        fixture.state.pointee.injected.errorCode = 0x50
        #expect(fixture.processor.takeEvents() == .look)
        #expect(fixture.vector == 13)
        #expect(fixture.stack(1) == [0x50])
    }
}

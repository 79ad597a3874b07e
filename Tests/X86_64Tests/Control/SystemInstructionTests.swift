// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Testing

@testable import X86_64

@Suite("System instructions in programs")
struct SystemInstructionTests {
    typealias Fixture = ProcessorFixture

    @Test(
        "privileged instructions are #GP(0) at CPL 3 (Intel SDM Vol 3A §6.9)",
        arguments: [
            [0xf4], [0x0f, 0x06], [0x0f, 0x08], [0x0f, 0x09], [0x0f, 0x20, 0xc0], [0x0f, 0x22, 0xc0],
            [0x0f, 0x21, 0xc0],
            [0x0f, 0x23, 0xc0], [0x0f, 0x30], [0x0f, 0x32], [0x0f, 0x01, 0x14, 0x25, 0, 0x60, 0, 0],
            [0x0f, 0x01, 0x1c, 0x25, 0, 0x60, 0, 0], [0x0f, 0x00, 0xd0], [0x0f, 0x00, 0xd8], [0x0f, 0x01, 0xf0],
            [0x0f, 0x01, 0x3c, 0x25, 0, 0x60, 0, 0], [0x0f, 0x01, 0xf8], [0xfa], [0xfb], [0xe4, 0x80], [0xe6, 0x80],
            [0xec],
            [0x0f, 0x07],
        ] as [[UInt8]])
    func privileged(bytes: [UInt8]) {
        let fixture = Fixture()
        fixture.enterLong(privilege: 3)
        #expect(fixture.run(bytes) == .halt)
        #expect(fixture.stopVector == 13)
        #expect(fixture.stack(2) == [0, Fixture.code])
    }

    @Test(
        "what is not offered, or not there in the mode, is #UD",
        arguments: [
            ("max", [0x0f, 0x0b]), ("max", [0x0f, 0x20, 0xc8]), ("max", [0x0f, 0x22, 0xe8]),
            ("max,-rdtscp", [0x0f, 0x01, 0xf9]),
            ("max,-fsgsbase", [0xf3, 0x48, 0x0f, 0xae, 0xc0]), ("max", [0xf3, 0x48, 0x0f, 0xae, 0xc0]),
            ("max", [0x0f, 0x01, 0xd0]), ("max", [0x0f, 0x01, 0xee]), ("max", [0x0f, 0xaa]),
            ("max", [0x0f, 0x01, 0xc8]),
            ("max,-invpcid", [0x66, 0x0f, 0x38, 0x82, 0x00]), ("max,-smap", [0x0f, 0x01, 0xcb]),
            ("max,-syscall", [0x0f, 0x05]),
            ("max", [0x0f, 0x34]), ("max", [0x8e, 0xc8]), ("max", [0x8e, 0xf0]),
        ] as [(String, [UInt8])])
    func undefined(model: String, bytes: [UInt8]) throws {
        let fixture = Fixture(try CPUModel(parsing: model))
        fixture.enterLong()
        #expect(fixture.run(bytes) == .halt)
        #expect(fixture.stopVector == 6)
        #expect(fixture.stack(1) == [Fixture.code])
    }

    @Test("UMIP hides the tables from user code, and from it alone")
    func umip() {
        let bytes: [UInt8] = [0x0f, 0x01, 0x04, 0x25, 0, 0x60, 0, 0]
        let user = Fixture()
        user.enterLong(privilege: 3)
        user.state.pointee.cr4 |= CR4.umip
        user.run(bytes)
        #expect(user.stopVector == 13)
        let kernel = Fixture()
        kernel.enterLong()
        kernel.state.pointee.cr4 |= CR4.umip
        kernel.run(bytes)
        #expect(kernel.stopVector == nil)
        #expect(kernel.ram[0x6000] & 0xffff == 0xfff)
        #expect(kernel.ram[0x6002] == Fixture.gdt)
    }

    @Test("MOV to and from control registers, CR8 through the door")
    func control() {
        let fixture = Fixture()
        fixture.enterLong()
        // mov eax, 9; mov cr8, rax; mov rbx, cr8; mov rcx, cr0; mov rdx, cr3
        fixture.run([
            0xb8, 9, 0, 0, 0, 0x44, 0x0f, 0x22, 0xc0, 0x44, 0x0f, 0x20, 0xc3, 0x0f, 0x20, 0xc1, 0x0f, 0x20, 0xda,
        ])
        #expect(fixture.door.script.priority == 9)
        #expect(fixture.state.r64(3) == 9)
        #expect(fixture.state.r64(1) == fixture.state.pointee.cr0)
        #expect(fixture.state.r64(2) == Fixture.tables)
    }

    @Test("SYSCALL and SYSRET change rings by MSRs alone")
    func fastCalls() {
        let fixture = Fixture(.baseline)
        fixture.enterLong(privilege: 3)
        fixture.state.pointee.star = 0x0023_0008 << 32
        fixture.state.pointee.lstar = 0x6000
        fixture.state.pointee.syscallMask = RFlags.interrupt | RFlags.direction
        fixture.state.pointee.rflags |= RFlags.interrupt | RFlags.carry
        // At 6000H: mov rbx, rcx; mov rdx, r11; sysretq.
        fixture.ram.put([0x48, 0x89, 0xcb, 0x4c, 0x89, 0xda, 0x48, 0x0f, 0x07], at: 0x6000)
        fixture.run([0x0f, 0x05])
        // The HLT behind the call is privileged.
        #expect(fixture.stopVector == 13)
        #expect(fixture.stack(6) == [0, Fixture.code + 2, 0x33, 0x10203, Fixture.stack, 0x2b])
        #expect(fixture.state.r64(3) == Fixture.code + 2)
        #expect(fixture.state.r64(2) == 0x203)
    }

    @Test(
        "SYSRET to an address that is not canonical: #GP in ring 0 on Intel's, in ring 3 on AMD's",
        arguments: [
            (ProcessorVendor.intel, 0x08), (.amd, 0x33),
        ] as [(ProcessorVendor, UInt64)])
    func sysretFault(vendor: ProcessorVendor, cs: UInt64) {
        var model = CPUModel.maximum
        model.vendor = vendor
        let fixture = Fixture(model)
        fixture.enterLong()
        fixture.state.pointee.star = 0x0023_0008 << 32
        fixture.state.setR64(1, 0x8000_0000_0000)
        fixture.run([0x48, 0x0f, 0x07])
        #expect(fixture.stopVector == 13)
        #expect(fixture.stack(3)[2] & 0x3b == cs)
    }

    @Test("STI lets one more instruction pass before an interrupt")
    func shadow() {
        let fixture = Fixture()
        fixture.enterLong()
        fixture.door.script.events = .maskable
        // sti; inc eax; inc eax
        fixture.run([0xfb, 0xff, 0xc0, 0xff, 0xc0])
        #expect(fixture.stopVector == 0x20)
        #expect(fixture.state.r64(0) == 1)
        #expect(fixture.stack(1) == [Fixture.code + 3])
    }

    @Test("TF traps behind each instruction with DR6.BS")
    func singleStep() {
        let fixture = Fixture()
        fixture.enterLong()
        fixture.state.pointee.rflags |= RFlags.trap
        fixture.run([0xff, 0xc0, 0xff, 0xc0])
        #expect(fixture.stopVector == 1)
        #expect(fixture.state.r64(0) == 1)
        #expect(fixture.stack(3) == [Fixture.code + 2, 8, 0x102])
        #expect(fixture.state.pointee.dr6 == 0xffff_4ff0)
    }

    @Test("an instruction breakpoint is a fault before its instruction, and RF passes it once")
    func breakpoint() {
        let fixture = Fixture()
        fixture.enterLong()
        fixture.state.pointee.debugAddresses[2] = Fixture.code + 2
        fixture.state.pointee.dr7 = 0x410
        fixture.run([0xff, 0xc0, 0xff, 0xc0])
        #expect(fixture.stopVector == 1)
        #expect(fixture.state.r64(0) == 1)
        #expect(fixture.stack(1) == [Fixture.code + 2])
        #expect(fixture.stack(3)[2] & RFlags.resume == 0)
        #expect(fixture.state.pointee.dr6 & 0xf == 4)
        // The handler sets RF in the flags that it returns with.
        fixture.ram[fixture.state.r64(4) + 16] |= RFlags.resume
        fixture.ram.put([0x48, 0xcf], at: Fixture.handler(1))
        fixture.processor.flushCode()
        fixture.state.pointee.rip = Fixture.handler(1)
        fixture.state.pointee.activity = .running
        fixture.processor.stateChanged()
        #expect(Interpreter().run(fixture.processor) == .halt)
        #expect(fixture.state.r64(0) == 2)
        #expect(fixture.stopVector == nil)
    }

    @Test("a data breakpoint traps behind the access")
    func watchpoint() {
        let fixture = Fixture()
        fixture.enterLong()
        fixture.state.pointee.debugAddresses[0] = 0x6004
        // Writes of 4 bytes.
        fixture.state.pointee.dr7 = 0x400 | 1 | 0xd << 16
        // mov [6000H], eax; mov [6004H], eax; inc eax
        fixture.run([0x89, 0x04, 0x25, 0, 0x60, 0, 0, 0x89, 0x04, 0x25, 4, 0x60, 0, 0, 0xff, 0xc0])
        #expect(fixture.stopVector == 1)
        #expect(fixture.stack(1) == [Fixture.code + 14])
        #expect(fixture.state.pointee.dr6 & 0xf == 1)
    }

    @Test("with DR7.GD a MOV of a debug register is #DB, which clears it")
    func generalDetect() {
        let fixture = Fixture()
        fixture.enterLong()
        fixture.state.pointee.dr7 = 0x2400
        fixture.run([0x0f, 0x21, 0xc0])
        #expect(fixture.stopVector == 1)
        #expect(fixture.stack(1) == [Fixture.code])
        #expect(fixture.state.pointee.dr6 & 1 << 13 != 0)
        #expect(fixture.state.pointee.dr7 == 0x400)
    }

    @Test(
        "LAR, LSL, VERR and VERW answer by ZF",
        arguments: [
            ([0x0f, 0x02, 0xc1], 0x10, 0x00cf_9300), ([0x0f, 0x03, 0xc1], 0x10, 0xffff_ffff),
            ([0x0f, 0x03, 0xc1], 0x40, 0x67),
            ([0x0f, 0x02, 0xc1], 0x2000, nil), ([0x0f, 0x02, 0xc1], 0, nil), ([0x0f, 0x00, 0xe1], 0x10, 0),
            ([0x0f, 0x00, 0xe9], 0x08, nil),
            ([0x0f, 0x00, 0xe9], 0x10, 0),
        ] as [([UInt8], UInt64, UInt64?)])
    func selectorTests(bytes: [UInt8], selector: UInt64, value: UInt64?) {
        let fixture = Fixture()
        fixture.enterLong()
        fixture.state.setR64(1, selector)
        fixture.run(bytes)
        #expect(fixture.stopVector == nil)
        #expect((fixture.state.pointee.rflags & RFlags.zero != 0) == (value != nil))
        #expect(value == nil || fixture.state.r64(0) == value)
    }

    @Test("ports at CPL 3 go by the bitmap in the TSS", arguments: [(0x80, nil), (0x81, 13)] as [(UInt8, UInt64?)])
    func ports(port: UInt8, vector: UInt64?) {
        let fixture = Fixture()
        fixture.enterLong(privilege: 3)
        fixture.state.pointee.tr.limit = 0xff
        fixture.ram[half: Fixture.tss + 0x66] = 0x68
        fixture.ram[Fixture.tss + 0x68 + 0x10] = 0b10
        // in al, port; then HLT is #GP as well, behind it.
        fixture.run([0xe4, port])
        #expect(fixture.stack(2)[1] == Fixture.code + (vector == nil ? 2 : 0))
        #expect(fixture.door.script.reads.isEmpty == (vector != nil))
    }

    @Test("REP OUTSB writes each byte to the port, REP INSW reads to memory")
    func stringPorts() {
        let fixture = Fixture()
        fixture.enterLong()
        fixture.ram.put([1, 2, 3], at: 0x6000)
        fixture.state.setR64(6, 0x6000)
        fixture.state.setR64(1, 3)
        fixture.state.setR64(2, 0x3f8)
        fixture.run([0xf3, 0x6e])
        #expect(fixture.door.script.writes == [[0x3f8, 1, 1], [0x3f8, 1, 2], [0x3f8, 1, 3]])
        #expect(fixture.state.r64(1) == 0)
        #expect(fixture.state.r64(6) == 0x6003)
        let input = Fixture()
        input.enterLong()
        input.state.setR64(7, 0x6000)
        input.state.setR64(1, 2)
        input.state.setR64(2, 0x1f0)
        input.run([0xf3, 0x66, 0x6d])
        #expect(input.ram[0x6000] == 0x3344_3344)
        #expect(input.state.r64(7) == 0x6004)
    }

    @Test("a page fault in a program has its address in CR2 and goes on after the page is mapped")
    func pageFault() {
        let fixture = Fixture()
        fixture.enterLong()
        // mov eax, [40_0000H]
        fixture.run([0x8b, 0x04, 0x25, 0, 0, 0x40, 0])
        #expect(fixture.stopVector == 14)
        #expect(fixture.state.pointee.cr2 == 0x40_0000)
        #expect(fixture.stack(2) == [0, Fixture.code])
        fixture.ram[Fixture.tables + 0x2010] = 0x87
        fixture.ram.put([0x48, 0x83, 0xc4, 8, 0x48, 0xcf], at: Fixture.handler(14))
        fixture.processor.flushCode()
        fixture.state.pointee.rip = Fixture.handler(14)
        fixture.state.pointee.activity = .running
        fixture.processor.stateChanged()
        #expect(Interpreter().run(fixture.processor) == .halt)
        #expect(fixture.stopVector == nil)
    }

    @Test("INVLPG makes a changed entry count")
    func invalidate() {
        let fixture = Fixture()
        fixture.enterLong()
        fixture.ram[Fixture.tables + 0x2010] = 0x87
        fixture.ram[0x9000] = 0x77
        // mov eax, [409000H]; mov qword [102010H], 200087H; invlpg [409000H]; mov ebx, [409000H]
        fixture.run([
            0x8b, 0x04, 0x25, 0, 0x90, 0x40, 0, 0x48, 0xc7, 0x04, 0x25, 0x10, 0x20, 0x10, 0, 0x87, 0, 0x20, 0,
            0x0f, 0x01, 0x3c, 0x25, 0, 0x90, 0x40, 0, 0x8b, 0x1c, 0x25, 0, 0x90, 0x40, 0,
        ])
        #expect(fixture.stopVector == nil)
        #expect(fixture.state.r64(0) == 0x77)
        #expect(fixture.state.r64(3) == 0)
    }

    @Test("SWAPGS, WRFSBASE and RDGSBASE")
    func bases() {
        let fixture = Fixture()
        fixture.enterLong()
        fixture.state.pointee.cr4 |= CR4.fsgsbase
        fixture.state.pointee.kernelGSBase = 0x1234
        fixture.state.setR64(0, 0x7777)
        // swapgs; rdgsbase rcx; wrfsbase rax
        fixture.run([0x0f, 0x01, 0xf8, 0xf3, 0x48, 0x0f, 0xae, 0xc9, 0xf3, 0x48, 0x0f, 0xae, 0xd0])
        #expect(fixture.state.r64(1) == 0x1234)
        #expect(fixture.state.pointee.segments[4].base == 0x7777)
    }

    @Test("from real mode to 64-bit mode as boot code goes there")
    func modes() {
        let fixture = Fixture()
        fixture.enterLong()
        // Long mode's tables are there; begin again in real mode.
        fixture.state.pointee.cr0 = CR0.et
        fixture.state.pointee.cr3 = 0
        fixture.state.pointee.cr4 = 0
        fixture.state.pointee.efer = 0
        fixture.enterReal()
        let code: [UInt8] = [
            0x0f, 0x20, 0xe0, 0x66, 0x83, 0xc8, 0x20, 0x0f, 0x22, 0xe0,  // mov eax, cr4; or eax, 20H; mov cr4, eax
            0x66, 0xb8, 0x00, 0x00, 0x10, 0x00, 0x0f, 0x22, 0xd8,  // mov eax, 100000H; mov cr3, eax
            0x66, 0xb9, 0x80, 0x00, 0x00, 0xc0, 0x0f, 0x32, 0x66, 0x0d, 0x00, 0x01, 0x00, 0x00, 0x0f, 0x30,  // EFER.LME
            0x0f, 0x20, 0xc0, 0x66, 0x0d, 0x01, 0x00, 0x00, 0x80, 0x0f, 0x22, 0xc0,  // CR0.PE and PG
            0xea, 0x00, 0x60, 0x08, 0x00,  // jmp 0008:6000
        ]
        // mov rax, 123456789abcdef0H; hlt
        fixture.ram.put([0x48, 0xb8, 0xf0, 0xde, 0xbc, 0x9a, 0x78, 0x56, 0x34, 0x12, 0xf4], at: 0x6000)
        #expect(fixture.run(code) == .halt)
        #expect(fixture.state.r64(0) == 0x1234_5678_9abc_def0)
        #expect(fixture.state.pointee.is64Bit)
    }

    @Test(
        "alignment checks at CPL 3 with CR0.AM and AC",
        arguments: [(RFlags.alignmentCheck, 17), (0, 13)] as [(UInt64, UInt64)])
    func alignment(flags: UInt64, vector: UInt64) {
        let fixture = Fixture()
        fixture.enterLong(privilege: 3)
        fixture.state.pointee.cr0 |= CR0.am
        fixture.state.pointee.rflags |= flags
        fixture.run([0x8b, 0x04, 0x25, 1, 0x60, 0, 0])
        #expect(fixture.stopVector == vector)
    }
}

// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import X86_64

@Suite("Control registers (Intel SDM Vol 2B \"MOV—Move to/from Control Registers\", Vol 3A §2.5)")
struct ControlRegisterTests {
    typealias Fixture = ProcessorFixture

    @Test(
        "CR0 refuses what cannot be",
        arguments: [
            (CR0.pg, false), (CR0.pe | CR0.nw, false), (CR0.pe | CR0.nw | CR0.cd, true), (CR0.pe | 1 << 32, false),
            (CR0.pe | 1 << 6, true), (CR0.pe | CR0.pg, true), (0, true),
        ] as [(UInt64, Bool)])
    func cr0(value: UInt64, allowed: Bool) {
        let fixture = Fixture()
        fixture.enterProtected()
        #expect(fixture.processor.setCR0(value) == allowed)
        #expect(!allowed || fixture.state.pointee.cr0 == value & CR0.defined | CR0.et)
        #expect(allowed || fixture.processor.fault == .generalProtection)
    }

    @Test("paging with EFER.LME begins long mode, and its end ends it")
    func longMode() {
        let fixture = Fixture()
        fixture.enterProtected()
        fixture.state.pointee.efer = EFER.lme
        #expect(!fixture.processor.setCR0(CR0.pe | CR0.pg))
        fixture.state.pointee.cr4 = CR4.pae
        #expect(fixture.processor.setCR0(CR0.pe | CR0.pg))
        #expect(fixture.state.pointee.efer == EFER.lme | EFER.lma)
        #expect(!fixture.processor.writeModelSpecific(MSR.efer, 0))
        #expect(fixture.processor.setCR0(CR0.pe))
        #expect(fixture.state.pointee.efer == EFER.lme)
    }

    @Test("paging cannot end in 64-bit mode, nor PAE in long mode")
    func stays() {
        let fixture = Fixture()
        fixture.enterLong()
        #expect(!fixture.processor.setCR0(CR0.pe))
        #expect(!fixture.processor.setCR4(0))
        #expect(!fixture.processor.setCR4(CR4.pae | CR4.la57))
        #expect(fixture.processor.setCR4(CR4.pae | CR4.pge))
    }

    @Test(
        "a bit of CR4 whose feature the model lacks is reserved",
        arguments: [
            ("max", CR4.smep, true), ("max,-smep", CR4.smep, false), ("max,-umip", CR4.umip, false),
            ("max,-pku", CR4.pke, false), ("qemu64", CR4.osxsave, false), ("qemu64", CR4.osfxsr, true),
            ("max", 1 << 13, false), ("max", 1 << 15, false), ("max,-fsgsbase", CR4.fsgsbase, false),
        ] as [(String, UInt64, Bool)])
    func cr4(model: String, bit: UInt64, allowed: Bool) throws {
        let fixture = Fixture(try CPUModel(parsing: model))
        fixture.enterLong()
        #expect(fixture.processor.setCR4(CR4.pae | bit) == allowed)
    }

    @Test("PCIDs can be turned on in long mode with identifier 0 alone")
    func contexts() {
        let fixture = Fixture()
        fixture.enterLong()
        fixture.state.pointee.cr3 |= 1
        #expect(!fixture.processor.setCR4(CR4.pae | CR4.pcide))
        fixture.state.pointee.cr3 &= ~1
        #expect(fixture.processor.setCR4(CR4.pae | CR4.pcide))
        #expect(fixture.processor.setCR3(1 << 63 | Fixture.tables | 5))
        #expect(fixture.state.pointee.cr3 == Fixture.tables | 5)
    }

    @Test(
        "CR3's bits above the physical address are reserved in long mode",
        arguments: [(1 << 40, false), (1 << 63, false), (0x10_0000, true)] as [(UInt64, Bool)])
    func cr3(value: UInt64, allowed: Bool) {
        let fixture = Fixture()
        fixture.enterLong()
        #expect(fixture.processor.setCR3(value) == allowed)
    }

    @Test(
        "a load of CR3 in PAE paging checks the four pointers on Intel's processors",
        arguments: [
            (ProcessorVendor.intel, false), (.amd, true),
        ])
    func pointers(vendor: ProcessorVendor, allowed: Bool) {
        var model = CPUModel.maximum
        model.vendor = vendor
        let fixture = Fixture(model)
        fixture.enterProtected()
        fixture.state.pointee.cr4 = CR4.pae
        fixture.state.pointee.cr0 |= CR0.pg
        fixture.ram[0x6000 + 8] = 3
        #expect(fixture.processor.setCR3(0x6000) == allowed)
    }
}

@Suite("Model-specific registers (Intel SDM Vol 4)")
struct ModelSpecificTests {
    typealias Fixture = ProcessorFixture

    @Test(
        "what is written is read back",
        arguments: [
            (MSR.star, 0x0023_0010_0000_0000), (MSR.longStar, 0xffff_8000_0000_1234), (MSR.flagMask, 0x4_7700),
            (MSR.fsBase, 0x7fff_1234_5678), (MSR.gsBase, 0xffff_8000_0000_0000), (MSR.kernelGSBase, 1),
            (MSR.timeStampAux, 0xffff_ffff), (MSR.pageAttributes, 0x0407_0500_0106_0406), (MSR.sysenterCS, 0x10),
            (MSR.sysenterESP, 0xffff_8000_0000_0000), (MSR.defaultMemoryType, 0xc06), (0x250, 0x0606_0606_0606_0606),
            (0x26f, 0), (0x200, 0xc000_0006), (0x201, 0xff_c000_0800), (0x400, .max), (MSR.speculationControl, 1),
            (MSR.protectionKeys, 0x1234), (MSR.apicBase, 0xfee0_0900), (0x808, 0x20),
        ] as [(UInt32, UInt64)])
    func readBack(number: UInt32, value: UInt64) {
        let fixture = Fixture()
        fixture.enterLong()
        #expect(fixture.processor.writeModelSpecific(number, value))
        #expect(fixture.processor.readModelSpecific(number) == value)
    }

    @Test(
        "what cannot be written is #GP and changes nothing",
        arguments: [
            (MSR.longStar, 0x8000_0000_0000), (MSR.fsBase, 1 << 62), (MSR.timeStampAux, 1 << 32),
            (MSR.pageAttributes, 2),
            (MSR.pageAttributes, 0x08), (MSR.defaultMemoryType, 0x02), (MSR.defaultMemoryType, 1 << 12), (0x250, 0x02),
            (0x200, 1 << 40), (0x200, 7), (0x400, 1), (0x401, 1), (MSR.efer, 1 << 1), (MSR.efer, EFER.nxe),
            (MSR.memoryTypeCapabilities, 0), (MSR.speculationControl, 8), (0xdead_beef, 0), (MSR.performanceStatus, 0),
            (MSR.extendedState, 1), (0x80f, 0),
        ] as [(UInt32, UInt64)])
    func refused(number: UInt32, value: UInt64) {
        let fixture = Fixture()
        fixture.enterLong()
        let before = fixture.processor.readModelSpecific(number)
        #expect(!fixture.processor.writeModelSpecific(number, value))
        #expect(fixture.processor.readModelSpecific(number) == before)
    }

    @Test(
        "a register whose feature the model lacks is not there",
        arguments: [
            ("qemu64", MSR.timeStampAdjust), ("max,-mtrr", 0xfe), ("max,-rdtscp,-rdpid", MSR.timeStampAux),
            ("max,-arch-capabilities", MSR.architecturalCapabilities), ("qemu32", MSR.longStar),
            ("max,-pks", MSR.protectionKeys),
            ("max", MSR.platformID), ("baseline", MSR.hardwareConfiguration),
        ] as [(String, UInt32)])
    func absent(model: String, number: UInt32) throws {
        let fixture = Fixture(try CPUModel(parsing: model))
        #expect(fixture.processor.readModelSpecific(number) == nil)
        #expect(!fixture.processor.writeModelSpecific(number, 0))
    }

    @Test(
        "EFER takes the bits that the model has",
        arguments: [
            ("max", EFER.nxe, true), ("max,-nx", EFER.nxe, false), ("max,-syscall", EFER.sce, false),
            ("max,-fxsr-opt", EFER.ffxsr, false),
        ] as [(String, UInt64, Bool)])
    func efer(model: String, bit: UInt64, allowed: Bool) throws {
        let fixture = Fixture(try CPUModel(parsing: model))
        #expect(fixture.processor.writeModelSpecific(MSR.efer, bit) == allowed)
    }

    @Test(
        "the time-stamp counter follows the clock, and what is written moves it and IA32_TSC_ADJUST alike (Vol 3B §19.17.3)"
    )
    func timeStamp() {
        let fixture = Fixture()
        fixture.door.script.nanoseconds = 1000
        #expect(fixture.processor.timeStamp == 1000)
        #expect(fixture.processor.writeModelSpecific(MSR.timeStamp, 5000))
        #expect(fixture.processor.readModelSpecific(MSR.timeStampAdjust) == 4000)
        fixture.door.script.nanoseconds = 1500
        #expect(fixture.processor.timeStamp == 5500)
        #expect(fixture.processor.writeModelSpecific(MSR.timeStampAdjust, 0))
        #expect(fixture.processor.timeStamp == 1500)
        #expect(fixture.door.script.timeStampOffset == 0)
    }
}

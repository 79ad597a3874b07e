// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import X86_64

@Suite("Registers of features: XCR0, PKRU, INVPCID, SYSENTER")
struct FeatureRegisterTests {
    typealias Fixture = ProcessorFixture

    @Test(
        "XSETBV takes what the model has and nothing inconsistent (Intel SDM Vol 2C \"XSETBV\")",
        arguments: [
            ("max", 0, 7, nil), ("max", 0, 0x207, nil), ("max", 0, 1, nil), ("max", 0, 5, 13), ("max", 0, 6, 13),
            ("max", 1, 7, 13), ("max,-pku", 0, 0x207, 13), ("max,-avx", 0, 7, 13), ("max", 0, 0xf, 13),
        ] as [(String, UInt64, UInt64, UInt64?)])
    func extendedControl(model: String, number: UInt64, value: UInt64, vector: UInt64?) throws {
        let fixture = Fixture(try CPUModel(parsing: model))
        fixture.enterLong()
        fixture.state.pointee.cr4 |= CR4.osxsave
        fixture.state.setR64(1, number)
        fixture.state.setR64(0, value)
        // xsetbv; xgetbv of 0
        fixture.run([0x0f, 0x01, 0xd1, 0x31, 0xc9, 0x0f, 0x01, 0xd0])
        #expect(fixture.stopVector == vector)
        #expect(fixture.state.pointee.xcr0 == (vector == nil ? value : 1))
        #expect(vector != nil || fixture.state.r64(0) == value)
    }

    @Test("WRPKRU changes what user pages allow at once")
    func keys() {
        let fixture = Fixture()
        fixture.enterLong()
        fixture.state.pointee.cr4 |= CR4.pke
        fixture.ram[Fixture.tables + 0x2008] |= 3 << 59
        fixture.state.setR64(0, 1 << 6)
        // mov ebx, [200000H]; wrpkru; mov ebx, [200000H]
        fixture.run([0x8b, 0x1c, 0x25, 0, 0, 0x20, 0, 0x0f, 0x01, 0xef, 0x8b, 0x1c, 0x25, 0, 0, 0x20, 0])
        #expect(fixture.stopVector == 14)
        #expect(fixture.stack(2) == [0x21, Fixture.code + 10])
        #expect(fixture.state.pointee.cr2 == 0x20_0000)
    }

    @Test(
        "INVPCID refuses types and descriptors that are not (Intel SDM Vol 2A \"INVPCID\")",
        arguments: [
            (0, 0, 0x1000, nil), (0, 0, 0x8000_0000_0000, 13), (0, 5, 0, 13), (1, 0x1000, 0, 13), (2, 0, 0, nil),
            (3, 0x1000, 0, nil),
            (4, 0, 0, 13),
        ] as [(UInt64, UInt64, UInt64, UInt64?)])
    func contexts(kind: UInt64, identifier: UInt64, address: UInt64, vector: UInt64?) {
        let fixture = Fixture()
        fixture.enterLong()
        fixture.ram[0x6000] = identifier
        fixture.ram[0x6008] = address
        fixture.state.setR64(0, kind)
        fixture.state.setR64(3, 0x6000)
        // invpcid rax, [rbx]
        fixture.run([0x66, 0x0f, 0x38, 0x82, 0x03])
        #expect(fixture.stopVector == vector)
    }

    @Test("SYSENTER and SYSEXIT in protected mode")
    func fastCalls() {
        let fixture = Fixture()
        fixture.enterProtected(privilege: 3)
        fixture.state.pointee.sysenterCS = 0x18
        fixture.state.pointee.sysenterESP = 0x9000
        fixture.state.pointee.sysenterEIP = 0x6000
        // At 6000H: mov edx, 7000H; mov ecx, 8000H; sysexit. At 7000H: HLT, which is privileged.
        fixture.ram.put([0xba, 0, 0x70, 0, 0, 0xb9, 0, 0x80, 0, 0, 0x0f, 0x35], at: 0x6000)
        fixture.ram.put([0xf4], at: 0x7000)
        fixture.run([0x0f, 0x34])
        #expect(fixture.stopVector == 13)
        #expect(fixture.stack(6, bytes: 4) == [0, 0x7000, 0x2b, 0x10002, 0x8000, 0x33])
    }

    @Test(
        "SYSENTER without a code segment is #GP(0), and #UD in long mode on AMD's processors",
        arguments: [
            (ProcessorVendor.intel, 13), (.amd, 6),
        ] as [(ProcessorVendor, UInt64)])
    func fastCallFaults(vendor: ProcessorVendor, vector: UInt64) {
        var model = CPUModel.maximum
        model.vendor = vendor
        let fixture = Fixture(model)
        fixture.enterLong(privilege: 3)
        fixture.run([0x0f, 0x34])
        #expect(fixture.stopVector == vector)
    }

    @Test("LMSW sets PE and never clears it (Intel SDM Vol 2A \"LMSW\")")
    func machineStatus() {
        let fixture = Fixture()
        fixture.enterProtected()
        fixture.state.setR64(0, 0xe)
        // lmsw ax; smsw ebx
        fixture.run([0x0f, 0x01, 0xf0, 0x0f, 0x01, 0xe3])
        #expect(fixture.state.pointee.cr0 & 0xf == 0xf)
        #expect(fixture.state.r64(3) == fixture.state.pointee.cr0)
    }

    @Test("CPUID of the processor follows its registers")
    func identification() {
        let fixture = Fixture(.baseline)
        fixture.enterLong()
        fixture.state.pointee.cr4 |= CR4.osxsave
        fixture.state.setR64(0, 1)
        fixture.run([0x0f, 0xa2])
        #expect(fixture.state.r64(1) & 1 << 27 != 0)
        #expect(fixture.state.r64(0) == 0x306c4)
    }

    @Test("RDTSCP gives the counter and IA32_TSC_AUX; RDTSC is #GP(0) at CPL 3 with CR4.TSD")
    func timeStamp() {
        let fixture = Fixture()
        fixture.enterLong()
        fixture.door.script.nanoseconds = 0x12_3456_789a
        fixture.state.pointee.tscAux = 7
        fixture.run([0x0f, 0x01, 0xf9])
        #expect(fixture.state.r64(0) == 0x3456_789a)
        #expect(fixture.state.r64(2) == 0x12)
        #expect(fixture.state.r64(1) == 7)
        let user = Fixture()
        user.enterLong(privilege: 3)
        user.state.pointee.cr4 |= CR4.tsd
        user.run([0x0f, 0x31])
        #expect(user.stopVector == 13)
        #expect(user.stack(2)[1] == Fixture.code)
    }
}

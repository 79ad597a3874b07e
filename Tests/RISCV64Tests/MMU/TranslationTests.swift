// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Testing

@testable import RISCV64

@Suite("Address translation")
struct TranslationTests {
    private let fixture = HartFixture()
    private var hart: Hart { fixture.hart }
    private static let data = HartFixture.data
    /// A page that each number of levels can map, apart from the code.
    private static let page: UInt64 = 0x12_3456_7000
    private typealias P = PageTables

    /// Tables with the code mapped where it is, and what `prepare` adds.
    private func translate(_ levels: Int = 3, _ prepare: (inout PageTables) -> Void) {
        var tables = PageTables(fixture, levels: levels)
        tables.map(HartFixture.base, to: HartFixture.base, P.all, level: 1)
        prepare(&tables)
        hart.setCSR(CSR.satp, tables.satp)
    }

    private func load(_ address: UInt64, privilege: Privilege = .supervisor) -> Ending {
        hart[x: 11] = address
        return fixture.run([Asm.i("ld", X.a0, X.a1, 0)], privilege: privilege)
    }

    private func store(_ address: UInt64, privilege: Privilege = .supervisor) -> Ending {
        hart[x: 11] = address
        return fixture.run([Asm.s("sd", X.a0, X.a1, 0)], privilege: privilege)
    }

    @Test(
        "every size of page translates, in every mode",
        arguments: [(3, 0), (3, 1), (3, 2), (4, 0), (4, 1), (4, 2), (4, 3), (5, 0), (5, 2), (5, 3), (5, 4)])
    func sizes(levels: Int, level: Int) {
        let size = UInt64(4096) << UInt64(9 * level)
        // The top half of the address space; RAM begins on a multiple of 2 GiB only, so larger pages map from 0.
        let physical = level < 2 ? Self.data & ~(size - 1) : 0x8000_0000 & ~(size - 1)
        let virtual = UInt64.max - (size - 1)
        translate(levels) { $0.map(virtual, to: physical, P.all, level: level) }
        fixture.ram[Self.data + 8] = 0x1122_3344_5566_7788
        #expect(load(virtual | (Self.data + 8 - physical)) == .finished)
        #expect(hart[x: 10] == 0x1122_3344_5566_7788)
    }

    @Test("addresses that are not sign-extended fault", arguments: [3, 4, 5])
    func canonical(levels: Int) {
        translate(levels) { _ in }
        let half = UInt64(1) << UInt64(11 + 9 * levels)
        for address in [half, 0 &- half &- 8, 1 << 63, HartFixture.base | 1 << 60] {
            #expect(load(address) == .trap(13, value: address, at: 0))
            #expect(store(address) == .trap(15, value: address, at: 0))
            #expect(fixture.run(from: address, length: 0, privilege: .supervisor) == .trap(12, value: address, at: 0))
        }
    }

    @Test(
        "an entry's bits decide what may be done",
        arguments: [
            // Entry bits, then whether S may load, store, and U may.
            (P.all, true, true, false), (P.all & ~P.write, true, false, false),
            (P.all & ~P.read & ~P.write, false, false, false),
            (P.all | P.user, false, false, true), (P.all & ~P.valid, false, false, false),
            (P.all & ~P.read, false, false, false), (P.all | 1 << 54, false, false, false),
            (P.all | 1 << 60, false, false, false), (P.all | 1 << 61, false, false, false),
            (P.all | 3 << 61, false, false, false), (P.all | 1 << 5, true, true, false),
            (P.all | 3 << 8, true, true, false),
        ] as [(UInt64, Bool, Bool, Bool)])
    func permissions(flags: UInt64, loads: Bool, stores: Bool, user: Bool) {
        hart.setCSR(CSR.menvcfg, MEnvCfg.adue)
        translate {
            $0.map(Self.page, to: Self.data, flags)
            $0.map(1 << 32, to: HartFixture.base, P.all | P.user)
        }
        #expect((load(Self.page) == .finished) == loads)
        #expect((store(Self.page) == .finished) == stores)
        hart[x: 11] = Self.page
        let asUser = fixture.run([Asm.i("ld", X.a0, X.a1, 0)], entry: 1 << 32, privilege: .user)
        #expect((asUser == .finished) == user)
    }

    @Test(
        "Svpbmt's types are legal once menvcfg.PBMTE is set, but for the reserved one",
        arguments: 0..<4 as Range<UInt64>)
    func memoryTypes(type: UInt64) {
        translate { $0.map(Self.page, to: Self.data, P.all | type << 61) }
        hart.setCSR(CSR.menvcfg, 0)
        #expect((load(Self.page) == .finished) == (type == 0))
        hart.setCSR(CSR.menvcfg, MEnvCfg.pbmte)
        #expect((load(Self.page) == .finished) == (type != 3))
    }

    @Test("SUM lets S-mode at a user's data, never at a user's code")
    func sum() {
        translate {
            $0.map(Self.page, to: Self.data, P.all | P.user)
            $0.map(1 << 32, to: HartFixture.base, P.all | P.user)
        }
        #expect(load(Self.page) == .trap(13, value: Self.page, at: 0))
        hart.setCSR(CSR.mstatus, MStatus.sum)
        #expect(load(Self.page) == .finished)
        #expect(fixture.run(from: 1 << 32, length: 4, privilege: .supervisor) == .trap(12, value: 1 << 32, at: 0))
        hart.setCSR(CSR.mstatus, 0)
        #expect(load(Self.page) == .trap(13, value: Self.page, at: 0))
    }

    @Test("MXR makes what can be executed readable")
    func mxr() {
        translate { $0.map(Self.page, to: Self.data, P.valid | P.execute | P.accessed) }
        #expect(load(Self.page) == .trap(13, value: Self.page, at: 0))
        hart.setCSR(CSR.mstatus, MStatus.mxr)
        #expect(load(Self.page) == .finished)
        hart.setCSR(CSR.mstatus, 0)
        #expect(load(Self.page) == .trap(13, value: Self.page, at: 0))
    }

    @Test("MPRV translates M-mode's data accesses, and no fetch")
    func borrowed() {
        translate { $0.map(Self.page, to: Self.data, P.all) }
        #expect(load(Self.page, privilege: .machine) == .trap(5, value: Self.page, at: 0))
        hart.setCSR(CSR.mstatus, MStatus.mprv | 1 << MStatus.mppShift)
        #expect(load(Self.page, privilege: .machine) == .finished)
    }

    @Test("with Svadu on, accesses set A and stores D")
    func hardwareUpdates() {
        hart.setCSR(CSR.menvcfg, MEnvCfg.adue)
        var entry: UInt64 = 0
        let flags = P.valid | P.read | P.write
        translate { entry = $0.map(Self.page, to: Self.data, flags) }
        #expect(load(Self.page) == .finished)
        #expect(fixture.ram[entry] & 0xff == flags | P.accessed)
        #expect(store(Self.page) == .finished)
        #expect(fixture.ram[entry] & 0xff == flags | P.accessed | P.dirty)
    }

    @Test("with Svadu off, an access that would set A or D faults")
    func softwareUpdates() {
        hart.setCSR(CSR.menvcfg, 0)
        translate {
            $0.map(Self.page, to: Self.data, P.all & ~P.dirty)
            $0.map(Self.page + 0x1000, to: Self.data, P.all & ~P.accessed)
        }
        #expect(load(Self.page) == .finished)
        #expect(store(Self.page) == .trap(15, value: Self.page, at: 0))
        #expect(load(Self.page + 0x1000) == .trap(13, value: Self.page + 0x1000, at: 0))
    }

    @Test("a superpage whose number is not aligned faults", arguments: [1, 2])
    func misalignedSuperpage(level: Int) {
        translate { $0.map(1 << 36, to: Self.data, P.all, level: level) }
        #expect(load(1 << 36) == .trap(13, value: 1 << 36, at: 0))
    }

    @Test(
        "a pointer to a table has no D, A, U, N or PBMT",
        arguments: [P.dirty, P.accessed, P.user, 1 << 63, 1 << 61, 1 << 54] as [UInt64])
    func pointerBits(bits: UInt64) {
        translate { tables in
            tables.map(Self.page, to: Self.data, P.all)
            let root = tables.root + (Self.page >> 30 & 511) * 8
            fixture.ram[root] |= bits
        }
        #expect(load(Self.page) == .trap(13, value: Self.page, at: 0))
    }

    @Test("a table outside of RAM is an access fault of the access's own kind")
    func tableOutsideRAM() {
        hart.setCSR(CSR.satp, 8 << 60 | 0x1000)
        #expect(fixture.run([Asm.nop], privilege: .supervisor) == .trap(1, value: HartFixture.base, at: 0))
        translate { tables in fixture.ram[tables.root] = P.number(0x4000_0000) | 1 }
        #expect(load(0) == .trap(5, value: 0, at: 0))
        #expect(store(0) == .trap(7, value: 0, at: 0))
    }

    @Test("a leaf below the lowest level is none")
    func tooDeep() {
        translate { $0.map(Self.page, to: Self.data, P.valid) }
        #expect(load(Self.page) == .trap(13, value: Self.page, at: 0))
    }

    @Test(
        "Svnapot: 64 KiB with ppn[3:0] = 8, on the lowest level",
        arguments: [(8, true), (0, false), (4, false), (9, false)])
    func contiguous(low: UInt64, legal: Bool) {
        let block = HartFixture.data & ~0xffff
        translate { tables in
            for page in 0..<UInt64(16) {
                tables.map(Self.page & ~0xffff + page * 4096, to: block + low * 4096, P.all | 1 << 63)
            }
        }
        fixture.ram[block + 0x7008] = 77
        let ending = load(Self.page + 8)
        #expect((ending == .finished) == legal)
        #expect(!legal || hart[x: 10] == 77)
    }

    @Test(
        "sfence.vma of one address forgets the page, the superpage and the contiguous pages around it",
        arguments: [0, 1, 16])
    func fence(shape: Int) {
        let size: UInt64 = shape == 1 ? 2 << 20 : shape == 16 ? 64 << 10 : 4096
        var entries: [UInt64] = []
        func flags(_ base: UInt64) -> UInt64 {
            shape == 16 ? P.number(base & ~0xffff | 0x8000) | P.all | 1 << 63 : P.number(base & ~(size - 1)) | P.all
        }
        translate { tables in
            for page in 0..<UInt64(shape == 16 ? 16 : 1) {
                entries.append(
                    tables.map(Self.page & ~0xffff + page * 4096, to: 0, P.all, level: shape == 1 ? 1 : 0))
            }
        }
        for entry in entries { fixture.ram[entry] = flags(Self.data) }
        let virtual = (Self.page & ~0xffff & ~(size - 1)) | (Self.data & (size - 1))
        let far = shape == 0 ? virtual : virtual ^ 0x1000
        fixture.ram[Self.data] = 1
        fixture.ram[Self.data ^ 0x1000] = 1
        #expect(load(virtual) == .finished)
        #expect(load(far) == .finished)
        // The mapping goes; a fence of one address in it must forget both places that were cached.
        for entry in entries { fixture.ram[entry] = 0 }
        hart[x: 12] = virtual
        #expect(fixture.run([Asm.r("sfence.vma", 0, X.a2, 0)], privilege: .supervisor) == .finished)
        #expect(load(virtual) == .trap(13, value: virtual, at: 0))
        #expect(load(far) == .trap(13, value: far, at: 0))
    }

    @Test("accesses over a page's end need both pages, and tell which was missing")
    func straddle() {
        translate {
            $0.map(Self.page, to: Self.data, P.all)
            $0.map(Self.page + 0x1000, to: Self.data + 0x5000, P.all)
        }
        fixture.ram[Self.data + 0xff8] = 0x0807_0605_0403_0201
        fixture.ram[Self.data + 0x5000] = 0x1817_1615_1413_1211
        #expect(load(Self.page + 0xffd) == .finished)
        #expect(hart[x: 10] == 0x1514_1312_1108_0706)
        hart[x: 10] = .max
        #expect(store(Self.page + 0xffd) == .finished)
        #expect(fixture.ram[Self.data + 0xff8] == 0xffff_ff05_0403_0201)
        #expect(fixture.ram[Self.data + 0x5000] == 0x1817_16ff_ffff_ffff)
        #expect(store(Self.page + 0x1ffd) == .trap(15, value: Self.page + 0x2000, at: 0))
        #expect(load(Self.page - 3) == .trap(13, value: Self.page - 3, at: 0))
        #expect(fixture.ram[Self.data + 0x5ff8] == 0)
    }

    @Test("an instruction over a page's end: the second page's fault has its own address and the first one's PC")
    func fetchStraddle() {
        let code = Self.page + 0xffe
        translate { $0.map(Self.page, to: Self.data, P.all) }
        fixture.ram.memory.store(UInt16(Asm.nop & 0xffff), at: .init(Self.data + 0xffe))
        #expect(
            fixture.run(from: code, length: 4, privilege: .supervisor) == .trap(12, value: Self.page + 0x1000, at: 0))
        translate {
            $0.map(Self.page, to: Self.data, P.all)
            $0.map(Self.page + 0x1000, to: Self.data + 0x5000, P.all)
        }
        fixture.ram.memory.store(UInt16(Asm.nop >> 16), at: .init(Self.data + 0x5000))
        fixture.ram.memory.store(Asm.ecall, at: .init(Self.data + 0x5002))
        #expect(fixture.run(from: code, length: 4, privilege: .supervisor) == .finished)
    }

    @Test("a page that moves is not written with the old page's permission")
    func movedPage() {
        var entry: UInt64 = 0
        translate { entry = $0.map(Self.page, to: Self.data, P.all) }
        #expect(store(Self.page) == .finished)
        // Another frame, read-only, without a fence; a misaligned load walks and sees it.
        fixture.ram[entry] = P.number(Self.data + 0x3000) | P.all & ~P.write
        #expect(load(Self.page + 1) == .finished)
        hart[x: 10] = .max
        _ = store(Self.page + 16)
        #expect(fixture.ram[Self.data + 0x3010] == 0)
    }

    @Test("512 flushes wrap the generation, and nothing old comes back")
    func generations() {
        var entry: UInt64 = 0
        translate { entry = $0.map(Self.page, to: Self.data, P.all) }
        #expect(load(Self.page) == .finished)
        fixture.ram[entry] = 0
        for _ in 0..<1100 {
            hart.tlb.flush()
            hart.contextChanged()
            #expect(
                hart.state.dataSet.find(Self.page, mask: 7, generation: hart.tlb.dataGeneration, writes: false) == nil)
            #expect(hart.state.fetchSet.find(HartFixture.base, generation: hart.tlb.fetchGeneration) == nil)
        }
        #expect(load(Self.page) == .trap(13, value: Self.page, at: 0))
    }

    @Test("devices are reached by aligned accesses only")
    func devices() {
        let device = ScriptedDoor.deviceBase
        #expect(load(device + 8, privilege: .machine) == .finished)
        #expect(hart[x: 10] == 0x8080_8080_8080_8008)
        #expect(load(device + 4, privilege: .machine) == .trap(4, value: device + 4, at: 0))
        #expect(store(device + 4, privilege: .machine) == .trap(6, value: device + 4, at: 0))
        #expect(load(device - 8, privilege: .machine) == .trap(5, value: device - 8, at: 0))
        #expect(store(device - 8, privilege: .machine) == .trap(7, value: device - 8, at: 0))
        hart[x: 12] = device
        #expect(fixture.run([Asm.r("amoadd.d", X.a0, X.a2, X.a1)]) == .trap(7, value: device, at: 0))
        #expect(fixture.run([Asm.r("lr.d", X.a0, X.a2)]) == .trap(5, value: device, at: 0))
        #expect(fixture.run(from: device, length: 4) == .trap(1, value: device, at: 0))
    }
}

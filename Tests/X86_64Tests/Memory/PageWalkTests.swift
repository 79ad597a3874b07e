// SPDX-License-Identifier: Apache-2.0

import Testing
import VMMemory

@testable import X86_64

/// A page table in RAM: one linear address mapped through entries that a test chooses.
private final class Tables {
    static let linear: UInt64 = 0x40_2010_1234
    static let root: UInt64 = 0x1000
    let ram = TestRAM(size: 1 << 20)
    var walk: PageWalk

    /// Entries of the root and its followers, whose low 12 and high bits are the tests'.
    init(levels: Int, _ flags: [UInt64]) {
        var cr4 = levels >= 3 ? CR4.pae : 0
        if levels == 5 { cr4 |= CR4.la57 }
        walk = PageWalk(
            memory: ram.memory, cr0: CR0.pe | CR0.pg | CR0.wp, cr3: Tables.root, cr4: cr4,
            efer: levels >= 4 ? EFER.lma | EFER.lme | EFER.nxe : 0, physicalBits: 40, hasGiantPages: true)
        for (depth, bits) in flags.enumerated() { set(levels: levels, depth: depth, bits) }
    }

    /// Where the entry of `depth` from the root lies.
    func place(levels: Int, depth: Int) -> UInt64 {
        if levels == 2 {
            let shift: UInt64 = depth == 0 ? 22 : 12
            let index = (Tables.linear & 0xffff_ffff) >> shift & 0x3ff
            return Tables.root + UInt64(depth) * 0x1000 + index * 4
        }
        let shift = UInt64(12 + 9 * (levels - 1 - depth))
        let index = levels == 3 && depth == 0 ? Tables.linear >> 30 & 3 : Tables.linear >> shift & 511
        return Tables.root + UInt64(depth) * 0x1000 + index * 8
    }

    private func set(levels: Int, depth: Int, _ bits: UInt64) {
        let next = Tables.root + UInt64(depth + 1) * 0x1000
        let isLast = depth == levels - 1 || bits & 0x80 != 0
        let entry = bits | (isLast ? 0 : next)
        let place = place(levels: levels, depth: depth)
        if levels == 2 { ram[word: place] = UInt32(truncatingIfNeeded: entry) } else { ram[place] = entry }
    }

    func code(_ access: MemoryAccess) -> UInt32? {
        guard case .failure(let fault) = walk.translate(Tables.linear, access) else { return nil }
        return fault.code
    }
}

@Suite("Page walks (Intel SDM Vol 3A chapter 5)")
struct PageWalkTests {
    @Test(
        "every paging mode finds pages of every size",
        arguments: [
            (4, [7, 7, 7, 0x7_7007], 0x7_7234, 0x1000), (5, [7, 7, 7, 7, 0x7_7007], 0x7_7234, 0x1000),
            (4, [7, 7, 0x1260_0087], 0x1270_1234, 0x20_0000), (4, [7, 0x12_c000_0087], 0x12_e010_1234, 0x4000_0000),
            (3, [1, 7, 0x7_7007], 0x7_7234, 0x1000), (3, [1, 0x1260_0087], 0x1270_1234, 0x20_0000),
            (2, [7, 0x7_7007], 0x7_7234, 0x1000),
        ] as [(Int, [UInt64], UInt64, UInt64)])
    func sizes(levels: Int, flags: [UInt64], physical: UInt64, size: UInt64) throws {
        let tables = Tables(levels: levels, flags)
        let found = try tables.walk.translate(Tables.linear, .read).get()
        #expect(found == Translation(physical: physical, size: size))
    }

    @Test("a 4 MiB page of 32-bit paging has 8 more bits of address (PSE-36)")
    func bigPages() throws {
        let tables = Tables(levels: 2, [0x1260_0087 & ~0x3f_ffff | 0x13 << 13 | 0x87])
        tables.walk.cr4 |= CR4.pse
        let found = try tables.walk.translate(Tables.linear, .read).get()
        #expect(found == Translation(physical: 0x13_1250_1234 & ~0x3f_ffff | Tables.linear & 0x3f_ffff, size: 4 << 20))
    }

    @Test(
        "accessed bits are set on the way, the dirty bit by a store alone",
        arguments: [
            (2, MemoryAccess.read, 0x20), (3, .write, 0x60), (4, .read, 0x20), (4, .write, 0x60), (5, .fetch, 0x20),
        ]
            as [(Int, MemoryAccess, UInt64)])
    func accessed(levels: Int, access: MemoryAccess, bits: UInt64) throws {
        var flags = [UInt64](repeating: 7, count: levels)
        if levels == 3 { flags[0] = 1 }
        flags[levels - 1] |= 0x7_7000
        let tables = Tables(levels: levels, flags)
        _ = try tables.walk.translate(Tables.linear, access).get()
        let leaf = tables.ram[word: tables.place(levels: levels, depth: levels - 1)]
        #expect(UInt64(leaf) & 0x60 == bits)
        let upper = tables.ram[word: tables.place(levels: levels, depth: levels - 2)]
        #expect(upper & 0x60 == 0x20)
    }

    @Test(
        "error codes say what failed",
        arguments: [
            // Not present: P is clear.
            ([7, 7, 7, 0], MemoryAccess.read, false, 0), ([7, 7, 7, 0], .write, true, 6),
            ([7, 7, 7, 0], .fetch, true, 0x14),
            ([7, 0, 7, 7], .read, true, 4),
            // Rights are those of all levels together.
            ([7, 7, 5, 7], .write, true, 7), ([7, 7, 5, 7], .write, false, 3), ([3, 7, 7, 7], .read, true, 5),
            ([7, 7, 7, 3], .read, true, 5), ([7, 7, 7, 1 << 63 | 7], .fetch, false, 0x11),
            ([7, 1 << 63 | 7, 7, 7], .fetch, true, 0x15),
            // Reserved bits: address bits above 40, PS in the root, low address bits of a large page.
            ([7, 7, 7, 1 << 40 | 7], .read, false, 9), ([0x87, 7, 7, 7], .write, true, 0xf),
            ([7, 7, 0x2087], .read, false, 9), ([7, 0x20_0087], .fetch, true, 0x1d),
            // Nothing of it.
            ([7, 7, 7, 7], .write, true, nil), ([7, 7, 7, 1 << 63 | 7], .write, true, nil),
            ([7, 7, 7, 1 << 52 | 7], .read, true, nil),
        ] as [([UInt64], MemoryAccess, Bool, UInt32?)])
    func codes(flags: [UInt64], access: MemoryAccess, user: Bool, code: UInt32?) {
        let tables = Tables(levels: 4, flags)
        tables.walk.isUserMode = user
        #expect(tables.code(access) == code)
    }

    @Test("XD is reserved without EFER.NXE, and a fetch is not told apart then")
    func noExecuteOff() {
        let tables = Tables(levels: 4, [7, 7, 7, 1 << 63 | 7])
        tables.walk.efer &= ~EFER.nxe
        #expect(tables.code(.fetch) == 9)
        tables.walk.cr4 |= CR4.smep
        #expect(tables.code(.fetch) == 0x19)
    }

    @Test("CR0.WP decides whether supervisor code writes to read-only pages")
    func writeProtect() {
        let tables = Tables(levels: 4, [7, 7, 7, 5])
        #expect(tables.code(.write) == 3)
        tables.walk.cr0 &= ~CR0.wp
        #expect(tables.code(.write) == nil)
        tables.walk.isUserMode = true
        #expect(tables.code(.write) == 7)
    }

    @Test(
        "SMEP and SMAP keep supervisor code from user pages",
        arguments: [
            (CR4.smep, false, MemoryAccess.fetch, 0x11), (CR4.smep, false, .read, nil), (CR4.smap, false, .read, 1),
            (CR4.smap, false, .write, 3), (CR4.smap, true, .read, nil), (CR4.smap, true, .read.implicit, 1),
            (CR4.smap, false, .fetch, nil),
        ] as [(UInt64, Bool, MemoryAccess, UInt32?)])
    func supervisor(bit: UInt64, ac: Bool, access: MemoryAccess, code: UInt32?) {
        let tables = Tables(levels: 4, [7, 7, 7, 7])
        tables.walk.cr4 |= bit
        tables.walk.allowsUserPages = ac
        #expect(tables.code(access) == code)
    }

    @Test("the processor's own accesses are supervisor accesses at CPL 3 too")
    func implicit() {
        let tables = Tables(levels: 4, [7, 7, 7, 3])
        tables.walk.isUserMode = true
        #expect(tables.code(.write) == 7)
        #expect(tables.code(.write.implicit) == nil)
    }

    @Test(
        "protection keys: of user pages by PKRU, of supervisor pages by IA32_PKRS, and for data alone (Vol 3A §5.6.2)",
        arguments: [
            (CR4.pke, 7, 1, true, MemoryAccess.read, 0x25), (CR4.pke, 7, 2, true, .read, nil),
            (CR4.pke, 7, 2, true, .write, 0x27), (CR4.pke, 7, 2, false, .write, 0x23),
            (CR4.pke, 7, 1, false, .read, 0x21),
            (CR4.pke, 7, 3, true, .fetch, nil), (CR4.pke, 3, 3, false, .write, nil),
            (CR4.pks, 3, 1, false, .read, 0x21),
            (CR4.pks, 3, 2, false, .write, 0x23), (CR4.pks, 7, 3, false, .write, nil),
        ] as [(UInt64, UInt64, UInt64, Bool, MemoryAccess, UInt32?)])
    func keys(bit: UInt64, flags: UInt64, rights: UInt64, user: Bool, access: MemoryAccess, code: UInt32?) {
        let tables = Tables(levels: 4, [7, 7, 7, flags | 5 << 59])
        tables.walk.cr4 |= bit
        tables.walk.isUserMode = user
        tables.walk.pkru = bit == CR4.pke ? rights << 10 : 0
        tables.walk.pkrs = bit == CR4.pks ? rights << 10 : 0
        #expect(tables.code(access) == code)
    }

    @Test("reserved bits of PAE's page-directory pointers fault")
    func pointers() {
        #expect(Tables(levels: 3, [3, 7, 7]).code(.read) == 9)
        #expect(Tables(levels: 3, [1, 7, 1 << 62 | 7]).code(.read) == 9)
    }

    @Test("a debugger's walk leaves the entries as they are")
    func quiet() throws {
        let tables = Tables(levels: 4, [7, 7, 7, 7])
        tables.walk.setsAccessed = false
        _ = try tables.walk.translate(Tables.linear, .write).get()
        #expect(tables.ram[tables.place(levels: 4, depth: 3)] == 7)
    }

    @Test("tables outside of RAM are not present")
    func outside() {
        let tables = Tables(levels: 4, [7, 7, 7, 7])
        tables.walk.cr3 = 0x10_0000_0000
        #expect(tables.code(.read) == 0)
    }
}

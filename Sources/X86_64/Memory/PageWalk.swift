// SPDX-License-Identifier: Apache-2.0

import VMMemory

/// The walk through a guest's page tables, as a function of the registers that it depends on: no cache, no state.
///
/// Intel SDM Vol 3A chapter 5, AMD APM Vol 2 chapter 5. A and D bits are set by compare-exchange; an entry that changed
/// meanwhile makes the walk begin anew.
struct PageWalk {
    let memory: GuestMemory
    var cr0: UInt64
    var cr3: UInt64
    var cr4: UInt64
    var efer: UInt64
    /// CPL 3.
    var isUserMode = false
    var pkru: UInt64 = 0
    var pkrs: UInt64 = 0
    /// RFLAGS.AC: supervisor accesses to user pages pass SMAP.
    var allowsUserPages = false
    /// MAXPHYADDR.
    var physicalBits: UInt64
    /// 1 GiB pages exist.
    var hasGiantPages: Bool
    /// A and D bits are set as a processor does; a debugger leaves them.
    var setsAccessed = true

    /// What a walk collects on its way.
    private struct Rights {
        var writable = true
        var user = true
        var noExecute = false
    }

    /// Where `linear` is, or the page fault's error code.
    @inline(__always)
    func translate(_ linear: UInt64, _ access: MemoryAccess) -> Result<Translation, PageFault> {
        guard cr0 & CR0.pg != 0 else {
            return .success(Translation(physical: linear & 0xffff_ffff, size: GuestPage.size))
        }
        while true {
            let found: Result<Translation, PageFault>? =
                cr4 & CR4.pae == 0 ? walk32(linear & 0xffff_ffff, access) : walkPAE(linear, access)
            if let found { return found }
        }
    }

    /// Made in the name of user-mode code: not the processor's own accesses.
    private func isUser(_ access: MemoryAccess) -> Bool { isUserMode && !access.isImplicit }

    // MARK: 32-bit paging (Intel SDM Vol 3A §5.3)

    private func walk32(_ linear: UInt64, _ access: MemoryAccess) -> Result<Translation, PageFault>? {
        var rights = Rights()
        let directory = (cr3 & 0xffff_f000) + (linear >> 22) * 4
        let entry = load32(directory)
        guard entry & 1 != 0 else { return fault(access, 0) }
        if entry & 0x80 != 0 && cr4 & CR4.pse != 0 {
            // PSE-36: bits 20:13 are 39:32 of the address; bit 21 and what exceeds MAXPHYADDR are reserved.
            let high = entry >> 13 & 0xff
            let limit = min(physicalBits, 40) - 32
            guard entry & 1 << 21 == 0, high >> limit == 0 else { return fault(access, reserved) }
            add(entry, to: &rights)
            return finish(
                entry, at: directory, wide: false, rights, access, base: entry & 0xffc0_0000 | high << 32,
                size: 4 << 20, linear)
        }
        add(entry, to: &rights)
        guard touch(entry, at: directory, wide: false) else { return nil }
        let table = (entry & 0xffff_f000) + (linear >> 12 & 0x3ff) * 4
        let last = load32(table)
        guard last & 1 != 0 else { return fault(access, 0) }
        add(last, to: &rights)
        return finish(
            last, at: table, wide: false, rights, access, base: last & 0xffff_f000, size: GuestPage.size, linear)
    }

    // MARK: PAE, 4-level and 5-level paging (Intel SDM Vol 3A §5.4, §5.5)

    private var isLong: Bool { efer & EFER.lma != 0 }
    private var addressMask: UInt64 { ((1 << physicalBits) &- 1) & ~0xfff }
    private var reserved: UInt32 { PageFaultCode.protection | PageFaultCode.reserved }

    private func walkPAE(_ linear: UInt64, _ access: MemoryAccess) -> Result<Translation, PageFault>? {
        var rights = Rights()
        var level: UInt64
        var table: UInt64
        if isLong {
            level = cr4 & CR4.la57 != 0 ? 5 : 4
            table = cr3 & addressMask
        } else {
            // The page-directory-pointer entry: bits 2:1, 8:5 and those above the address are reserved; it has no rights.
            let pointer = load64((cr3 & 0xffff_ffe0) + (linear >> 30 & 3) * 8)
            guard pointer & 1 != 0 else { return fault(access, 0) }
            guard pointer & (~(addressMask | 0xfff) | 0x1e6) == 0 else { return fault(access, reserved) }
            level = 2
            table = pointer & addressMask
        }
        while true {
            let shift = 12 + 9 * (level - 1)
            let address = table + (linear >> shift & 511) * 8
            let entry = load64(address)
            guard entry & 1 != 0 else { return fault(access, 0) }
            let isLarge = level > 1 && entry & 0x80 != 0
            guard entry & reservedBits(level: level, isLarge: isLarge) == 0 else { return fault(access, reserved) }
            add(entry, to: &rights)
            if level == 1 || isLarge {
                let size: UInt64 = 1 << shift
                return finish(
                    entry, at: address, wide: true, rights, access, base: entry & addressMask & ~(size - 1),
                    size: size, linear)
            }
            guard touch(entry, at: address, wide: true) else { return nil }
            table = entry & addressMask
            level -= 1
        }
    }

    /// Bits that have to be zero in an entry at `level` (Intel SDM Vol 3A tables 5-8 to 5-11, 5-15 to 5-20).
    private func reservedBits(level: UInt64, isLarge: Bool) -> UInt64 {
        // Of 51:M; PAE paging ignores nothing above but XD.
        var bits = ~(addressMask | 0xfff) & (isLong ? 0x000f_ffff_ffff_ffff : 0x7fff_ffff_ffff_ffff)
        if efer & EFER.nxe == 0 { bits |= 1 << 63 }
        guard isLarge else { return bits }
        switch level {
        case 2: return bits | 0x1f_e000
        case 3 where hasGiantPages: return bits | 0x3fff_e000
        default: return bits | 0x80
        }
    }

    // MARK: Rights and A and D bits

    private func add(_ entry: UInt64, to rights: inout Rights) {
        if entry & 2 == 0 { rights.writable = false }
        if entry & 4 == 0 { rights.user = false }
        if cr4 & CR4.pae != 0 && efer & EFER.nxe != 0 && entry >> 63 != 0 { rights.noExecute = true }
    }

    /// Checks the rights (Intel SDM Vol 3A §5.6), sets A and D, and gives the address. Nil: the entry changed.
    private func finish(
        _ entry: UInt64, at address: UInt64, wide: Bool, _ rights: Rights, _ access: MemoryAccess, base: UInt64,
        size: UInt64, _ linear: UInt64
    ) -> Result<Translation, PageFault>? {
        let key = protectionKeyFault(entry, rights, access)
        guard !key, allows(rights, access) else {
            return fault(access, PageFaultCode.protection | (key ? PageFaultCode.protectionKey : 0))
        }
        guard touch(entry, at: address, wide: wide, dirty: access.writes) else { return nil }
        return .success(
            Translation(physical: base | linear & (size - 1), size: size))
    }

    private func allows(_ rights: Rights, _ access: MemoryAccess) -> Bool {
        if isUser(access) {
            guard rights.user else { return false }
        } else if rights.user {
            if access.fetches {
                if cr4 & CR4.smep != 0 { return false }
            } else if cr4 & CR4.smap != 0 && (access.isImplicit || !allowsUserPages) {
                return false
            }
        }
        if access.fetches { return !rights.noExecute }
        return !access.writes || rights.writable || (!isUser(access) && cr0 & CR0.wp == 0)
    }

    /// Protection keys (Intel SDM Vol 3A §5.6.2): PKRU for user pages, IA32_PKRS for supervisor pages; data alone.
    private func protectionKeyFault(_ entry: UInt64, _ rights: Rights, _ access: MemoryAccess) -> Bool {
        let enabled = cr4 & (rights.user ? CR4.pke : CR4.pks) != 0
        guard enabled, isLong, !access.fetches else { return false }
        let bits = (rights.user ? pkru : pkrs) >> ((entry >> 59 & 15) * 2)
        if bits & 1 != 0 { return true }
        return bits & 2 != 0 && access.writes && (isUser(access) || cr0 & CR0.wp != 0)
    }

    private func fault(_ access: MemoryAccess, _ bits: UInt32) -> Result<Translation, PageFault> {
        var code = bits
        if access.writes { code |= PageFaultCode.write }
        if isUser(access) { code |= PageFaultCode.user }
        // Told only where a fetch can be forbidden (Intel SDM Vol 3A §5.7).
        let forbids = cr4 & CR4.smep != 0 || (cr4 & CR4.pae != 0 && efer & EFER.nxe != 0)
        if access.fetches && forbids { code |= PageFaultCode.fetch }
        return .failure(PageFault(code: code))
    }

    /// Sets the A bit, and D for a store to the page: false if the entry is no longer what it was.
    private func touch(_ entry: UInt64, at address: UInt64, wide: Bool, dirty: Bool = false) -> Bool {
        let wanted: UInt64 = dirty ? 0x60 : 0x20
        guard setsAccessed, entry & wanted != wanted else { return true }
        if wide { return memory.compareExchange(entry, entry | wanted, at: GuestAddress(address)) ?? true }
        // Half of 8 bytes; a neighbour that changes meanwhile costs another walk.
        let shift = (address & 4) * 8
        guard let both = memory.load(UInt64.self, at: GuestAddress(address & ~7)) else { return true }
        guard both >> shift & 0xffff_ffff == entry else { return false }
        return memory.compareExchange(both, both | wanted << shift, at: GuestAddress(address & ~7)) ?? true
    }

    /// What is not RAM holds no page tables: it reads as not present.
    private func load64(_ address: UInt64) -> UInt64 { memory.load(UInt64.self, at: GuestAddress(address)) ?? 0 }

    private func load32(_ address: UInt64) -> UInt64 {
        memory.load(UInt32.self, at: GuestAddress(address)).map(UInt64.init) ?? 0
    }
}

/// A page fault by its error code.
struct PageFault: Error, Equatable {
    var code: UInt32
}

/// Bits of a page fault's error code (Intel SDM Vol 3A §5.7).
enum PageFaultCode {
    /// A translation was there; rights were not.
    static var protection: UInt32 { 1 << 0 }
    static var write: UInt32 { 1 << 1 }
    static var user: UInt32 { 1 << 2 }
    static var reserved: UInt32 { 1 << 3 }
    static var fetch: UInt32 { 1 << 4 }
    static var protectionKey: UInt32 { 1 << 5 }
}

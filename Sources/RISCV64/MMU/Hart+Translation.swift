// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

/// What an access wants of a page.
enum AccessKind {
    case load, store, fetch
}

/// Where a translation ended.
struct Translation {
    /// Guest-physical address of the byte asked for.
    var physical: UInt64
    /// The size of the page it lies in, in bytes; 4 KiB without translation.
    var size: UInt64
}

/// How a translation failed.
enum TranslationFault: Error {
    case page, access
}

extension Hart {
    /// Works out which soft TLB sets the current privilege uses. Called after every change of privilege, mstatus,
    /// satp or generation.
    func contextChanged() {
        let status = state.pointee.mstatus
        let privilege = state.pointee.privilege
        let fetch: TranslationCache.Context =
            privilege == 3 ? .machine : privilege == 1 ? .supervisor : .user
        state.pointee.fetchTLB = tlb.fetchSet(fetch).bitPattern
        state.pointee.fetchGeneration = tlb.fetchGeneration
        let effective = dataPrivilege
        let data: TranslationCache.Context =
            effective == 3
            ? .machine
            : effective == 0 ? .user : status & MStatus.sum != 0 ? .supervisorUserAccess : .supervisor
        state.pointee.dataTLB = tlb.dataSet(data).bitPattern
        state.pointee.dataGeneration = tlb.dataGeneration
    }

    /// The privilege that loads and stores have: MPRV lets M-mode borrow another's (RISC-V Priv 1.13 §3.1.6.3).
    var dataPrivilege: UInt64 {
        let status = state.pointee.mstatus
        return status & MStatus.mprv != 0 && state.pointee.privilege == 3
            ? status >> MStatus.mppShift & 3 : state.pointee.privilege
    }

    /// Translates `address` for an access of the current context; permissions, PMP and A/D bits included.
    func translate(_ address: UInt64, _ kind: AccessKind) -> Result<Translation, TranslationFault> {
        let privilege = kind == .fetch ? state.pointee.privilege : dataPrivilege
        let mode = privilege == 3 ? 0 : state.pointee.satp >> 60
        guard mode != 0 else {
            guard address < 1 << 56 else { return .failure(.access) }
            return protect(Translation(physical: address, size: GuestPage.size), kind, privilege)
        }
        counters.tlbMisses &+= 1
        while true {
            switch walk(address, kind, privilege, levels: Int(mode) - 5) {
            case .none: continue
            case .some(.failure(let fault)): return .failure(fault)
            case .some(.success(let found)): return protect(found, kind, privilege)
            }
        }
    }

    private func protect(
        _ found: Translation, _ kind: AccessKind, _ privilege: UInt64
    ) -> Result<Translation, TranslationFault> {
        allows(found.physical, count: 1, kind, privilege: privilege) ? .success(found) : .failure(.access)
    }

    /// The page-table walk (RISC-V Priv 1.13 §12.3.2, §12.4 to §12.6): 3, 4 or 5 levels. Nil: the leaf changed before
    /// its A and D bits could be set, and the walk begins anew (step 9 there).
    private func walk(
        _ address: UInt64, _ kind: AccessKind, _ privilege: UInt64, levels: Int
    ) -> Result<Translation, TranslationFault>? {
        let bits = UInt64(12 + 9 * levels)
        // Bits above the highest translated one must equal it.
        guard (Int64(bitPattern: address) << Int64(64 - bits)) >> Int64(64 - bits) == Int64(bitPattern: address) else {
            return .failure(.page)
        }
        var table = (state.pointee.satp & 0xfff_ffff_ffff) << 12
        var level = levels - 1
        while level >= 0 {
            let shift = UInt64(12 + 9 * level)
            let entryAddress = table &+ (address >> shift & 511) * 8
            guard allows(entryAddress, count: 8, .load, privilege: 1),
                let entry = memory.load(UInt64.self, at: GuestAddress(entryAddress))
            else { return .failure(.access) }
            // V, and W without R is reserved; so are bits 60 to 54, and N and PBMT but in a leaf.
            guard entry & 1 != 0, entry & 6 != 4, entry >> 54 & 0x7f == 0 else { return .failure(.page) }
            guard entry & 0xe == 0 else {
                return leaf(entry, at: entryAddress, address, kind, privilege, level: level)
            }
            // A pointer to the next level: D, A and U are reserved in it.
            guard entry & 0xd0 == 0, entry >> 61 == 0 else { return .failure(.page) }
            table = (entry >> 10 & 0xfff_ffff_ffff) << 12
            level -= 1
        }
        return .failure(.page)
    }

    private func leaf(
        _ entry: UInt64, at entryAddress: UInt64, _ address: UInt64, _ kind: AccessKind, _ privilege: UInt64, level: Int
    ) -> Result<Translation, TranslationFault>? {
        let status = state.pointee.mstatus
        let isUser = entry & 0x10 != 0
        if privilege == 0 && !isUser { return .failure(.page) }
        if privilege == 1 && isUser && (kind == .fetch || status & MStatus.sum == 0) { return .failure(.page) }
        let allowed =
            switch kind {
            case .fetch: entry & 8 != 0
            case .store: entry & 4 != 0
            case .load: entry & 2 != 0 || (status & MStatus.mxr != 0 && entry & 8 != 0)
            }
        guard allowed else { return .failure(.page) }
        // Svpbmt: value 3 is reserved; any value is when menvcfg.PBMTE is off. Memory types change nothing here.
        let type = entry >> 61 & 3
        if type == 3 || (type != 0 && state.pointee.menvcfg & MEnvCfg.pbmte == 0) { return .failure(.page) }
        var number = entry >> 10 & 0xfff_ffff_ffff
        var size = GuestPage.size << UInt64(9 * level)
        if entry >> 63 != 0 {
            // Svnapot: only 64 KiB pages, ppn[3:0] = 1000 (RISC-V Priv 1.13 §13).
            guard level == 0, number & 15 == 8 else { return .failure(.page) }
            number &= ~15
            size = 64 << 10
        } else if number & (size >> 12 - 1) != 0 {
            return .failure(.page)
        }
        let wanted: UInt64 = kind == .store ? 0xc0 : 0x40
        if entry & wanted != wanted {
            // Svadu (RISC-V Priv 1.13 §12.3.1): set A, and D for a store, if nobody changed the entry meanwhile.
            guard state.pointee.menvcfg & MEnvCfg.adue != 0 else { return .failure(.page) }
            guard allows(entryAddress, count: 8, .store, privilege: 1) else { return .failure(.access) }
            switch memory.compareExchange(entry, entry | wanted, at: GuestAddress(entryAddress)) {
            case .some(true): break
            case .some(false): return nil
            case .none: return .failure(.access)
            }
        }
        return .success(Translation(physical: number << 12 | address & (size - 1), size: size))
    }

    /// The cause of `fault` for an access of `kind`.
    static func cause(_ fault: TranslationFault, _ kind: AccessKind) -> ExceptionCause {
        switch (fault, kind) {
        case (.page, .load): .loadPage
        case (.page, .store): .storePage
        case (.page, .fetch): .instructionPage
        case (.access, .load): .loadAccess
        case (.access, .store): .storeAccess
        case (.access, .fetch): .instructionAccess
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import VMMemory

extension Processor {
    /// The walk as the registers have it now.
    var pageWalk: PageWalk {
        PageWalk(
            memory: memory, cr0: state.pointee.cr0, cr3: state.pointee.cr3, cr4: state.pointee.cr4,
            efer: state.pointee.efer, isUserMode: state.pointee.privilege == 3, pkru: state.pointee.pkru,
            pkrs: state.pointee.pkrs,
            allowsUserPages: state.pointee.systemFlags & RFlags.alignmentCheck != 0,
            physicalBits: UInt64(configuration.model.physicalAddressBits),
            hasGiantPages: configuration.model.has(.page1g))
    }

    /// Where `address`, canonical already, lies and may be accessed so, or nil when a page fault was raised.
    func translate(_ address: UInt64, _ access: MemoryAccess) -> Translation? {
        guard state.pointee.cr0 & CR0.pg != 0 else {
            return Translation(physical: wrapped(address), size: GuestPage.size)
        }
        counters.tlbMisses &+= 1
        switch pageWalk.translate(address, access) {
        case .success(let found): return found
        case .failure(let failure): return refuse(Fault(.pageFault, code: failure.code, address: address))
        }
    }

    /// Where `address` lies for a debugger: with all rights, and changing nothing. Nil where nothing is mapped.
    func peek(_ address: UInt64) -> GuestAddress? {
        guard isCanonical(address) || state.pointee.efer & EFER.lma == 0 else { return nil }
        var walk = pageWalk
        walk.setsAccessed = false
        walk.allowsUserPages = true
        walk.isUserMode = false
        walk.pkru = 0
        walk.pkrs = 0
        guard case .success(let found) = walk.translate(address, .read) else { return nil }
        return GuestAddress(found.physical)
    }
}

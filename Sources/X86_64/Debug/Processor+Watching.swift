// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

extension Processor {
    /// Whether a debugger, or the guest by DR7, watches any byte of the page of `address`: its accesses all take the slow path.
    func isWatched(page address: UInt64) -> Bool {
        let page = address & ~GuestPage.offsetMask
        if state.pointee.dr7 & 0xff != 0 && isBreakpointData(page: page) { return true }
        if debug.watchpoints.isEmpty { return false }
        return debug.watchpoints.contains { $0.covers(page, count: GuestPage.size) }
    }

    /// Notes in `watchHit` that a debugger's watchpoint saw an access.
    func noteAccess(_ address: UInt64, _ count: UInt64, _ access: MemoryAccess) {
        if access.isImplicit { return }
        if state.pointee.dr7 & 0xff != 0 { noteDataBreakpoints(address, count, writes: access.writes) }
        if debug.watchpoints.isEmpty { return }
        let kind = access.writes ? WatchKind.write : .read
        for point in debug.watchpoints where point.kind == kind || point.kind == .access {
            guard point.covers(address, count: count) else { continue }
            watchHit = .watchpoint(point.address, point.kind)
            needsAttention = true
        }
    }

    /// Breakpoints or watchpoints changed: nothing decoded or cached before may run on.
    func debugChanged() {
        code.flush()
        tlb.flush()
        contextChanged()
    }
}

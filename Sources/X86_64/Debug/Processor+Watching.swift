// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

extension Processor {
    /// Whether a debugger watches any byte of the page of `address`: its accesses all take the slow path.
    func isWatched(page address: UInt64) -> Bool {
        if debug.watchpoints.isEmpty { return false }
        let page = address & ~GuestPage.offsetMask
        return debug.watchpoints.contains { $0.covers(page, count: GuestPage.size) }
    }

    /// Notes in `watchHit` that a debugger's watchpoint saw an access.
    func noteAccess(_ address: UInt64, _ count: UInt64, _ access: MemoryAccess) {
        if debug.watchpoints.isEmpty || access.isImplicit { return }
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

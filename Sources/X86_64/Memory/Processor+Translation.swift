// SPDX-License-Identifier: Apache-2.0

extension Processor {
    /// The generation that entries for loads and stores must have now.
    var currentDataGeneration: UInt64 { checksAlignment ? 1 : tlb.dataGeneration }

    /// Something changed that translation, privilege or the code mode depend on: the loop's entry points to the soft TLB
    /// are set anew. Cheap; whoever changes what cached entries were checked against flushes them besides.
    func contextChanged() {
        let context: TranslationCache.Context =
            if state.pointee.cr0 & CR0.pg == 0 {
                .physical
            } else if state.pointee.privilege == 3 {
                .user
            } else if state.pointee.cr4 & CR4.smap != 0
                && state.pointee.systemFlags & RFlags.alignmentCheck == 0
            {
                .supervisor
            } else {
                .supervisorUserAccess
            }
        state.pointee.dataTLB = tlb.dataSet(context).bitPattern
        // No entry has generation 1: with alignment checks every access takes the slow path, which makes them.
        state.pointee.dataGeneration = currentDataGeneration
        updateCodeBase()
        state.pointee.fetchTLB = tlb.fetchSet(context, codeMode).bitPattern
        state.pointee.fetchGeneration = tlb.fetchGeneration
    }

    /// The sizes that instructions have by default.
    var codeMode: CodeMode {
        let rights = state.pointee.segments[1].rights
        if state.pointee.efer & EFER.lma != 0 && rights.contains(.long) { return .long64 }
        return rights.contains(.big) ? .legacy32 : .legacy16
    }
}

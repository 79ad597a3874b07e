// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// How outlined instructions hand back to the loop.
extension Processor {
    /// The instruction pointer behind `op`, which the state has at its beginning.
    @inline(__always)
    func next(_ op: MicroOp) -> UInt64 {
        (state.pointee.rip &+ op.length) & (op.attributes.mode == .long64 ? .max : 0xffff_ffff)
    }

    /// The instruction is done and what it changed concerns the loop: `.jump`, `.look`.
    func advance(_ op: MicroOp, _ outcome: Outcome) -> Outcome {
        state.pointee.rip = next(op)
        return outcome
    }

    /// The instruction is done, and the engine is left with `exit`.
    func leave(_ exit: VMExit, _ op: MicroOp) -> Outcome {
        state.pointee.rip = next(op)
        leaving = exit
        return .leave
    }

    /// CS or the code mode changed: what fetches add and check is set anew.
    func updateCodeBase() {
        guard codeMode != .long64 else {
            state.pointee.codeBase = 0
            return
        }
        let register = state.pointee.segments[1]
        state.pointee.codeBase = register.base
        // Entries outside of 64-bit mode were made for a base and a limit.
        guard register.base != state.pointee.legacyCodeBase || register.limit != state.pointee.legacyCodeLimit else {
            return
        }
        state.pointee.legacyCodeBase = register.base
        state.pointee.legacyCodeLimit = register.limit
        tlb.flushFetches()
    }
}

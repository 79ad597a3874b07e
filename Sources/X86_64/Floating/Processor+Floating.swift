// SPDX-License-Identifier: Apache-2.0

extension Processor {
    /// Executes an instruction of the x87 room. The instruction pointer is in the state.
    @inline(never)
    func executeX87(_ op: MicroOp) -> Outcome {
        raise(.invalidOpcode)
    }

    /// Executes an instruction of the vector room. The instruction pointer is in the state.
    @inline(never)
    func executeVector(_ op: MicroOp) -> Outcome {
        raise(.invalidOpcode)
    }
}

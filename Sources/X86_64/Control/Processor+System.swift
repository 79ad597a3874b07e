// SPDX-License-Identifier: Apache-2.0

import MachineCore

extension Processor {
    /// Executes an instruction of the system room. The instruction pointer is in the state.
    @inline(never)
    func executeSystem(_ op: MicroOp) -> Outcome {
        guard let operation = SystemOperation(rawValue: op.detail) else { return raise(.invalidOpcode) }
        switch operation {
        case .hlt:
            guard state.pointee.privilege == 0 else { return raise(.generalProtection) }
            state.pointee.activity = .halted
            return leave(.halt, op)
        default: return raise(.invalidOpcode)
        }
    }
}

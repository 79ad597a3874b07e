// SPDX-License-Identifier: Apache-2.0

import Host
import MachineCore

extension VCPU {
    /// Does what an exit asks for, on the thread that ran the engine.
    func handle(_ exit: VMExit) {
        switch exit {
        case .requested: takeSample(.running)
        // SAFETY: this thread has the processor; so for all below.
        case .halt: unsafe local.isHalted = true
        case .yield: HostThread.yield()
        case .hypercall: Processor.answerCall(self)
        case .request(let request): hold(request)
        case .debug(let stop):
            parkSelf()
            machine?.debugStopped(vcpu: id, stop)
        }
    }

    /// Lets the machine decide what becomes of `request`, and stands until it has.
    func hold(_ request: MachineRequest) {
        unsafe local.isHeld = true  // SAFETY: see `handle`.
        machine?.guestRequests(request)
    }

    /// Forgets what the vCPU waited for: the machine is being reset.
    func forgetWaits() {
        // SAFETY: see `handle`; or parked.
        unsafe local.isHalted = false
        unsafe local.isHeld = false
    }

    /// Keeps the processor's counts so far, which its reset forgets.
    func keepCounts() {
        // SAFETY: see `handle`; or parked.
        unsafe local.retiredBefore &+= processor.retired
        unsafe local.countersBefore = processor.counters.adding(local.countersBefore)
    }
}

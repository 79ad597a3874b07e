// SPDX-License-Identifier: Apache-2.0

import Host
import MachineCore
import VMMemory

extension MachineLife: VCPUOwner {
    func guestRequests(_ request: MachineRequest) { post(.guestRequest(request)) }

    func debugStopped(vcpu: Int, _ stop: DebugStop) { post(.debugStop(vcpu: vcpu, stop)) }

    func vcpuParked() { parkBell.wake() }

    func timerDeadline(vcpu: Int) -> UInt64? { board.timers.monotonicDeadline(slot: vcpu) }
}

extension MachineLife {
    /// Makes running vCPUs say where they are, waiting a moment at most.
    func refreshSamples() {
        guard state == .running else { return }
        let asked = board.vcpus.filter(\.mayExecute).map { ($0, $0.sampleCount) }
        for (vcpu, _) in asked { vcpu.mailbox.post(.stop) }
        let deadline = MonotonicTime.after(milliseconds: 50)
        let gate = WaitGate()
        while MonotonicTime.now < deadline, asked.contains(where: { $0.mayExecute && $0.sampleCount == $1 }) {
            gate.wait(untilMonotonic: MonotonicTime.now + 200_000)
        }
    }

    /// Lets one vCPU execute one instruction; for the conductor, while the machine stands.
    func stepVCPU(_ id: Int) -> DebugStop {
        let vcpu = board.vcpus[id]
        // SAFETY: all vCPUs are parked.
        guard !Board.Processor.isOffline(vcpu), unsafe !vcpu.local.isHeld else { return .step }
        unsafe vcpu.local.isHalted = false
        unsafe vcpu.processor.stepsOnce = true
        defer { unsafe vcpu.processor.stepsOnce = false }
        // A request to stop that was not taken before the machine stood is no answer to the step.
        vcpu.mailbox.withdraw(.stop)
        let exit = vcpu.runEngine()
        if case .debug(let stop) = exit { return stop }
        vcpu.handle(exit)
        return .step
    }
}

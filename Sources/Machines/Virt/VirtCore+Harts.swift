// SPDX-License-Identifier: Apache-2.0

import Devices
import Host
import MachineCore
import RISCV64
import VMMemory

extension VirtCore: VCPUOwner {
    func answer(_ call: SBICall) -> SBIOutcome { BuiltInSBI(platform: self).answer(call) }

    func answer(_ call: SBICall, legacyMask: UInt64) -> SBIOutcome {
        BuiltInSBI(platform: self).legacy(call, mask: legacyMask)
    }

    func guestRequests(_ request: MachineRequest) { post(.guestRequest(request)) }

    func debugStopped(hart: Int, _ stop: DebugStop) { post(.debugStop(hart: hart, stop)) }

    func vcpuParked() { parkBell.wake() }

    func timerDeadline(hart: Int) -> UInt64? { board.timers.monotonicDeadline(slot: hart) }
}

extension VirtCore: SBIPlatform {
    var hartCount: Int { board.vcpus.count }
    var memory: GuestMemory { board.memory }

    func hartState(_ id: Int) -> SBIHartState { board.vcpus[id].supervisorState }

    func startHart(_ id: Int, at entry: SBIEntry) -> Bool { board.vcpus[id].start(at: entry) }

    func sendSoftwareInterrupt(to id: Int) {
        let vcpu = board.vcpus[id]
        if vcpu.mailbox.setLine(HartPin.supervisorSoftware, level: true) { vcpu.gate.wake() }
    }

    /// Waits until each target has taken the request or is out of its engine, before whose next instruction it will.
    ///
    /// The caller itself is out of its engine for as long as this takes, so two harts that fence each other do not wait
    /// for each other.
    func fence(harts mask: UInt64, _ requests: Mailbox.Requests, from caller: Int) {
        let targets = board.vcpus.filter { mask >> UInt64($0.id) & 1 != 0 }
        for vcpu in targets { vcpu.mailbox.post(requests) }
        for vcpu in targets where vcpu.id != caller {
            var spins = 0
            while vcpu.mayExecute, !vcpu.mailbox.pending.isDisjoint(with: requests) {
                spins += 1
                // The target may wait for this very core.
                if spins & 63 == 0 { HostThread.yield() }
            }
        }
    }

    func writeConsole(_ bytes: [UInt8]) -> Int { board.console.send(bytes) }

    /// Reads the UART's receiver as firmware would: registers RBR (0) and LSR (5), unless the divisor latch is mapped
    /// over them (LCR bit 7).
    func readConsole(_ count: Int) -> [UInt8] {
        board.uart.change { chip in
            guard chip.state.lineControl & 0x80 == 0 else { return [] }
            var bytes: [UInt8] = []
            while bytes.count < count, chip.read(at: 5, width: .byte) & 1 != 0 {
                bytes.append(UInt8(truncatingIfNeeded: chip.read(at: 0, width: .byte)))
            }
            return bytes
        }
    }
}

extension VirtCore {
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

    /// Lets one hart execute one instruction; for the conductor, while the machine stands.
    func stepHart(_ id: Int) -> DebugStop {
        let vcpu = board.vcpus[id]
        // SAFETY: all vCPUs are parked.
        guard unsafe !vcpu.local.isOffline, unsafe !vcpu.local.isHeld else { return .step }
        unsafe vcpu.local.isHalted = false
        unsafe vcpu.hart.debug.steps = true
        defer { unsafe vcpu.hart.debug.steps = false }
        // A request to stop that was not taken before the machine stood is no answer to the step.
        vcpu.mailbox.withdraw(.stop)
        let exit = vcpu.runEngine()
        if case .debug(let stop) = exit { return stop }
        vcpu.handle(exit)
        return .step
    }
}

// SPDX-License-Identifier: Apache-2.0

import Devices
import Host
import MachineCore
import RISCV64

/// The interrupt pins of all harts as one sink: input 64 * hart + the interrupt's number in mip.
///
/// The vCPUs own the bus, whose devices own their wires to here: so the way back is weak.
@safe
final class HartPins: InterruptSink {
    private struct Target {
        weak var vcpu: VCPU<Hart>?
    }

    // SAFETY: written once, by `connect`, before the machine runs.
    private nonisolated(unsafe) var targets: [Target] = []

    /// Sets whose pins these are; once, when the machine is assembled.
    func connect(_ vcpus: [VCPU<Hart>]) {
        // SAFETY: before the machine runs.
        unsafe targets = vcpus.map { Target(vcpu: $0) }
    }

    private func vcpu(_ hart: Int) -> VCPU<Hart>? {
        // SAFETY: only read once the machine runs.
        unsafe targets.indices.contains(hart) ? targets[hart].vcpu : nil
    }

    func setLine(_ number: Int, level: Bool) {
        guard let vcpu = vcpu(number >> 6) else { return }
        if vcpu.mailbox.setLine(number & 63, level: level), level { vcpu.gate.wake() }
    }

    /// The time for which the hart's own timer was armed has come.
    func timerExpired(_ hart: Int) { vcpu(hart)?.interrupt() }

    /// The guest set the time that all harts read.
    func timeMoved() {
        for hart in 0..<count {
            guard let vcpu = vcpu(hart) else { continue }
            vcpu.mailbox.post([.timeMoved, .interrupt])
            vcpu.gate.wake()
        }
    }

    private var count: Int { unsafe targets.count }  // SAFETY: only read once the machine runs.

    /// The wire to interrupt `number` of `hart`.
    func line(_ hart: Int, _ number: Int) -> InterruptLine { InterruptLine(to: self, number: hart << 6 | number) }
}

/// Interrupt numbers of a hart, as mip has them (RISC-V Priv 1.13 §3.1.9).
enum HartPin {
    static let supervisorSoftware = 1
    static let machineSoftware = 3
    static let machineTimer = 7
    static let supervisorExternal = 9
    static let machineExternal = 11
}

extension BoardSlot: InterruptSink where Chip == PLIC {
    func setLine(_ number: Int, level: Bool) { change { $0.setSource(number, level: level) } }
}

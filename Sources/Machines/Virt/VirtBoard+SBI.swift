// SPDX-License-Identifier: Apache-2.0

import Devices
import Host
import MachineCore
import RISCV64
import VMMemory

extension VirtBoard: SBIPlatform {
    var hartCount: Int { vcpus.count }

    func hartState(_ id: Int) -> SBIHartState { vcpus[id].firmware.state }

    func startHart(_ id: Int, at entry: SBIEntry) -> Bool {
        guard vcpus[id].firmware.start(at: entry) else { return false }
        vcpus[id].gate.wake()
        return true
    }

    func sendSoftwareInterrupt(to id: Int) {
        let vcpu = vcpus[id]
        if vcpu.mailbox.setLine(HartPin.supervisorSoftware, level: true) { vcpu.gate.wake() }
    }

    /// Waits until each target has taken the request or is out of its engine, before whose next instruction it will.
    ///
    /// The caller itself is out of its engine for as long as this takes, so two harts that fence each other do not wait
    /// for each other.
    func fence(harts mask: UInt64, _ requests: Mailbox.Requests, from caller: Int) {
        let targets = vcpus.filter { mask >> UInt64($0.id) & 1 != 0 }
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

    func writeConsole(_ bytes: [UInt8]) -> Int { console.send(bytes) }

    /// Reads the UART's receiver as firmware would: registers RBR (0) and LSR (5), unless the divisor latch is mapped
    /// over them (LCR bit 7).
    func readConsole(_ count: Int) -> [UInt8] {
        uart.change { chip in
            guard chip.state.lineControl & 0x80 == 0 else { return [] }
            var bytes: [UInt8] = []
            while bytes.count < count, chip.read(at: 5, width: .byte) & 1 != 0 {
                bytes.append(UInt8(truncatingIfNeeded: chip.read(at: 0, width: .byte)))
            }
            return bytes
        }
    }
}

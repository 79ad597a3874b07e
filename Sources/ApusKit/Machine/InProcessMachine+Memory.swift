// SPDX-License-Identifier: Apache-2.0

import Host
import Machines

extension InProcessMachine {
    /// Gives the guest `size` bytes of memory: more than it has, up to the configuration's maximum, or less. Returns
    /// when the guest has been told; `status` says how far it has come. Throws where the guest has no driver for it.
    func setMemory(_ size: UInt64) async throws(VirtualMachineError) {
        try await onControl { () throws(VirtualMachineError) in
            guard self.state == .running || self.state == .paused else {
                throw VirtualMachineError(.state, "the machine is \(self.state.rawValue): its memory cannot change")
            }
            // The balloon's lock is taken on the devices' loop, as every device's is.
            let answer = LoopAnswer<VirtualMachineError?>()
            self.devices.queue.post { [machine = self.machine] in
                do throws(MachineError) {
                    try machine.setMemory(size)
                    answer.give(nil)
                } catch {
                    answer.give(VirtualMachineError(error))
                }
            }
            guard let told = answer.wait(isOver: { self.devices.isClosed }) else {
                throw VirtualMachineError(.state, "the machine has ended: its memory cannot change")
            }
            if let told { throw told }
        }
    }
}

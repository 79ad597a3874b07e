// SPDX-License-Identifier: Apache-2.0

import MachineCore
import RISCV64

/// A riscv64 machine with the memory map of QEMU's `virt`.
public final class VirtMachine: GuestMachine {
    public let configuration: VirtConfiguration
    public let control: MachineControl
    private let life: MachineLife<VirtBoard>

    /// Opens and checks everything that `configuration` names; no guest instruction runs yet.
    public init(_ configuration: VirtConfiguration) throws(MachineError) {
        try configuration.check()
        self.configuration = configuration
        let guest = try VirtGuest(configuration)
        life = try MachineLife(configuration) { voice throws(MachineError) in
            try VirtBoard(configuration, guest: guest, voice: voice)
        }
        control = MachineControl(life)
    }

    /// Gives `body` hart `id` while no hart executes; a running machine stands for as long as that takes. Registers,
    /// memory by virtual address and breakpoints are read and set here. `body` must not call the machine.
    public func withHart<T>(_ id: Int, _ body: (Hart) -> T) -> T {
        precondition(life.board.vcpus.indices.contains(id), "the machine has no hart \(id)")
        return life.whileStanding { [vcpu = life.board.vcpus[id]] in
            // SAFETY: the vCPU is parked, or has no thread.
            unsafe body(vcpu.processor)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import MachineCore
public import X86_64

/// An x86-64 PC with PCI Express.
public final class PCMachine: GuestMachine {
    public let configuration: PCConfiguration
    public let control: MachineControl
    private let life: MachineLife<PCBoard>

    /// Opens and checks everything that `configuration` names; no guest instruction runs yet.
    public init(_ configuration: PCConfiguration) throws(MachineError) {
        try configuration.check()
        self.configuration = configuration
        let guest = try PCGuest(configuration)
        life = try MachineLife(configuration) { voice throws(MachineError) in
            try PCBoard(configuration, guest: guest, voice: voice)
        }
        control = MachineControl(life)
    }

    /// Gives `body` processor `id` while none executes; a running machine stands for as long as that takes. Registers,
    /// memory by linear address and breakpoints are read and set here. `body` must not call the machine.
    public func withProcessor<T>(_ id: Int, _ body: (Processor) -> T) -> T {
        precondition(life.board.vcpus.indices.contains(id), "the machine has no processor \(id)")
        return life.whileStanding { [vcpu = life.board.vcpus[id]] in
            // SAFETY: the vCPU is parked, or has no thread.
            unsafe body(vcpu.processor)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import Host

extension InProcessMachine {
    /// Changes what the guest gets. What can be is checked before anything changes.
    func apply(_ settings: MachineSettings) async throws(VirtualMachineError) -> MachineReply {
        guard state == .running || state == .paused else {
            throw VirtualMachineError(.state, "the machine is \(state.rawValue): there is nothing to set")
        }
        guard !settings.isEmpty else {
            throw VirtualMachineError(.configuration, "nothing is to be set; give a setting and its value")
        }
        try settings.validate()
        try validateLimits(settings)
        try settings.cpuset?.validate(allowed: devices.processors.governor.allowed)
        // The guest's own driver has to agree: first, so that nothing else has changed where it does not.
        if let memory = settings.memory { try await setMemory(memory) }
        try devices.processors.apply(settings)
        applyLimits(settings)
        return .done("set")
    }
}

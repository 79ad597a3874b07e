// SPDX-License-Identifier: Apache-2.0

import Host
import Machines

extension VirtualMachineError {
    init(_ error: HostError) { self.init(.host, error.description) }

    init(_ error: MachineError) {
        switch error {
        case .configuration, .bootFile: self.init(.configuration, error.description)
        case .host: self.init(.host, error.description)
        case .state: self.init(.state, error.description)
        }
    }
}

extension VirtualMachine.State {
    init(_ state: MachineState) {
        switch state {
        case .ready: self = .ready
        case .running: self = .running
        case .paused: self = .paused
        case .ended: self = .ended
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import MachineCore

extension VMExit {
    /// The exit in a word or two, for people.
    var sentence: String {
        switch self {
        case .requested: "requested"
        case .halt: "halt"
        case .yield: "yield"
        case .hypercall: "hypercall"
        case .debug(.breakpoint): "breakpoint"
        case .debug(.step): "step"
        case .debug(.watchpoint): "watchpoint"
        case .request(.powerOff(let code)): "power-off \(code)"
        case .request(.reset): "reset"
        case .request(.panic): "panic"
        }
    }
}

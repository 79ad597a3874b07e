// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// What a vCPU's thread last said of itself.
struct VCPUSample<Counters: GuestProcessorCounters>: Sendable {
    var pc: UInt64 = 0
    var ring = ""
    var lastExit: VMExit?
    var activity = VCPUStatus.Activity.paused
    var retired: UInt64 = 0
    var counters = Counters()
    var exits = VCPUExits()
}

/// A vCPU's exits by kind.
struct VCPUExits: Sendable {
    var requested: UInt64 = 0
    var halt: UInt64 = 0
    var yield: UInt64 = 0
    var hypercall: UInt64 = 0
    var debug: UInt64 = 0
    var request: UInt64 = 0

    mutating func count(_ exit: VMExit) {
        switch exit {
        case .requested: requested &+= 1
        case .halt: halt &+= 1
        case .yield: yield &+= 1
        case .hypercall: hypercall &+= 1
        case .debug: debug &+= 1
        case .request: request &+= 1
        }
    }

    var named: [(name: String, count: UInt64)] {
        [
            ("halt", halt), ("hypercall", hypercall), ("yield", yield), ("requested", requested),
            ("debug", debug), ("request", request),
        ]
    }
}

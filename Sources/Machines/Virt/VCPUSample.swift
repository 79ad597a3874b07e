// SPDX-License-Identifier: Apache-2.0

import MachineCore
import RISCV64

/// What a vCPU's thread last said of itself.
struct VCPUSample: Sendable {
    /// Exits by kind.
    struct Exits: Sendable {
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

    var pc: UInt64 = 0
    var privilege = Privilege.machine
    var lastExit: VMExit?
    var activity = VCPUStatus.Activity.paused
    var retired: UInt64 = 0
    var counters = HartCounters()
    var exits = Exits()

    /// The engine's counts by name.
    var namedCounters: [(name: String, count: UInt64)] {
        [
            ("exceptions", counters.exceptions), ("interrupts", counters.interrupts),
            ("tlb-misses", counters.tlbMisses), ("code-pages", counters.codePages),
            ("bus-accesses", counters.busAccesses), ("waits", counters.waits),
        ]
    }
}

extension HartCounters {
    /// The sum with the counts from before a reset of the hart.
    func adding(_ other: HartCounters) -> HartCounters {
        var sum = self
        sum.exceptions &+= other.exceptions
        sum.interrupts &+= other.interrupts
        sum.tlbMisses &+= other.tlbMisses
        sum.codePages &+= other.codePages
        sum.busAccesses &+= other.busAccesses
        sum.waits &+= other.waits
        return sum
    }
}

extension Privilege {
    /// The letter that the manual has for the ring.
    var letter: String {
        switch self {
        case .user: "U"
        case .supervisor: "S"
        case .machine: "M"
        }
    }
}

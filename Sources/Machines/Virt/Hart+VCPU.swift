// SPDX-License-Identifier: Apache-2.0

import MachineCore
import RISCV64

extension Hart: GuestProcessor {
    typealias Counters = HartCounters
    typealias Firmware = SupervisorFirmware

    var number: Int { configuration.id }
    var programCounter: UInt64 { pc }
    var ring: String { privilege.letter }

    var stepsOnce: Bool {
        get { debug.steps }
        set { debug.steps = newValue }
    }

    static func isOffline(_ vcpu: VCPU<Hart>) -> Bool { vcpu.firmware.isOffline }

    static func bringOnline(_ vcpu: VCPU<Hart>) -> Bool {
        guard let entry = vcpu.firmware.takeEntry() else { return false }
        vcpu.enterSupervisor(at: entry)
        return true
    }

    static func hasWoken(_ vcpu: VCPU<Hart>) {
        if let entry = vcpu.firmware.takeResumption() { vcpu.enterSupervisor(at: entry) }
    }

    static func answerCall(_ vcpu: VCPU<Hart>) { vcpu.answerSupervisor() }
}

extension HartCounters: GuestProcessorCounters {
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

    var named: [(name: String, count: UInt64)] {
        [
            ("exceptions", exceptions), ("interrupts", interrupts), ("tlb-misses", tlbMisses),
            ("code-pages", codePages), ("bus-accesses", busAccesses), ("waits", waits),
        ]
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

// SPDX-License-Identifier: Apache-2.0

import MachineCore
import X86_64

/// The x86-64 machine has no firmware of its own below the guest: a processor starts by messages of others.
struct NoFirmware: Sendable {}

extension Processor: GuestProcessor {
    typealias Counters = ProcessorCounters
    typealias Firmware = NoFirmware

    var number: Int { configuration.id }
    var programCounter: UInt64 { rip }

    var ring: String {
        switch registers.privilege & 3 {
        case 0: "0"
        case 1: "1"
        case 2: "2"
        default: "3"
        }
    }

    var stepsOnce: Bool {
        get { debug.steps }
        set { debug.steps = newValue }
    }

    static func isOffline(_ vcpu: VCPU<Processor>) -> Bool {
        // SAFETY: the vCPU's own thread, or whoever parked it.
        unsafe vcpu.processor.registers.activity == .waitForStartup
    }

    /// The processor itself looks at what came: INIT, a start-up message.
    static func bringOnline(_ vcpu: VCPU<Processor>) -> Bool { !vcpu.mailbox.isEmpty }

    static func hasWoken(_ vcpu: VCPU<Processor>) {}

    static func answerCall(_ vcpu: VCPU<Processor>) {}
}

extension ProcessorCounters: GuestProcessorCounters {
    func adding(_ other: ProcessorCounters) -> ProcessorCounters {
        var sum = self
        sum.exceptions &+= other.exceptions
        sum.interrupts &+= other.interrupts
        sum.tlbMisses &+= other.tlbMisses
        sum.codePages &+= other.codePages
        sum.codeDrops &+= other.codeDrops
        sum.busAccesses &+= other.busAccesses
        sum.portAccesses &+= other.portAccesses
        sum.waits &+= other.waits
        return sum
    }

    var named: [(name: String, count: UInt64)] {
        [
            ("exceptions", exceptions), ("interrupts", interrupts), ("tlb-misses", tlbMisses),
            ("code-pages", codePages), ("code-drops", codeDrops), ("bus-accesses", busAccesses),
            ("port-accesses", portAccesses), ("waits", waits),
        ]
    }
}

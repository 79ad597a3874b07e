// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore

/// A processor's local APIC, alone: what its processor does with it.
struct LAPICBench {
    let clock = HandClock(1000)
    let inbox: LAPICInbox
    let apic: LAPIC
    let woken = Recorder<Bool>()

    init(
        identity: UInt32 = 0, isBootProcessor: Bool = true, features: LAPIC.Features = LAPIC.Features(),
        timeStampFrequency: UInt64 = 1_000_000_000
    ) {
        let woken = woken
        inbox = LAPICInbox(identity: identity) { woken.record(true) }
        apic = LAPIC(
            inbox: inbox, isBootProcessor: isBootProcessor, features: features, clock: clock,
            timeStampRate: TimeStampRate(frequency: timeStampFrequency))
    }

    /// One that software has enabled, its spurious vector 0xFF.
    static func enabled(_ identity: UInt32 = 0, features: LAPIC.Features = LAPIC.Features()) -> LAPICBench {
        let bench = LAPICBench(identity: identity, features: features)
        bench.apic.writeWord(0x1FF, 0xF0)
        return bench
    }

    /// One in x2APIC mode, enabled.
    static func x2APIC(_ identity: UInt32 = 0) -> LAPICBench {
        let bench = enabled(identity)
        _ = bench.apic.writeRegister(0xFEE0_0D00, 0x1B)
        return bench
    }

    func post(_ vector: UInt8, isLevel: Bool = false) { inbox.post(.fixed, vector: vector, isLevel: isLevel) }
    func endOfInterrupt() { apic.writeWord(0, 0xB0) }
    var isPending: Bool { apic.pendingEvents.contains(.maskable) }

    /// All that can be taken, each ended at once.
    func drain() -> [UInt8] {
        var taken: [UInt8] = []
        while case .vector(let vector) = apic.acknowledge() {
            taken.append(vector)
            endOfInterrupt()
        }
        return taken
    }
}

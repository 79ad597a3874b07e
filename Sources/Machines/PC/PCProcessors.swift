// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore
import Synchronization
import X86_64

/// The way back from chips to the processors that own the doors to them: hence weak.
@safe
final class PCProcessors: ProcessorPeers {
    private struct Target {
        weak var vcpu: VCPU<Processor>?
    }

    // SAFETY: written once, by `connect`, before the machine runs.
    private nonisolated(unsafe) var targets: [Target] = []

    /// Sets whose processors these are; once, when the machine is assembled.
    func connect(_ vcpus: [VCPU<Processor>]) {
        // SAFETY: before the machine runs.
        unsafe targets = vcpus.map { Target(vcpu: $0) }
    }

    /// Makes a processor look at its local APIC.
    func wake(_ id: Int) {
        // SAFETY: only read once the machine runs.
        guard unsafe targets.indices.contains(id) else { return }
        unsafe targets[id].vcpu?.interrupt()
    }

    func forgetWrites(except id: Int) {
        // SAFETY: only read once the machine runs.
        for (number, target) in unsafe targets.enumerated() where number != id {
            target.vcpu?.mailbox.post(.forgetWrites)
        }
    }
}

/// The local APICs as one part of the board: what a reset of the machine does to them.
final class PCLocalAPICs: BoardResident {
    let name = "lapics"
    private let doors: [PCDoor]

    init(_ doors: [PCDoor]) { self.doors = doors }

    func reset() { for door in doors { door.reset() } }

    func refresh() {}

    var counters: [(name: String, count: UInt64)] { [] }
}

/// The way from the fabric to the IOAPIC, which is made after it.
@safe
final class PCInterruptEnds: Sendable {
    // SAFETY: written once, before the machine runs.
    private nonisolated(unsafe) weak var ioapic: BoardSlot<IOAPIC>?

    func connect(_ ioapic: BoardSlot<IOAPIC>) {
        unsafe self.ioapic = ioapic  // SAFETY: before the machine runs.
    }

    /// A level-triggered interrupt of `vector` is served.
    func end(_ vector: UInt8) {
        unsafe ioapic?.change { $0.endOfInterrupt(vector) }  // SAFETY: see `ioapic`.
    }
}

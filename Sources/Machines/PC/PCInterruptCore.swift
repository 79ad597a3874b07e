// SPDX-License-Identifier: Apache-2.0

import Devices
import Host
import MachineCore
import X86_64

/// The interrupt controllers of an x86-64 machine and what is between them, made in the order that they need each other.
struct PCInterruptCore {
    let doors: [PCDoor]
    let fabric: InterruptFabric
    let timers: BoardTimers
    let pics: BoardSlot<PICPair>
    let ioapic: BoardSlot<IOAPIC>
    let lines: PCLines

    /// The controllers of the machine of `configuration`, which wake `processors`.
    init(_ configuration: PCConfiguration, processors: PCProcessors, clock: VirtualClock, loop: EventLoop) {
        let count = configuration.processors
        let inboxes = (0..<count).map { id in
            LAPICInbox(identity: UInt32(id)) { [processors] in processors.wake(id) }
        }
        let model = configuration.model
        let features = LAPIC.Features(
            hasX2APIC: model.has(.x2apic), hasTimeStampDeadline: model.has(.tscDeadline),
            physicalAddressBits: UInt8(clamping: model.physicalAddressBits))
        doors = inboxes.enumerated().map { id, inbox in
            PCDoor(
                id: id,
                lapic: LAPIC(
                    inbox: inbox, isBootProcessor: id == 0, features: features, clock: clock,
                    timeStampRate: PCBoard.timeStampRate), clock: clock)
        }
        let ends = PCInterruptEnds()
        fabric = InterruptFabric(inboxes) { [ends] in ends.end($0) }
        timers = BoardTimers(harts: count, clock: clock, loop: loop) { [inboxes] in inboxes[$0].timerExpired() }
        // INTR reaches the boot processor's LINT0.
        pics = BoardSlot(PICPair(), name: "pic", wires: [InterruptLine(to: inboxes[0], number: 0)])
        ioapic = BoardSlot(IOAPIC(messages: fabric), name: "ioapic")
        ends.connect(ioapic)
        lines = PCLines(pics: pics, ioapic: ioapic)
    }
}

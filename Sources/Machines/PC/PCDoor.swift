// SPDX-License-Identifier: Apache-2.0

import Devices
import Host
import MachineCore
import VMMemory

/// The door of one processor of the x86-64 machine: bus, ports, clock, and the local APIC, which is the processor's own.
///
/// The processor's thread alone calls it, or whoever parked that; so the local APIC needs no lock. What it asks for
/// leaves it after each access, when nothing is locked.
@safe
final class PCDoor: ProcessorDoor {
    /// The chips that the processors reach, which are made after their doors.
    struct Chips {
        let bus: Bus
        let ports: PortSpace
        let fabric: InterruptFabric
        let pics: BoardSlot<PICPair>
        let timers: BoardTimers
    }

    let id: Int
    // SAFETY: see the type's comment.
    nonisolated(unsafe) let lapic: LAPIC
    private let clock: any Clock
    // SAFETY: written once, before the machine runs.
    private nonisolated(unsafe) var chips: Chips?
    /// The deadline that the vCPU's timer has; nil: none, or it has expired.
    // SAFETY: as for `lapic`.
    private nonisolated(unsafe) var armed: UInt64?

    init(id: Int, lapic: LAPIC, clock: any Clock) {
        self.id = id
        self.clock = clock
        unsafe self.lapic = lapic  // SAFETY: stored.
    }

    /// Sets what the door leads to; once, when the machine is assembled.
    func connect(_ chips: Chips) {
        unsafe self.chips = chips  // SAFETY: before the machine runs.
    }

    // SAFETY: the processor's thread, or whoever parked it; `chips` was set before the machine ran.
    private var apic: LAPIC { unsafe lapic }
    private var wired: Chips? { unsafe chips }

    /// The local APIC as firmware leaves it at power-on: the boot processor takes the PICs' interrupts.
    func reset() {
        apic.reset()
        if id == 0 { apic.enterVirtualWireMode() }
        unsafe armed = nil  // SAFETY: the processor is parked.
        settle()
    }

    /// Sends what the local APIC asks for, and arms the timer for its next moment.
    private func settle(rearms: Bool = true) {
        guard let chips = wired else { return }
        for request in apic.takeRequests() { chips.fabric.perform(request) }
        let deadline = apic.deadline
        // SAFETY: the processor's thread, or whoever parked it.
        guard rearms || (unsafe deadline != armed) else { return }
        guard unsafe deadline != nil || armed != nil else { return }
        unsafe armed = deadline
        chips.timers.arm(slot: id, deadline: deadline)
    }

    // MARK: Bus and ports

    func busRead(at address: GuestAddress, width: AccessWidth) -> UInt64? {
        if let page = apic.pageAddress, address.value & ~0xFFF == page {
            defer { settle(rearms: false) }
            return apic.read(at: address.value & 0xFFF, width: width)
        }
        return wired?.bus.read(at: address, width: width)
    }

    func busWrite(_ value: UInt64, at address: GuestAddress, width: AccessWidth) -> Bool {
        if let page = apic.pageAddress, address.value & ~0xFFF == page {
            apic.write(value, at: address.value & 0xFFF, width: width)
            settle(rearms: false)
            return true
        }
        return wired?.bus.write(value, at: address, width: width) ?? false
    }

    func portRead(at port: UInt16, width: AccessWidth) -> UInt64 {
        wired?.ports.read(at: port, width: width) ?? width.mask
    }

    func portWrite(_ value: UInt64, at port: UInt16, width: AccessWidth) {
        wired?.ports.write(value, at: port, width: width)
    }

    // MARK: Time and chance

    func time() -> UInt64 { clock.nanoseconds }

    func random() -> UInt64 {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }

    // MARK: Interrupts

    func interrupts(_ mailbox: Mailbox) -> UInt64 {
        // The timer may have expired: what it was armed for is over.
        defer { settle() }
        return apic.pendingEvents.rawValue
    }

    func acknowledge() -> UInt8? {
        defer { settle(rearms: false) }
        switch apic.acknowledge() {
        case .vector(let vector): return vector
        case .external: return wired?.pics.change { $0.acknowledge() }
        case .none: return nil
        }
    }

    func take(_ event: ProcessorEvents) -> Bool {
        defer { settle(rearms: false) }
        return apic.take(event)
    }

    func unblockNonMaskable() { apic.unblockNonMaskable() }

    func takeStartUp() -> UInt8? { apic.takeStartUp() }

    func taskPriority() -> UInt8 { apic.taskPriority }

    func setTaskPriority(_ priority: UInt8) {
        apic.taskPriority = priority & 15
        settle(rearms: false)
    }

    func readLocalRegister(_ index: UInt32) -> UInt64? {
        defer { settle(rearms: false) }
        return apic.readRegister(index)
    }

    func writeLocalRegister(_ value: UInt64, _ index: UInt32) -> Bool {
        defer { settle(rearms: false) }
        return apic.writeRegister(value, index)
    }

    func setTimeStampOffset(_ offset: UInt64) {
        apic.setTimeStampOffset(offset)
        settle(rearms: false)
    }
}

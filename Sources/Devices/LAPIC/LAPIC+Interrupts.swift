// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// Priorities, acceptance and the end of interrupts; local interrupts and errors.
extension LAPIC {
    // MARK: The processor's side

    /// What waits for the processor. A maskable interrupt only if its priority is above the processor's (Intel SDM Vol
    /// 3A §11.8.3.1).
    public var pendingEvents: ProcessorEvents {
        settle()
        var events: ProcessorEvents = []
        if hasExternal || deliverable != nil { events.insert(.maskable) }
        let posted = inbox.pending
        if posted.nonMaskableCount != 0 { events.insert(.nonMaskable) }
        if posted.contains(.systemManagement) { events.insert(.systemManagement) }
        if posted.contains(.initialize) { events.insert(.initialize) }
        if posted.contains(.startUp) { events.insert(.startUp) }
        return events
    }

    /// Takes the interrupt that comes first: an external one, else the highest vector.
    public func acknowledge() -> Acknowledgement {
        settle()
        if hasExternal {
            _ = inbox.take(.external)
            return .external
        }
        guard let vector = deliverable else { return .none }
        inbox.withdraw(vector)
        state.inService[Int(vector / 32)] |= 1 << UInt32(vector % 32)
        publish()
        return .vector(vector)
    }

    /// Takes one of NMI, SMI and INIT; INIT resets the registers.
    public func take(_ event: ProcessorEvents) -> Bool {
        settle()
        switch event {
        case .nonMaskable: return inbox.takeNonMaskable()
        case .systemManagement: return inbox.take(.systemManagement) != []
        case .initialize:
            guard inbox.take(.initialize) != [] else { return false }
            initialize()
            return true
        default: return false
        }
    }

    /// See `ProcessorDoor.unblockNonMaskable`.
    public func unblockNonMaskable() { inbox.unblockNonMaskable() }

    /// Takes a start-up: its vector.
    public func takeStartUp() -> UInt8? { inbox.takeStartUp() }

    /// The task priority as CR8 has it (§11.8.6.1): bits 7:4 of the register. It works with the local APIC off, too.
    public var taskPriority: UInt8 {
        get { state.taskPriority >> 4 }
        set {
            settle()
            state.taskPriority = newValue << 4
            publish()
        }
    }

    // MARK: Priorities (§11.8.3)

    /// The highest vector in service, or nil.
    var highestInService: UInt8? {
        for word in (0..<8).reversed() where state.inService[word] != 0 {
            return UInt8(word * 32 + 31 - state.inService[word].leadingZeroBitCount)
        }
        return nil
    }

    /// §11.8.3.1: the task's priority or that of what is in service, whichever class is higher.
    var processorPriority: UInt8 {
        let served = highestInService ?? 0
        return state.taskPriority >> 4 >= served >> 4 ? state.taskPriority : served & 0xF0
    }

    /// §11.6.2.4: like the processor's, but with what is only requested, too.
    var arbitrationPriority: UInt8 {
        let highest = max(highestInService ?? 0, inbox.highestRequest ?? 0)
        return state.taskPriority >> 4 >= highest >> 4 ? state.taskPriority : highest & 0xF0
    }

    private var deliverable: UInt8? {
        guard mode != .off, let vector = inbox.highestRequest, vector >> 4 > processorPriority >> 4 else { return nil }
        return vector
    }

    /// Whether an external interrupt waits: by message, by LINT0 or LINT1 as their vectors say, or by LINT0 itself with
    /// the local APIC off (§11.4.3).
    private var hasExternal: Bool {
        if mode == .off { return inbox.pin(0) }
        if inbox.pending.contains(.external) { return true }
        return isExternal(.lint0, pin: 0) || isExternal(.lint1, pin: 1)
    }

    private func isExternal(_ entry: LocalVector, pin: UInt32) -> Bool {
        localVector(entry) & (LocalVector.masked | 0x700) == 0x700 && inbox.pin(pin)
    }

    // MARK: End of interrupt (§11.8.5)

    /// The highest vector in service is served. IOAPICs hear of it if it was level-triggered.
    func endOfInterrupt() {
        guard let vector = highestInService else { return }
        state.inService[Int(vector / 32)] &= ~(1 << UInt32(vector % 32))
        if inbox.isLevel(vector) {
            for entry in [LocalVector.lint0, .lint1] where localVector(entry) & 0xFF == UInt32(vector) {
                state.localVectors[entry.rawValue] &= ~LocalVector.remoteRequest
            }
            if state.spurious & Spurious.noBroadcast == 0 { ask(.end(vector)) }
        }
        publish()
        settle()
    }

    // MARK: What has happened meanwhile

    /// Takes in what came by the pins and the timer. Called before the registers are read or changed, so that each
    /// event meets the registers as they were.
    func settle() {
        let edges = inbox.take([.rose0, .rose1, .illegalVector])
        if edges.contains(.illegalVector) { note(ErrorStatus.receivedIllegalVector) }
        if edges.contains(.rose0) { rise(.lint0, pin: 0) }
        if edges.contains(.rose1) { rise(.lint1, pin: 1) }
        sample(.lint0, pin: 0)
        sample(.lint1, pin: 1)
        settleTimer()
    }

    /// A pin rose. With the local APIC off, LINT1 is the NMI pin (§11.4.3).
    private func rise(_ entry: LocalVector, pin: UInt32) {
        guard mode != .off else {
            if pin == 1 { inbox.raiseNonMaskable() }
            return
        }
        let vector = localVector(entry)
        // A fixed interrupt may be level-triggered: `sample`. All others are edges, but the external one (§11.5.1).
        if vector & 0x700 == 0, vector & LocalVector.level != 0 { return }
        deliver(entry)
    }

    /// A level-triggered pin asks for its vector while it is up, once until the end of interrupt (§11.5.1).
    private func sample(_ entry: LocalVector, pin: UInt32) {
        let vector = localVector(entry)
        let pattern = LocalVector.masked | LocalVector.remoteRequest | LocalVector.level | 0x700
        guard mode != .off, vector & pattern == LocalVector.level, inbox.pin(pin) else { return }
        state.localVectors[entry.rawValue] |= LocalVector.remoteRequest
        guard vector & 0xFF >= 16 else { return note(ErrorStatus.receivedIllegalVector) }
        inbox.request(UInt8(truncatingIfNeeded: vector), isLevel: true)
    }

    /// A local interrupt, as its vector says.
    func deliver(_ entry: LocalVector) {
        let vector = localVector(entry)
        guard vector & LocalVector.masked == 0, mode != .off else { return }
        let hasDelivery = entry != .timer && entry != .error
        switch InterruptMessage.Delivery(rawValue: hasDelivery ? UInt8(truncatingIfNeeded: vector >> 8) & 7 : 0) {
        case .fixed:
            guard vector & 0xFF >= 16 else {
                // The error's own vector makes no further error.
                if entry != .error { note(ErrorStatus.receivedIllegalVector) }
                return
            }
            inbox.request(UInt8(truncatingIfNeeded: vector), isLevel: false)
        case .systemManagement: inbox.post(.systemManagement, vector: 0, isLevel: false)
        case .nonMaskable: inbox.post(.nonMaskable, vector: 0, isLevel: false)
        case .initialize: inbox.post(.initialize, vector: 0, isLevel: false)
        default: break
        }
    }

    /// An error was found (§11.5.3): it shows after the guest's next write, and interrupts now.
    func note(_ error: UInt32) {
        state.pendingErrors |= error
        deliver(.error)
    }
}

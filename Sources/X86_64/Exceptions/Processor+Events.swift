// SPDX-License-Identifier: Apache-2.0

import MachineCore

extension Processor {
    /// Takes the event of the highest priority that waits and may be taken now (Intel SDM Vol 3A §7.9): what the loop does
    /// next. A processor that has nothing to execute leaves the engine.
    func takeEvents() -> Outcome {
        let waiting = ProcessorEvents(rawValue: door.interrupts(mailbox))
        if waiting.contains(.initialize), door.take(.initialize) {
            initialize()
            return .look
        }
        switch state.pointee.activity {
        case .shutdown:
            leaving = .request(.reset)
            return .leave
        case .waitForStartup:
            guard waiting.contains(.startUp), let vector = door.takeStartUp() else { return sleep() }
            start(vector: vector)
            return .look
        case .running, .halted: break
        }
        // One that meets a processor not waiting for it is ignored (Intel SDM Vol 3A §10.4.4); there is no SMM here.
        if waiting.contains(.startUp) { _ = door.takeStartUp() }
        if waiting.contains(.systemManagement) { _ = door.take(.systemManagement) }
        if state.pointee.activity == .halted { state.pointee.shadow = [] }
        if state.pointee.injected.kind != .none { return deliverInjected() }
        if let event = nextInterruption(waiting) {
            state.pointee.activity = .running
            counters.interrupts &+= 1
            return deliver(event)
        }
        return state.pointee.activity == .halted ? sleep() : .next
    }

    /// The NMI or interrupt that is to be delivered now, taken from the door; or nil.
    private func nextInterruption(_ waiting: ProcessorEvents) -> Interruption? {
        let isShadowed = state.pointee.shadow.contains(.movSS)
        if !state.pointee.nmiBlocked, !isShadowed {
            if state.pointee.nmiPending || (waiting.contains(.nonMaskable) && door.take(.nonMaskable)) {
                state.pointee.nmiPending = false
                state.pointee.nmiBlocked = true
                return external(2)
            }
        }
        guard waiting.contains(.maskable), state.pointee.systemFlags & RFlags.interrupt != 0,
            state.pointee.shadow.isEmpty, let vector = door.acknowledge()
        else { return nil }
        return external(vector)
    }

    private func external(_ vector: UInt8) -> Interruption {
        Interruption(vector: vector, source: .external, returnAddress: state.pointee.rip)
    }

    /// Goes on with a delivery that another engine began.
    private func deliverInjected() -> Outcome {
        let event = state.pointee.injected
        state.pointee.injected = PendingEvent()
        state.pointee.activity = .running
        let source: Interruption.Source =
            switch event.kind {
            case .interrupt, .nmi, .none: .external
            case .exception: .exception
            case .softwareInterrupt: .software
            }
        if event.kind == .nmi { state.pointee.nmiBlocked = true }
        return deliver(
            Interruption(
                vector: event.vector, source: source, code: event.hasErrorCode ? event.errorCode : nil,
                returnAddress: state.pointee.rip &+ (source == .software ? UInt64(event.length) : 0)))
    }

    private func sleep() -> Outcome {
        counters.waits &+= 1
        leaving = .halt
        return .leave
    }

    /// Whether an interrupt would be taken now, for a debugger's status and for waits.
    public var hasWaitingEvent: Bool {
        let waiting = ProcessorEvents(rawValue: door.interrupts(mailbox))
        if waiting.contains(.initialize) || waiting.contains(.nonMaskable) { return true }
        if state.pointee.activity == .waitForStartup { return waiting.contains(.startUp) }
        return waiting.contains(.maskable) && state.pointee.systemFlags & RFlags.interrupt != 0
    }

    // MARK: Software interrupts

    /// INT n, INT3 or INTO, `next` behind it (Intel SDM Vol 2A "INT n").
    func softwareInterrupt(_ vector: UInt8, next: UInt64) -> Outcome {
        let event = Interruption(vector: vector, source: .software, returnAddress: next)
        if isVirtual8086 {
            if let outcome = virtualInterrupt(event) { return outcome }
            guard ioPrivilege == 3 else { return raise(.generalProtection) }
        }
        return deliver(event)
    }

    /// INT n in virtual-8086 mode with CR4.VME: by the redirection bitmap below the I/O bitmap it may go to the 8086
    /// program's own handler (Intel SDM Vol 3B §22.3). Nil: it does not.
    private func virtualInterrupt(_ event: Interruption) -> Outcome? {
        guard state.pointee.cr4 & CR4.vme != 0, state.pointee.tr.rights.type & 8 != 0 else { return nil }
        let tss = state.pointee.tr
        guard let base = loadSystem(tss.base &+ 0x66, bytes: 2) else { return .fault }
        let place = base &+ UInt64(event.vector / 8) &- 32
        guard base >= 32, place <= UInt64(tss.limit) else { return raise(.generalProtection) }
        guard let byte = loadSystem(tss.base &+ place, bytes: 1) else { return .fault }
        guard byte >> UInt64(event.vector & 7) & 1 == 0 else { return nil }
        return enterRealHandler(event, tableBase: 0) ? .look : .fault
    }
}

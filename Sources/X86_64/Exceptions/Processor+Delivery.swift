// SPDX-License-Identifier: Apache-2.0

import MachineCore

extension Processor {
    /// Delivers `fault` at the instruction in the state; double and triple faults included. What the loop does next.
    func deliverFault() -> Outcome {
        let found = fault
        note(found)
        return deliver(interruption(of: found, at: state.pointee.rip))
    }

    /// The exception that `fault` is for an instruction at `address`.
    private func interruption(of fault: Fault, at address: UInt64) -> Interruption {
        Interruption(
            vector: fault.vector.rawValue, source: .exception,
            code: fault.vector.hasErrorCode ? fault.code : nil, returnAddress: address,
            setsResume: Processor.setsResume(fault))
    }

    /// Whether the flags that an exception pushes have RF set: faults do (Intel SDM Vol 3B §19.3.1.1), traps and aborts
    /// do not. Nor does #DB: a handler sets RF itself to pass an instruction breakpoint.
    private static func setsResume(_ fault: Fault) -> Bool {
        switch fault.vector {
        case .breakpoint, .overflow, .doubleFault, .machineCheck, .nmi, .debug: false
        default: true
        }
    }

    /// What an exception leaves in registers before it is delivered: CR2, or DR6 and DR7.
    private func note(_ fault: Fault) {
        counters.exceptions &+= 1
        switch fault.vector {
        case .pageFault: state.pointee.cr2 = fault.address
        case .debug:
            // B0 to B3 are this exception's; the other bits are never cleared (Intel SDM Vol 3B §19.2.3).
            state.pointee.dr6 = state.pointee.dr6 & ~0xf | fault.address
            state.pointee.dr7 &= ~(1 << 13)
            // LBR and BTF (Intel SDM Vol 3B §19.4.1).
            state.pointee.debugControl &= ~3
        default: break
        }
    }

    /// Delivers `interruption`, and what comes of the attempt, until a handler is entered or the processor gives up.
    func deliver(_ first: Interruption) -> Outcome {
        var current = first
        let from = state.pointee.privilege
        let address = state.pointee.rip
        while true {
            if enterHandler(current) {
                // TF was cleared on the way in (Intel SDM Vol 3B §19.3.1.4).
                trapFollows = false
                state.pointee.shadow = []
                if let tracer {
                    tracer.transition(
                        processor: configuration.id, from: UInt8(from), to: UInt8(state.pointee.privilege),
                        rip: address, vector: current.vector, code: current.code ?? 0)
                }
                return .look
            }
            var next = fault
            note(next)
            if Processor.isSelectorFault(next.vector) { next.code |= current.externalBit }
            // External and software interrupts are benign whatever their number.
            let held: ExceptionClass =
                current.source == .exception ? ExceptionClass(vector: current.vector) : .benign
            switch held.meets(ExceptionClass(vector: next.vector.rawValue)) {
            // At the instruction still, or at the new task's where a switch had come that far.
            case .second: current = interruption(of: next, at: state.pointee.rip)
            case .doubleFault: current = interruption(of: Fault(.doubleFault), at: state.pointee.rip)
            case .shutdown: return shutDown()
            }
        }
    }

    /// A triple fault: a PC resets (Intel SDM Vol 3A §7.15, interrupt 8).
    private func shutDown() -> Outcome {
        state.pointee.activity = .shutdown
        leaving = .request(.reset)
        return .leave
    }

    private static func isSelectorFault(_ vector: ExceptionVector) -> Bool {
        switch vector {
        case .invalidTSS, .segmentNotPresent, .stackFault, .generalProtection: true
        default: false
        }
    }

    /// Enters the handler of `event`: false if that raised a fault, and nothing but memory below a stack has changed.
    private func enterHandler(_ event: Interruption) -> Bool {
        if isReal { return enterRealHandler(event) }
        return isLongMode ? enterLongHandler(event) : enterProtectedHandler(event)
    }

    /// The flags that an interruption pushes.
    func pushedFlags(_ event: Interruption) -> UInt64 {
        state.pointee.rflags & ~RFlags.resume
            | (event.setsResume || (event.source == .external && state.pointee.rflags & RFlags.resume != 0)
                ? RFlags.resume : 0)
    }

    /// Real mode, and virtual-8086 mode's own handlers: four bytes an entry (Intel SDM Vol 3B §22.1.4).
    func enterRealHandler(_ event: Interruption, tableBase: UInt64? = nil) -> Bool {
        let entry = UInt64(event.vector) * 4
        if tableBase == nil {
            guard entry + 3 <= UInt64(state.pointee.idtr.limit) else {
                fault = Fault(.generalProtection)
                return false
            }
        }
        guard let target = loadSystem((tableBase ?? state.pointee.idtr.base) &+ entry, bytes: 4) else { return false }
        var stack = currentStack
        var flags = pushedFlags(event)
        if isVirtual8086 && ioPrivilege < 3 {
            // The handler sees IOPL 3 and its own IF (Intel SDM Vol 3B §22.3.2).
            flags |= RFlags.ioPrivilege
            flags &= ~RFlags.interrupt
            if flags & RFlags.virtualInterrupt != 0 { flags |= RFlags.interrupt }
        }
        guard push(&stack, flags & 0xffff, 2), push(&stack, UInt64(state.pointee.segments[1].selector), 2),
            push(&stack, event.returnAddress & 0xffff, 2)
        else { return false }
        commit(stack)
        if isVirtual8086 && ioPrivilege < 3 {
            state.pointee.rflags &= ~(RFlags.trap | RFlags.resume | RFlags.virtualInterrupt | RFlags.nestedTask)
        } else {
            state.pointee.rflags &= ~(RFlags.interrupt | RFlags.trap | RFlags.resume | RFlags.alignmentCheck)
        }
        loadRealSegment(.cs, UInt16(truncatingIfNeeded: target >> 16))
        state.pointee.rip = target & 0xffff
        contextChanged()
        return true
    }
}

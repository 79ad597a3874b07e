// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// The portable engine and the reference for all others: executes decoded micro-ops one after the other.
public final class Interpreter: Engine {
    public init() {}

    public var name: StaticString { "interpreter" }

    public func run(_ hart: Hart) -> VMExit {
        hart.debug.steps ? hart.step() : hart.interpret()
    }
}

extension Hart {
    /// Answers the mailbox and takes a pending interrupt: what the loop does whenever it has looked up.
    func attend() -> VMExit? {
        if state.hasRequests {
            let requests = mailbox.take()
            if requests.contains(.flushTranslations) { tlb.flush() }
            if requests.contains(.flushInstructions) { flushInstructions() }
            if requests.contains(.forgetWrites) { tlb.flush() }
            contextChanged()
            if requests.contains(.stop) { return .requested }
        }
        _ = takeInterrupt()
        return nil
    }

    /// Executes one instruction, without taking an interrupt.
    func step() -> VMExit {
        if state.hasRequests && mailbox.take().contains(.stop) { return .requested }
        contextChanged()
        guard let op = decodeAlone() else { return .debug(.step) }
        var frame = Frame(
            hart: state, op: op, base: op, page: state.pointee.pc, retired: state.pointee.retired, data: state.dataSet,
            generation: state.pointee.dataGeneration)
        switch execute(&frame, single: true) {
        case .leave: return leaving
        case .next, .fetch, .look: return .debug(.step)
        }
    }

    /// Runs until an exit.
    func interpret() -> VMExit {
        if debug.passesBreakpointAtStart {
            debug.passesBreakpointAtStart = false
            let exit = step()
            if exit != .debug(.step) { return exit }
        }
        var outcome = Outcome.look
        while true {
            // A guest whose trap handler itself traps never gets to a branch: requests are looked at on every way.
            if outcome == .look || state.hasRequests, let exit = attend() { return exit }
            guard let base = currentPage() else {
                outcome = .fetch
                continue
            }
            let pc = state.pointee.pc
            var frame = Frame(
                hart: state, op: base + Int(pc & 4095) / 2, base: base, page: pc & ~4095,
                retired: state.pointee.retired, data: state.dataSet, generation: state.pointee.dataGeneration)
            outcome = execute(&frame, single: false)
            if outcome == .leave { return leaving }
        }
    }

    private func currentPage() -> OpPointer? {
        let page = state.pointee.pc & ~4095
        return state.fetchSet.find(page, generation: state.pointee.fetchGeneration) ?? fetchPage()
    }
}

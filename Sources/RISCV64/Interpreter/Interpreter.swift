// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

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
        if answerRequests() { return .requested }
        _ = takeInterrupt()
        return nil
    }

    /// Does what the mailbox asks for; true if that is to stop. Interrupts are looked at by whoever may take one.
    private func answerRequests() -> Bool {
        guard state.hasRequests else { return false }
        let requests = mailbox.take()
        if requests.contains(.flushTranslations) || requests.contains(.forgetWrites) { tlb.flush() }
        if requests.contains(.flushInstructions) { flushInstructions() }
        if requests.contains(.timeMoved) { armTimer() }
        contextChanged()
        return requests.contains(.stop)
    }

    /// Executes one instruction, without taking an interrupt. Hints to wait end at once, as they may.
    func step() -> VMExit {
        if answerRequests() { return .requested }
        guard let frame = aloneFrame() else { return .debug(.step) }
        // No fetch entry has this generation (its bits are an address's): whatever the instruction leads to leaves.
        state.pointee.fetchGeneration = 1
        let outcome = execute(frame)
        contextChanged()
        guard outcome == .leave, leaving != .halt, leaving != .yield else { return .debug(.step) }
        return leaving
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
            guard let frame = currentFrame() else {
                outcome = .fetch
                continue
            }
            outcome = execute(frame)
            if outcome == .leave { return leaving }
        }
    }

    /// Where to go on at the PC, or nil when the fetch trapped.
    private func currentFrame() -> Frame? {
        let pc = state.pointee.pc
        let page = pc & ~GuestPage.offsetMask
        if let base = state.fetchSet.find(page, generation: state.pointee.fetchGeneration) {
            return frame(base + Int(pc & GuestPage.offsetMask) / 2, base: base, page: page)
        }
        switch fetchPage() {
        case .page(let base): return frame(base + Int(pc & GuestPage.offsetMask) / 2, base: base, page: page)
        case .alone:
            let stops = debug.breakpoints.contains(pc)
            let frame = aloneFrame()
            if stops && frame != nil { code.scratch.pointee = MicroOp(.breakpointHit) }
            return frame
        case .trapped: return nil
        }
    }

    /// A frame for the one instruction at the PC, or nil when its fetch trapped.
    private func aloneFrame() -> Frame? {
        guard let op = decodeAlone() else { return nil }
        var frame = frame(op, base: op, page: state.pointee.pc)
        frame.enterAlone(op, at: state.pointee.pc)
        return frame
    }

    private func frame(_ op: OpPointer, base: OpPointer, page: UInt64) -> Frame {
        Frame(
            hart: state, op: op, base: base, page: page, retired: state.pointee.retired, data: state.dataSet,
            generation: state.pointee.dataGeneration)
    }
}

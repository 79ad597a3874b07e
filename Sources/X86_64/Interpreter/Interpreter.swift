// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

/// The portable engine and the reference for all others: executes decoded micro-ops one after the other.
public final class Interpreter: Engine {
    public init() {}

    public var name: StaticString { "interpreter" }

    public func run(_ processor: Processor) -> VMExit {
        processor.debug.steps ? processor.step() : processor.interpret()
    }
}

/// How one instruction ended that was executed on its own.
public enum Completion: Equatable, Sendable {
    /// It is done.
    case done
    /// It raised a fault, which was not delivered; nothing else has changed.
    case fault(Fault)
    /// It is done, or to be made again after the exit.
    case exit(VMExit)
}

extension Processor {
    /// Runs until an exit.
    func interpret() -> VMExit {
        if debug.passesBreakpointAtStart {
            debug.passesBreakpointAtStart = false
            let exit = step()
            if exit != .debug(.step) { return exit }
        }
        var outcome = Outcome.look
        while true {
            if needsAttention, let exit = answerAttention() { return exit }
            if outcome == .look || state.hasRequests {
                if answerRequests() { return .requested }
                outcome = takeEvents()
            }
            if outcome != .fault && outcome != .leave {
                if state.pointee.activity != .running {
                    // Behind an INIT a start-up may wait already, and nobody will tell of it again.
                    if outcome == .look { continue }
                    return idleExit()
                }
                outcome = stepsAlone ? executeAlone() : executeOn()
            }
            // Delivery may itself have to look again, or end in a shutdown.
            if outcome == .fault { outcome = deliverFault() }
            if outcome == .leave { return leaving }
        }
    }

    /// Executes one instruction, without taking an interrupt.
    func step() -> VMExit {
        if answerRequests() { return .requested }
        if state.pointee.activity != .running { return idleExit() }
        var outcome = executeAlone()
        if outcome == .fault { outcome = deliverFault() }
        if needsAttention, let exit = answerAttention() { return exit }
        guard outcome == .leave, leaving != .halt, leaving != .yield else { return .debug(.step) }
        return leaving
    }

    /// Executes the instruction at the instruction pointer and nothing else, for engines that cannot: no interrupt is
    /// taken, a fault is handed back and not delivered.
    public func completeInstruction() -> Completion {
        contextChanged()
        switch executeAlone(traps: false) {
        case .fault: return .fault(fault)
        case .leave: return .exit(leaving)
        case .next, .jump, .look:
            if needsAttention { _ = answerAttention() }
            return .done
        }
    }

    /// Executes decoded instructions until something else has to be looked at.
    func executeOn() -> Outcome {
        switch fetchCode() {
        case .code(let op, let code):
            let page = state.pointee.rip &- (codeAddress & GuestPage.offsetMask)
            var frame = frame(op, code)
            frame.enter(code, page: page, op)
            return execute(frame)
        case .alone: return debug.breakpoints.contains(codeAddress) ? stopAtBreakpoint() : executeAlone()
        case .fault: return .fault
        }
    }

    private func stopAtBreakpoint() -> Outcome {
        leaving = .debug(.breakpoint)
        return .leave
    }

    /// Executes the one instruction at the instruction pointer; then, where that is asked, the trap that follows it.
    func executeAlone(traps: Bool = true) -> Outcome {
        let flags = state.pointee.systemFlags
        let shadow = state.pointee.shadow
        if traps && checkInstructionBreakpoint() { return .fault }
        trapFollows = nil
        loadedResume = false
        guard let op = decodeAlone() else { return .fault }
        let start = state.pointee.rip
        var frame = frame(op, nil)
        frame.page = start
        // What is relative to the next instruction counts from there.
        state.setR64(17, start &+ op.pointee.length)
        // No fetch entry has this generation: whatever the instruction leads to leaves.
        state.pointee.fetchGeneration = 1
        let outcome = execute(frame)
        state.pointee.fetchGeneration = tlb.fetchGeneration
        return finishInstruction(outcome, flags: traps ? flags : flags & ~RFlags.trap, shadow: shadow)
    }

    private func frame(_ op: OpPointer, _ code: CodePage?) -> Frame {
        Frame(
            state: state, op: op, page: 0, code: code, arena: self.code.arena, retired: state.pointee.retired,
            data: state.dataSet, generation: state.pointee.dataGeneration)
    }

    /// Looks at what an access left behind: overwritten instructions, a debugger's watchpoint.
    func answerAttention() -> VMExit? {
        needsAttention = false
        tlb.flushFetches()
        contextChanged()
        guard let hit = watchHit else { return nil }
        watchHit = nil
        return .debug(hit)
    }

    /// Does what the mailbox asks for; true if that is to stop.
    private func answerRequests() -> Bool {
        guard state.hasRequests else { return false }
        let requests = mailbox.take()
        if requests.contains(.flushTranslations) { tlb.flush() }
        if requests.contains(.forgetWrites) { tlb.flushData() }
        if requests.contains(.flushInstructions) {
            code.expire()
            tlb.flushFetches()
        }
        contextChanged()
        return requests.contains(.stop)
    }

    /// Why a processor that executes nothing leaves its engine.
    private func idleExit() -> VMExit {
        counters.waits &+= 1
        return .halt
    }
}

// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

/// Debug exceptions (Intel SDM Vol 3B §19.2, §19.3).
extension Processor {
    /// DR7 has an instruction breakpoint that is on.
    var hasInstructionBreakpoints: Bool { breakpointMask(kinds: 1 << 0) != 0 }

    /// DR7 has a breakpoint on data, or on ports, that is on.
    var hasDataBreakpoints: Bool { breakpointMask(kinds: 1 << 1 | 1 << 2 | 1 << 3) != 0 }

    /// Something has to be looked at around every single instruction: TF, RF, a shadow, breakpoints of DR7.
    @inline(__always)
    var stepsAlone: Bool {
        state.pointee.systemFlags & (RFlags.trap | RFlags.resume) != 0 || !state.pointee.shadow.isEmpty
            || (state.pointee.dr7 & 0xff != 0 && (hasInstructionBreakpoints || hasDataBreakpoints))
    }

    /// The enabled breakpoints whose R/W field is among `kinds`, a bit a value: a bit a breakpoint.
    private func breakpointMask(kinds: UInt64) -> UInt64 {
        var mask: UInt64 = 0
        for number: UInt64 in 0..<4 {
            let isOn = state.pointee.dr7 >> (number * 2) & 3 != 0
            let kind = state.pointee.dr7 >> (16 + number * 4) & 3
            if isOn && kinds >> kind & 1 != 0 { mask |= 1 << number }
        }
        return mask
    }

    /// Where and how long breakpoint `number` is: its address is aligned to its length.
    private func breakpointRange(_ number: Int) -> (start: UInt64, count: UInt64) {
        let length: UInt64 =
            switch state.pointee.dr7 >> (18 + UInt64(number) * 4) & 3 {
            case 0: 1
            case 1: 2
            case 2: 8
            default: 4
            }
        return (state.pointee.debugAddresses[number] & ~(length - 1), length)
    }

    /// An instruction breakpoint at the instruction in the state: raised as a fault, with higher priority than anything
    /// about the instruction. RF lets it pass once.
    func checkInstructionBreakpoint() -> Bool {
        guard state.pointee.dr7 & 0xff != 0, state.pointee.systemFlags & RFlags.resume == 0 else { return false }
        let mask = breakpointMask(kinds: 1)
        guard mask != 0, !state.pointee.shadow.contains(.movSS) else { return false }
        let address = wrapped(
            state.pointee.is64Bit ? state.pointee.rip : state.pointee.rip &+ state.pointee.segments[1].base)
        var hits: UInt64 = 0
        for number in 0..<4 where mask >> UInt64(number) & 1 != 0 && state.pointee.debugAddresses[number] == address {
            hits |= 1 << UInt64(number)
        }
        guard hits != 0 else { return false }
        fault = Fault(.debug, address: hits)
        return true
    }

    /// Whether a breakpoint on data lies in the page at `page`.
    func isBreakpointData(page: UInt64) -> Bool {
        let mask = breakpointMask(kinds: 1 << 1 | 1 << 3)
        return (0..<4).contains { number in
            mask >> UInt64(number) & 1 != 0 && (breakpointRange(number).start ^ page) & ~GuestPage.offsetMask == 0
        }
    }

    /// Notes which breakpoints an access to data hits: `finishInstruction` raises them.
    func noteDataBreakpoints(_ address: UInt64, _ count: UInt64, writes: Bool) {
        let mask = breakpointMask(kinds: writes ? 1 << 1 | 1 << 3 : 1 << 3)
        guard mask != 0 else { return }
        for number in 0..<4 where mask >> UInt64(number) & 1 != 0 {
            let range = breakpointRange(number)
            if address &- range.start < range.count || range.start &- address < count {
                debugHits |= 1 << UInt64(number)
            }
        }
    }

    /// The same for ports, where CR4.DE has them watched.
    func notePortBreakpoints(_ port: UInt16, _ count: UInt64) {
        guard state.pointee.cr4 & CR4.de != 0 else { return }
        let mask = breakpointMask(kinds: 1 << 2)
        for number in 0..<4 where mask >> UInt64(number) & 1 != 0 {
            let range = breakpointRange(number)
            if UInt64(port) &- range.start < range.count || range.start &- UInt64(port) < count {
                debugHits |= 1 << UInt64(number)
            }
        }
    }

    /// What follows an instruction that was executed alone: the shadow that stood before it ends, and the traps that it
    /// leaves are raised (single step, data and port breakpoints). `before` is what held when it began.
    func finishInstruction(_ outcome: Outcome, flags before: UInt64, shadow: InterruptShadow) -> Outcome {
        var outcome = outcome
        if outcome == .fault {
            // A fault takes the instruction back: nothing that it did counts.
            debugHits = 0
            return .fault
        }
        // RF lasts for one instruction, but for what loads it: that one's is for the next (Intel SDM Vol 3B §19.3.1.1).
        if !loadedResume { state.pointee.systemFlags &= ~RFlags.resume }
        if state.pointee.shadow == shadow { state.pointee.shadow = [] }
        if outcome == .next || outcome == .jump { outcome = .look }
        var hits = debugHits
        debugHits = 0
        if trapFollows ?? (before & RFlags.trap != 0) { hits |= 1 << 14 }
        guard hits != 0 else { return outcome }
        // MOV SS and POP SS hold debug exceptions back until after the next instruction.
        if state.pointee.shadow.contains(.movSS) {
            debugHits = hits & 0xf
            return outcome
        }
        guard outcome != .leave else { return outcome }
        if state.pointee.activity == .halted { state.pointee.activity = .running }
        fault = Fault(.debug, address: hits)
        return .fault
    }
}

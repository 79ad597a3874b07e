// SPDX-License-Identifier: Apache-2.0

import SoftFloat

/// Bits of the x87 status word (Intel SDM Vol 1 §8.1.3).
enum X87Status {
    /// SF: with IE, the stack was the reason.
    static var stackFault: UInt16 { 1 << 6 }
    /// ES: an unmasked exception is pending; B follows it.
    static var summary: UInt16 { 1 << 7 | 1 << 15 }
    static var c0: UInt16 { 1 << 8 }
    static var c1: UInt16 { 1 << 9 }
    static var c2: UInt16 { 1 << 10 }
    static var c3: UInt16 { 1 << 14 }
    static var conditions: UInt16 { c0 | c1 | c2 | c3 }
    /// TOP.
    static var top: UInt16 { 7 << 11 }
}

// The x87 register stack.
extension Processor {
    /// The physical number of ST(`index`).
    @inline(__always)
    func x87Physical(_ index: UInt8) -> Int { Int((state.pointee.x87Status >> 11 &+ UInt16(index)) & 7) }

    @inline(__always)
    func isX87Empty(_ index: UInt8) -> Bool { state.pointee.x87Tags >> UInt16(x87Physical(index)) & 1 == 0 }

    /// ST(`index`), empty or not.
    @inline(__always)
    func x87(_ index: UInt8) -> Extended80 {
        let physical = x87Physical(index)
        return Extended80(
            significand: state.pointee.x87Significands[physical], signExponent: state.pointee.x87Exponents[physical])
    }

    /// Sets ST(`index`), which is no longer empty.
    @inline(__always)
    func setX87(_ index: UInt8, _ value: Extended80) {
        let physical = x87Physical(index)
        state.pointee.x87Significands[physical] = value.significand
        state.pointee.x87Exponents[physical] = value.signExponent
        state.pointee.x87Tags |= 1 << UInt16(physical)
    }

    /// Moves TOP; 1 pops.
    @inline(__always)
    func rotateX87(_ distance: UInt16) {
        let status = state.pointee.x87Status
        state.pointee.x87Status = status & ~X87Status.top | (status &+ distance << 11) & X87Status.top
    }

    /// Empties ST(0) and pops it.
    @inline(__always)
    func popX87() {
        state.pointee.x87Tags &= ~(1 << UInt16(x87Physical(0)))
        rotateX87(1)
    }

    /// Pushes `value` onto a stack that has room: see `isX87Full`.
    @inline(__always)
    func pushX87(_ value: Extended80) {
        rotateX87(7)
        setX87(0, value)
    }

    /// Whether a push would overflow the stack.
    @inline(__always)
    var isX87Full: Bool { !isX87Empty(7) }

    /// Sets C0 to C3.
    @inline(__always)
    func setConditions(_ bits: UInt16) {
        state.pointee.x87Status = state.pointee.x87Status & ~X87Status.conditions | bits
    }

    /// Notes what an instruction raised, with C1 as its rounding says. False: an exception found before computation
    /// traps, and no register is to change.
    @inline(__always)
    @discardableResult
    func note(_ environment: X87Environment) -> Bool {
        let status = state.pointee.x87Status & ~X87Status.c1
        state.pointee.x87Status =
            status | UInt16(environment.flags.rawValue) | (environment.roundedUp ? X87Status.c1 : 0)
        if !environment.unmasked.isEmpty { state.pointee.x87Status |= X87Status.summary }
        return !environment.isPrevented
    }

    /// A stack underflow, or overflow with C1 set: whether it is masked, so that the indefinite stands in
    /// (Intel SDM Vol 1 §8.5.1.1).
    @inline(never)
    func stackFault(overflow: Bool = false) -> Bool {
        let masked = state.pointee.x87Control & 1 != 0
        let c1 = overflow ? X87Status.c1 : 0
        state.pointee.x87Status =
            state.pointee.x87Status & ~X87Status.c1 | X87Status.stackFault | 1 | c1
            | (masked ? 0 : X87Status.summary)
        return masked
    }

    /// Sets ES and B to whether an unmasked exception is pending: after the control or the status word was loaded.
    func updateX87Summary() {
        let pending = state.pointee.x87Status & ~state.pointee.x87Control & 0x3f != 0
        state.pointee.x87Status =
            state.pointee.x87Status & ~X87Status.summary | (pending ? X87Status.summary : 0)
    }

    /// #MF for a pending exception. Where CR0.NE is clear the processor would have told an external interrupt
    /// controller and waited for it; here it goes on, as with IGNNE# asserted (Intel SDM Vol 1 §D.2.1).
    @inline(never)
    func raisePendingX87() -> Bool {
        guard state.pointee.cr0 & CR0.ne != 0 else { return true }
        fault = Fault(.x87Error)
        return false
    }
}

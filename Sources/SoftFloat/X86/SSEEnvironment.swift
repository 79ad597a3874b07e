// SPDX-License-Identifier: Apache-2.0

/// MXCSR as one instruction sees it: its controls, and the exceptions raised so far by the instruction.
///
///     var environment = SSEEnvironment(mxcsr: mxcsr)
///     let low = environment.add(Binary64(bits: a), Binary64(bits: b))
///     guard environment.unmasked.isEmpty else { ... #XM, nothing is written but the flags }
///     mxcsr |= environment.reported
@frozen
public struct SSEEnvironment: Sendable {
    /// Rounding mode, flush-to-zero and the flags but for DE.
    @usableFromInline var arithmetic: FloatEnvironment<SSEFloatRules>
    /// The flags of finished elements.
    @usableFromInline var accrued: X86FloatFlags = []
    /// The flags of steps that ended before the current one began.
    @usableFromInline var settled: X86FloatFlags = []
    /// The exceptions that do not trap.
    public let masks: X86FloatFlags
    /// Whether subnormal operands count as zeros, without DE (DAZ).
    public let denormalsAreZero: Bool

    /// The controls in `mxcsr`; its flags do not matter to results. (Intel SDM Vol 1 §10.2.3.)
    @inlinable
    public init(mxcsr: UInt32) {
        masks = X86FloatFlags(rawValue: UInt8(truncatingIfNeeded: mxcsr &>> 7) & 0x3f)
        denormalsAreZero = mxcsr & 0x40 != 0
        let trapsUnderflow = !masks.contains(.underflow)
        arithmetic = FloatEnvironment(
            rounding: Rounding(x86: mxcsr &>> 13),
            rules: SSEFloatRules(
                flushesTinyResults: mxcsr & 0x8000 != 0 && !trapsUnderflow,
                trapsOverflow: !masks.contains(.overflow), trapsUnderflow: trapsUnderflow))
    }

    /// The rounding mode; instructions with a mode of their own set it.
    @inlinable public var rounding: Rounding {
        get { arithmetic.rounding }
        set { arithmetic.rounding = newValue }
    }

    /// The exceptions that trap.
    @inlinable public var unmasked: X86FloatFlags { accrued.union(settled).subtracting(masks) }

    /// What the instruction adds to MXCSR: where an exception found before computation traps in any element, nothing
    /// was computed, and only such exceptions are reported (Intel SDM Vol 1 §11.5.3).
    @inlinable public var reported: X86FloatFlags {
        settled.union(
            unmasked.isDisjoint(with: .beforeComputation) ? accrued : accrued.intersection(.beforeComputation))
    }

    /// Ends a step of an instruction that computes in several, as DPPS does: what traps from here on takes nothing of it
    /// back.
    @inlinable
    public mutating func endStep() {
        settled.formUnion(accrued)
        accrued = []
    }

    /// Leaves inexactness unreported, as ROUNDSS with bit 3 of its immediate does.
    @inlinable
    public mutating func dropInexact() { accrued.remove(.inexact) }

    /// The operand as the instruction sees it under DAZ.
    @inlinable @inline(__always)
    func operand<Format: FloatFormat>(_ x: Format) -> Format {
        denormalsAreZero && x.isSubnormal ? .zero(negative: x.isNegative) : x
    }

    /// Takes the flags of the last operation over, and DE where an operand was subnormal and nothing worse found.
    @inlinable @inline(__always)
    mutating func finish(sawSubnormal: Bool, sawNaN: Bool) {
        var raised = X86FloatFlags(arithmetic.flags)
        arithmetic.flags = []
        if sawSubnormal && !sawNaN && raised.isDisjoint(with: [.invalid, .divideByZero]) { raised.insert(.denormal) }
        accrued.formUnion(raised)
    }
}

extension Rounding {
    /// The direction that RC names in the low two bits of `field` (Intel SDM Vol 1 §4.8.4.1).
    @inlinable
    public init(x86 field: UInt32) {
        self =
            switch field & 3 {
            case 0: .nearestEven
            case 1: .down
            case 2: .up
            default: .towardZero
            }
    }
}

// SPDX-License-Identifier: Apache-2.0

/// Multiplication and division (Intel SDM Vol 2A "DIV", "IDIV", "IMUL", Vol 2B "MUL").
extension Processor {
    /// The accumulator times an operand, into AX or rDX:rAX.
    @inline(__always)
    func multiply<T: Operand>(_ type: T.Type, _ operation: IntegerOperation, _ op: MicroOp) -> Outcome {
        guard let right = readRM(type, op) else { return .fault }
        let left = register(type, 0)
        var (high, low) = left.multipliedFullWidth(by: right)
        if operation == .imul {
            // Of signed factors: each negative one subtracts the other from the upper half.
            if left >> (T.bitWidth - 1) != 0 { high &-= right }
            if right >> (T.bitWidth - 1) != 0 { high &-= left }
        }
        let lower = T(truncatingIfNeeded: low)
        setPair(high, lower)
        let needed = operation == .mul ? high != 0 : high != (lower >> (T.bitWidth - 1) != 0 ? T.max : T(0))
        state.pointee.lazyFlags = LazyFlags(lower, carry: needed, overflow: needed)
        return .next
    }

    /// `imul` with two and three operands: the lower half alone.
    @inline(__always)
    func multiplySigned<T: Operand>(_ type: T.Type, _ operation: IntegerOperation, _ op: MicroOp) -> Outcome {
        guard let value = readRM(type, op) else { return .fault }
        let other = operation == .imulTwo ? register(type, op.a) : T(truncatingIfNeeded: op.immediate)
        let left = Int64(bitPattern: LazyFlags.extended(value))
        let right = Int64(bitPattern: LazyFlags.extended(other))
        let (product, overflow) = left.multipliedReportingOverflow(by: right)
        let result = T(truncatingIfNeeded: product)
        let lost = overflow || Int64(bitPattern: LazyFlags.extended(result)) != product
        setRegister(op.a, result)
        state.pointee.lazyFlags = LazyFlags(result, carry: lost, overflow: lost)
        return .next
    }

    @inline(__always)
    func divide<T: Operand>(_ type: T.Type, _ operation: IntegerOperation, _ op: MicroOp) -> Outcome {
        guard let divisor = readRM(type, op) else { return .fault }
        let high = T.bitWidth == 8 ? T(truncatingIfNeeded: state.r8(1)) : register(type, 2)
        let low = register(type, 0)
        let magnitudes =
            operation == .div ? Self.quotient(high, low, divisor) : Self.signedQuotient(high, low, divisor)
        guard let (quotient, remainder) = magnitudes else { return raise(Fault(.divideError)) }
        setPair(remainder, quotient)
        return .next
    }

    /// AH:AL or rDX:rAX.
    @inline(__always)
    private func setPair<T: Operand>(_ high: T, _ low: T) {
        if T.bitWidth == 8 {
            state.setR16(0, UInt16(truncatingIfNeeded: high) << 8 | UInt16(truncatingIfNeeded: low))
        } else {
            setRegister(2, high)
            setRegister(0, low)
        }
    }

    /// Nil where the quotient does not fit, or the divisor is zero.
    @inline(__always)
    private static func quotient<T: Operand>(_ high: T, _ low: T, _ divisor: T) -> (T, T)? {
        guard high < divisor else { return nil }
        let result = divisor.dividingFullWidth((high, T.Magnitude(truncatingIfNeeded: low)))
        return (result.quotient, result.remainder)
    }

    @inline(__always)
    private static func signedQuotient<T: Operand>(_ high: T, _ low: T, _ divisor: T) -> (T, T)? {
        let top = T(1) << (T.bitWidth - 1)
        let isNegative = high & top != 0
        let divisorIsNegative = divisor & top != 0
        // The dividend's magnitude, over both halves.
        let lower = isNegative ? 0 &- low : low
        let upper = isNegative ? ~high &+ (low == 0 ? 1 : 0) : high
        guard let (quotient, remainder) = quotient(upper, lower, divisorIsNegative ? 0 &- divisor : divisor) else {
            return nil
        }
        let quotientIsNegative = isNegative != divisorIsNegative
        guard quotient < top || (quotientIsNegative && quotient == top) else { return nil }
        return (quotientIsNegative ? 0 &- quotient : quotient, isNegative ? 0 &- remainder : remainder)
    }
}

// SPDX-License-Identifier: Apache-2.0

import SoftFloat

/// What a fused operation does with its three operands, from its place among the operations.
struct FusedForm {
    private let kind: Int
    private let order: Int
    let isDouble: Bool

    init(_ operation: VectorOperation) {
        let place = Int(operation.rawValue &- VectorOperation.fmaddsub132ps.rawValue)
        isDouble = place & 1 != 0
        kind = place / 2 % 6
        order = place / 12
    }

    /// One lane, or its lowest element with the others from `first`: `first` is the destination, then VEX.vvvv's and
    /// ModRM.rm's operands. The form's digits say which are multiplied, and which is added last.
    func apply(_ first: Lane, _ second: Lane, _ third: Lane, scalar: Bool, _ e: inout SSEEnvironment) -> Lane {
        let (x, y, z) =
            switch order {
            case 0: (first, third, second)
            case 1: (second, first, third)
            default: (second, third, first)
            }
        if isDouble {
            var result = first
            for index in 0..<(scalar ? 1 : 2) {
                result.bits[index] =
                    element(
                        Binary64(bits: x.bits[index]), Binary64(bits: y.bits[index]), Binary64(bits: z.bits[index]),
                        index, &e
                    ).bits
            }
            return result
        }
        let (a, b, c) = (
            x.elements(Lane.Doubles.self), y.elements(Lane.Doubles.self), z.elements(Lane.Doubles.self)
        )
        var result = first.elements(Lane.Doubles.self)
        for index in 0..<(scalar ? 1 : 4) {
            result[index] =
                element(Binary32(bits: a[index]), Binary32(bits: b[index]), Binary32(bits: c[index]), index, &e).bits
        }
        return Lane(result)
    }

    private func element<Format: InterchangeFormat>(
        _ x: Format, _ y: Format, _ z: Format, _ index: Int, _ e: inout SSEEnvironment
    ) -> Format {
        // ADDSUB subtracts in the even elements, SUBADD adds there; then MADD, MSUB, NMADD and NMSUB.
        let subtracts =
            switch kind {
            case 0: index & 1 == 0
            case 1: index & 1 != 0
            default: kind & 1 != 0
            }
        return e.multiplyAdd(x, y, z, negatesProduct: kind >= 4, negatesAddend: subtracts)
    }
}

extension Binary32 {
    /// RCPSS: the reciprocal to 12 bits (Intel SDM Vol 2, RCPPS). Subnormal numbers count as zeros, of results too.
    var approximateReciprocal: Binary32 {
        let sign = bits & 0x8000_0000
        if isNaN { return quieted }
        let exponent = Int(bits >> 23 & 0xff)
        if isInfinite || exponent == 0 { return Binary32(bits: sign | (isInfinite ? 0 : 0x7f80_0000)) }
        let significand = UInt64(bits & 0x7f_ffff | 0x80_0000)
        // 2^13 times the quotient of powers of two and the significand: above 2^12.
        let digits = UInt32(((1 << 36) + significand / 2) / significand)
        let field = digits == 1 << 13 ? 254 - exponent : 253 - exponent
        if field <= 0 { return Binary32(bits: sign) }
        return Binary32(bits: sign | UInt32(field) << 23 | (digits << 11) & 0x7f_ffff)
    }

    /// RSQRTSS: the reciprocal of the square root to 12 bits.
    var approximateReciprocalRoot: Binary32 {
        let sign = bits & 0x8000_0000
        if isNaN { return quieted }
        let exponent = Int(bits >> 23 & 0xff)
        if exponent == 0 { return Binary32(bits: sign | 0x7f80_0000) }
        if isNegative { return Binary32.canonicalNaN.negated }
        if isInfinite { return Binary32(bits: 0) }
        // An even power of two apart, the significand is in [1, 4), and 2^18 over its root in (2^17, 2^18].
        let isOdd = (exponent - 127) & 1 != 0
        let significand = UInt64(bits & 0x7f_ffff | 0x80_0000) << (isOdd ? 1 : 0)
        let power = (exponent - 127 - (isOdd ? 1 : 0)) / 2
        let square = (1 << 59) / significand
        var digits: UInt64 = 0
        var bit: UInt64 = 1 << 18
        while bit != 0 {
            if (digits | bit) * (digits | bit) <= square { digits |= bit }
            bit >>= 1
        }
        let field = UInt32((digits >> 18 != 0 ? 127 : 126) - power)
        return Binary32(bits: field << 23 | UInt32(truncatingIfNeeded: digits << 6) & 0x7f_ffff)
    }
}

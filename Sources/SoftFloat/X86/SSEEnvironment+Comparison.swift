// SPDX-License-Identifier: Apache-2.0

/// How two floating-point numbers lie.
@frozen
public enum FloatRelation: UInt8, Sendable {
    case less = 0
    case equal = 1
    case greater = 2
    /// At least one is a NaN.
    case unordered = 3
}

// One element of MINPS, CMPPS and their kin, and COMISS.
extension SSEEnvironment {
    /// MINSS: `x` where it is less than `y`, else `y`: also where both are zeros or one is a NaN, which raises
    /// `invalid` (Intel SDM Vol 2, MINSS).
    @inlinable
    public mutating func minimum<Format: FloatFormat>(_ x: Format, _ y: Format) -> Format {
        let (x, y) = (operand(x), operand(y))
        return relation(x, y, signalsQuiet: true) == .less ? x : y
    }

    /// MAXSS: `x` where it is greater than `y`, else `y`.
    @inlinable
    public mutating func maximum<Format: FloatFormat>(_ x: Format, _ y: Format) -> Format {
        let (x, y) = (operand(x), operand(y))
        return relation(x, y, signalsQuiet: true) == .greater ? x : y
    }

    /// COMISS (`signalsQuiet`) and UCOMISS: how the numbers lie; a signaling NaN raises `invalid`, and a quiet one where
    /// `signalsQuiet`.
    @inlinable
    public mutating func relation<Format: FloatFormat>(_ x: Format, _ y: Format, signalsQuiet: Bool) -> FloatRelation {
        let (x, y) = (operand(x), operand(y))
        if x.isNaN || y.isNaN {
            if signalsQuiet || x.isSignalingNaN || y.isSignalingNaN { accrued.insert(.invalid) }
            return .unordered
        }
        if x.isSubnormal || y.isSubnormal { accrued.insert(.denormal) }
        if x.pattern == y.pattern || (x.magnitude | y.magnitude) == 0 { return .equal }
        return Format.precedes(x, y) ? .less : .greater
    }

    /// CMPSS with the low five bits of `predicate`: bits 2:0 and 3 choose the relations, 4 with 1:0 whether a quiet NaN
    /// raises `invalid` (Intel SDM Vol 2, CMPPD, table of comparison predicates).
    @inlinable
    public mutating func compare<Format: FloatFormat>(_ x: Format, _ y: Format, predicate: UInt8) -> Bool {
        // EQ, LT, LE, UNORD and their negations, then EQ_UQ, NGE, NGT, FALSE and theirs. LT, LE and what is made of them
        // signal; bit 4 turns that over.
        let ordered = predicate & 3
        let signals = (ordered == 1 || ordered == 2) != (predicate & 16 != 0)
        let relation = relation(x, y, signalsQuiet: signals)
        // For each predicate the relations that satisfy it: bit 0 less, 1 equal, 2 greater, 3 unordered.
        let satisfied: UInt8
        switch predicate & 15 {
        case 0: satisfied = 0b0010
        case 1: satisfied = 0b0001
        case 2: satisfied = 0b0011
        case 3: satisfied = 0b1000
        case 4: satisfied = 0b1101
        case 5: satisfied = 0b1110
        case 6: satisfied = 0b1100
        case 7: satisfied = 0b0111
        case 8: satisfied = 0b1010
        case 9: satisfied = 0b1001
        case 10: satisfied = 0b1011
        case 11: satisfied = 0b0000
        case 12: satisfied = 0b0101
        case 13: satisfied = 0b0110
        case 14: satisfied = 0b0100
        default: satisfied = 0b1111
        }
        return satisfied &>> relation.rawValue & 1 != 0
    }
}

// SPDX-License-Identifier: Apache-2.0

/// An operand of an integer instruction.
typealias Operand = FixedWidthInteger & UnsignedInteger

/// What arithmetic leaves in the flags (Intel SDM Vol 1 appendix A).
extension LazyFlags {
    /// A result of the operand's width, sign-extended.
    @inline(__always)
    static func extended<T: Operand>(_ value: T) -> UInt64 {
        let unused = Int64(64 - T.bitWidth)
        return UInt64(bitPattern: (Int64(bitPattern: UInt64(truncatingIfNeeded: value)) &<< unused) &>> unused)
    }

    /// The carries out of each bit of an operand, where `carries` has them.
    @inline(__always)
    private static func placed<T: Operand>(_ carries: T) -> UInt64 {
        let wide = UInt64(truncatingIfNeeded: carries)
        if T.bitWidth == 64 { return wide & 0xc000_0000_0000_0008 }
        return wide &<< UInt64(64 - T.bitWidth) | wide & 8
    }

    /// `result` is `left` + `right`, and a carry where there was one.
    @inline(__always)
    init<T: Operand>(sum result: T, _ left: T, _ right: T) {
        self.init(
            result: Self.extended(result), carries: Self.placed((left & right) | ((left | right) & ~result)))
    }

    /// `result` is `left` - `right`, and less a borrow where there was one.
    @inline(__always)
    init<T: Operand>(difference result: T, _ left: T, _ right: T) {
        self.init(
            result: Self.extended(result), carries: Self.placed((~left & right) | (~(left ^ right) & result)))
    }

    /// Logic: CF, OF and AF are clear.
    @inline(__always)
    init<T: Operand>(logic result: T) {
        self.init(result: Self.extended(result), carries: 0)
    }

    /// SF, ZF and PF of `result` with these others.
    @inline(__always)
    init<T: Operand>(_ result: T, carry: Bool, overflow: Bool, auxiliary: Bool = false) {
        self.init(result: Self.extended(result), carries: 0)
        set(carry: carry, overflow: overflow)
        if auxiliary { carries |= 8 }
    }

    /// Changes CF and OF alone.
    @inline(__always)
    mutating func set(carry: Bool, overflow: Bool) {
        let top: UInt64 = (carry ? 3 << 62 : 0) ^ (overflow ? 1 << 62 : 0)
        carries = carries & ~(3 << 62) | top
    }

    /// The same flags but for CF, which stays that of `other`: INC and DEC.
    @inline(__always)
    func keepingCarry(of other: LazyFlags) -> LazyFlags {
        var flags = self
        flags.set(carry: other.carry, overflow: overflow)
        return flags
    }
}

/// The two-operand operations of opcodes 00 to 3F: the result, and the flags.
extension IntegerOperation {
    @inline(__always)
    func compute<T: Operand>(_ left: T, _ right: T, _ before: LazyFlags, _ flags: inout LazyFlags) -> T {
        switch self {
        case .add:
            let result = left &+ right
            flags = LazyFlags(sum: result, left, right)
            return result
        case .adc:
            let result = left &+ right &+ (before.carry ? 1 : 0)
            flags = LazyFlags(sum: result, left, right)
            return result
        case .sub, .cmp:
            let result = left &- right
            flags = LazyFlags(difference: result, left, right)
            return result
        case .sbb:
            let result = left &- right &- (before.carry ? 1 : 0)
            flags = LazyFlags(difference: result, left, right)
            return result
        case .and, .test:
            flags = LazyFlags(logic: left & right)
            return left & right
        case .or:
            flags = LazyFlags(logic: left | right)
            return left | right
        default:
            flags = LazyFlags(logic: left ^ right)
            return left ^ right
        }
    }

    /// Shifts and rotations by `count`, already masked to 5 or 6 bits and not zero.
    @inline(__always)
    func shift<T: Operand>(_ value: T, by count: Int, _ flags: inout LazyFlags) -> T {
        let bits = T.bitWidth
        let top = T(1) << (bits - 1)
        switch self {
        case .shl, .sal:
            let result = value << count
            let carry = count <= bits && (value >> (bits - count)) & 1 != 0
            flags = LazyFlags(result, carry: carry, overflow: (result & top != 0) != carry)
            return result
        case .shr:
            let result = value >> count
            let carry = count <= bits && (value >> (count - 1)) & 1 != 0
            flags = LazyFlags(result, carry: carry, overflow: value & top != 0)
            return result
        case .sar:
            let wide = Int64(bitPattern: LazyFlags.extended(value))
            let result = T(truncatingIfNeeded: wide >> Int64(count))
            flags = LazyFlags(result, carry: (wide >> Int64(count - 1)) & 1 != 0, overflow: false)
            return result
        case .rol:
            let turns = count & (bits - 1)
            let result = turns == 0 ? value : value << turns | value >> (bits - turns)
            let carry = result & 1 != 0
            flags.set(carry: carry, overflow: (result & top != 0) != carry)
            return result
        case .ror:
            let turns = count & (bits - 1)
            let result = turns == 0 ? value : value >> turns | value << (bits - turns)
            let carry = result & top != 0
            flags.set(carry: carry, overflow: carry != (result & (top >> 1) != 0))
            return result
        case .rcl:
            let turns = count % (bits + 1)
            guard turns != 0 else { return value }
            let carryIn: T = flags.carry ? 1 : 0
            let result = value << turns | carryIn << (turns - 1) | value >> (bits + 1 - turns)
            let carry = (value >> (bits - turns)) & 1 != 0
            flags.set(carry: carry, overflow: (result & top != 0) != carry)
            return result
        default:
            let turns = count % (bits + 1)
            guard turns != 0 else { return value }
            let carryIn: T = flags.carry ? 1 : 0
            let result = value >> turns | carryIn << (bits - turns) | value << (bits + 1 - turns)
            let carry = (value >> (turns - 1)) & 1 != 0
            flags.set(carry: carry, overflow: (result & top != 0) != (result & (top >> 1) != 0))
            return result
        }
    }
}

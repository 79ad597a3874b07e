// SPDX-License-Identifier: Apache-2.0

/// Multiplication and division (RISC-V Unpriv 20240411 §12).
enum ExtensionM {
    static let rows: [InstructionRow] = [
        .r("mul", 0x33, 0, 0x01, .mul),
        .r("mulh", 0x33, 1, 0x01, .mulh),
        .r("mulhsu", 0x33, 2, 0x01, .mulhsu),
        .r("mulhu", 0x33, 3, 0x01, .mulhu),
        .r("div", 0x33, 4, 0x01, .div),
        .r("divu", 0x33, 5, 0x01, .divu),
        .r("rem", 0x33, 6, 0x01, .rem),
        .r("remu", 0x33, 7, 0x01, .remu),
        .r("mulw", 0x3b, 0, 0x01, .mulw),
        .r("divw", 0x3b, 4, 0x01, .divw),
        .r("divuw", 0x3b, 5, 0x01, .divuw),
        .r("remw", 0x3b, 6, 0x01, .remw),
        .r("remuw", 0x3b, 7, 0x01, .remuw),
    ]

    // Division by zero and overflow give results, not traps (§12.2, table 11).

    @inline(__always)
    static func div(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let (left, right) = (Int64(bitPattern: left), Int64(bitPattern: right))
        if right == 0 { return .max }
        return UInt64(bitPattern: left.dividedReportingOverflow(by: right).partialValue)
    }

    @inline(__always)
    static func rem(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let (left, right) = (Int64(bitPattern: left), Int64(bitPattern: right))
        if right == 0 { return UInt64(bitPattern: left) }
        return right == -1 ? 0 : UInt64(bitPattern: left.remainderReportingOverflow(dividingBy: right).partialValue)
    }

    @inline(__always)
    static func divu(_ left: UInt64, _ right: UInt64) -> UInt64 { right == 0 ? .max : left / right }

    @inline(__always)
    static func remu(_ left: UInt64, _ right: UInt64) -> UInt64 { right == 0 ? left : left % right }

    @inline(__always)
    static func divw(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let (left, right) = (Int32(truncatingIfNeeded: left), Int32(truncatingIfNeeded: right))
        return right == 0 ? .max : UInt64(bitPattern: Int64(left.dividedReportingOverflow(by: right).partialValue))
    }

    @inline(__always)
    static func remw(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let (left, right) = (Int32(truncatingIfNeeded: left), Int32(truncatingIfNeeded: right))
        if right == 0 { return UInt64(bitPattern: Int64(left)) }
        return right == -1
            ? 0 : UInt64(bitPattern: Int64(left.remainderReportingOverflow(dividingBy: right).partialValue))
    }

    @inline(__always)
    static func divuw(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let (left, right) = (UInt32(truncatingIfNeeded: left), UInt32(truncatingIfNeeded: right))
        return right == 0 ? .max : UInt64(bitPattern: Int64(Int32(bitPattern: left / right)))
    }

    @inline(__always)
    static func remuw(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let (left, right) = (UInt32(truncatingIfNeeded: left), UInt32(truncatingIfNeeded: right))
        return UInt64(bitPattern: Int64(Int32(bitPattern: right == 0 ? left : left % right)))
    }

    /// The high 64 bits of the signed product.
    @inline(__always)
    static func mulh(_ left: UInt64, _ right: UInt64) -> UInt64 {
        UInt64(bitPattern: Int64(bitPattern: left).multipliedFullWidth(by: Int64(bitPattern: right)).high)
    }

    /// The high 64 bits of signed `left` times unsigned `right`.
    @inline(__always)
    static func mulhsu(_ left: UInt64, _ right: UInt64) -> UInt64 {
        left.multipliedFullWidth(by: right).high &- (left >> 63 != 0 ? right : 0)
    }
}

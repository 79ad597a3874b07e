// SPDX-License-Identifier: Apache-2.0

extension InstructionRow {
    /// A row of the x87 room.
    static func x87(
        _ name: StaticString, _ encoding: Encoding, _ operands: Operands, _ operation: X87Operation,
        _ flags: FlagEffects = .none
    ) -> InstructionRow {
        let digit = UInt16(UInt8(bitPattern: max(encoding.digit, 0)))
        return InstructionRow(
            name, encoding, operands, Semantics(room: .x87, detail: operation.rawValue | digit << 8), flags,
            access: operation.access, feature: .fpu)
    }
}

extension Encoding {
    /// An x87 opcode with ModRM.reg as part of it and a memory operand.
    static func memory(_ opcode: UInt8, _ digit: Int8) -> Encoding {
        Encoding(.one, opcode, digit: digit, registerForm: false)
    }
    /// The same with ST(i).
    static func stack(_ opcode: UInt8, _ digit: Int8) -> Encoding {
        Encoding(.one, opcode, digit: digit, registerForm: true)
    }
    /// All of ModRM fixed.
    static func fixed(_ opcode: UInt8, _ digit: Int8, _ rm: Int8) -> Encoding {
        Encoding(.one, opcode, digit: digit, rm: rm, registerForm: true)
    }
}

extension X87Operation {
    /// What happens to the first operand that the row names.
    var access: InstructionRow.Access {
        switch self {
        case .storeSingle, .storeSinglePop, .storeDouble, .storeDoublePop, .storeLong, .storeLongPop, .storeShort,
            .storeShortPop, .storeQuadPop, .storeExtendedPop, .storeDecimalPop, .truncateLong, .truncateQuad,
            .truncateShort, .storeControl, .storeStatus, .storeEnvironment, .save, .store, .storePop:
            .write
        case .add, .multiply, .subtract, .subtractReversed, .divide, .divideReversed, .addTo, .multiplyTo,
            .subtractReversedTo, .subtractTo, .divideReversedTo, .divideTo, .addToPop, .multiplyToPop,
            .subtractReversedToPop, .subtractToPop, .divideReversedToPop, .divideToPop, .exchange, .moveBelow,
            .moveEqual, .moveNotAbove, .moveUnordered, .moveNotBelow, .moveNotEqual, .moveAbove, .moveOrdered:
            .update
        default: .read
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

/// An instruction's fixed bits: prefix, map, opcode and what of ModRM belongs to it (Intel SDM Vol 2A §2.1, §3.1.1.1).
public struct Encoding: Equatable, Sendable {
    /// The opcode map.
    public enum Map: UInt8, Sendable { case one, twoByte, map38, map3A }

    /// Which of the prefixes 66, F3 and F2 are part of the opcode.
    public enum Prefix: UInt8, Sendable {
        /// None is: 66 is the operand size, F2 and F3 repeat or are ignored.
        case any
        /// Neither 66 nor F3 nor F2 may be there.
        case np
        /// 66, and neither F3 nor F2.
        case p66
        /// F3; 66 is the operand size.
        case f3
        /// F2; 66 is the operand size.
        case f2
        /// Neither F3 nor F2; 66 is the operand size.
        case noRepeat
    }

    /// A VEX prefix with its length bit.
    public enum VEX: UInt8, Sendable {
        /// No VEX prefix.
        case none
        case l128, l256
        /// Both lengths.
        case any
        /// The length is ignored (LIG), as in scalar instructions.
        case ignored
    }

    /// What the instruction asks of REX.W or VEX.W.
    public enum W: UInt8, Sendable { case any, w0, w1 }

    public let map: Map
    public let opcode: UInt8
    public let prefix: Prefix
    public let vex: VEX
    public let w: W
    /// ModRM.reg as part of the opcode; -1: an operand.
    public let digit: Int8
    /// ModRM.rm as part of the opcode, with mod 3; -1: an operand.
    public let rm: Int8
    /// The opcode's low three bits name a register.
    public let hasRegister: Bool
    /// x87 and others whose register form is another instruction: true for registers, false for memory.
    public let registerForm: Bool?

    init(
        _ map: Map, _ opcode: UInt8, prefix: Prefix = .any, vex: VEX = .none, w: W = .any, digit: Int8 = -1,
        rm: Int8 = -1, hasRegister: Bool = false, registerForm: Bool? = nil
    ) {
        self.map = map
        self.opcode = opcode
        self.prefix = prefix
        self.vex = vex
        self.w = w
        self.digit = digit
        self.rm = rm
        self.hasRegister = hasRegister
        self.registerForm = registerForm
    }

    /// `opcode` of the one-byte map, with ModRM.reg `digit` where it belongs to the opcode.
    static func one(_ opcode: UInt8, _ digit: Int8 = -1) -> Encoding { Encoding(.one, opcode, digit: digit) }
    /// `opcode` to `opcode` + 7 of the one-byte map, each with a register.
    static func plus(_ opcode: UInt8) -> Encoding { Encoding(.one, opcode, hasRegister: true) }
    /// 0F `opcode`.
    static func two(_ opcode: UInt8, _ digit: Int8 = -1, prefix: Prefix = .any, w: W = .any) -> Encoding {
        Encoding(.twoByte, opcode, prefix: prefix, w: w, digit: digit)
    }
    /// 0F `opcode` with all of ModRM fixed: mod is 3.
    static func exact(_ opcode: UInt8, _ digit: Int8, _ rm: Int8, prefix: Prefix = .any) -> Encoding {
        Encoding(.twoByte, opcode, prefix: prefix, digit: digit, rm: rm)
    }
    /// 0F 38 `opcode`.
    static func map38(_ opcode: UInt8, _ prefix: Prefix, w: W = .any) -> Encoding {
        Encoding(.map38, opcode, prefix: prefix, w: w)
    }
    /// 0F 3A `opcode`.
    static func map3A(_ opcode: UInt8, _ prefix: Prefix, w: W = .any) -> Encoding {
        Encoding(.map3A, opcode, prefix: prefix, w: w)
    }
    /// A VEX encoding.
    static func vex(
        _ map: Map, _ opcode: UInt8, _ prefix: Prefix, _ length: VEX, w: W = .any, digit: Int8 = -1
    ) -> Encoding {
        Encoding(map, opcode, prefix: prefix, vex: length, w: w, digit: digit)
    }
}

// SPDX-License-Identifier: Apache-2.0

/// One instruction as the manual's listings have it: how it is encoded, what its operands are, what it does to flags and
/// memory, and which operation executes it. The decoder, the disassembler, the tests and translators read these rows;
/// nothing else lists instructions.
public struct InstructionRow: Sendable {
    /// The assembler's name (Intel syntax). Where it depends on the operand size: the names for 16, 32 and 64 bits with
    /// a bar between them.
    public let name: StaticString
    public let encoding: Encoding
    /// Up to four operands, destination first, as the manual lists them.
    public let operands: Operands
    /// The CPU feature that it belongs to: not offered, it is undefined.
    public let feature: Feature
    public let flags: FlagEffects
    /// What happens to the first operand; the others are read.
    public let access: Access
    public let attributes: Attributes
    /// What executes it.
    let semantics: Semantics

    init(
        _ name: StaticString, _ encoding: Encoding, _ operands: Operands = Operands(), _ semantics: Semantics,
        _ flags: FlagEffects = .none, access: Access = .write, feature: Feature = .base,
        attributes: Attributes = []
    ) {
        self.name = name
        self.encoding = encoding
        self.operands = operands
        self.semantics = semantics
        self.flags = flags
        self.access = access
        self.feature = feature
        self.attributes = attributes
    }

    /// Up to four operands.
    public struct Operands: Equatable, Sendable {
        public let first, second, third, fourth: OperandForm
        init(
            _ first: OperandForm = .none, _ second: OperandForm = .none, _ third: OperandForm = .none,
            _ fourth: OperandForm = .none
        ) {
            self.first = first
            self.second = second
            self.third = third
            self.fourth = fourth
        }

        /// Those that there are.
        public var all: [OperandForm] { [first, second, third, fourth].filter { $0 != .none } }
    }

    /// What an instruction does to its first operand.
    public enum Access: UInt8, Sendable {
        /// Nothing but reading it: comparisons, jumps, pushes.
        case read
        case write
        case update
        /// Updates the second operand as well: `xchg`, `xadd`.
        case exchange
        /// The operand is an address and nothing is accessed: `lea`.
        case address
    }

    /// What else matters to decoders and engines.
    public struct Attributes: OptionSet, Sendable {
        public let rawValue: UInt16
        public init(rawValue: UInt16) { self.rawValue = rawValue }
        /// LOCK is allowed when the destination is memory.
        public static var lock: Attributes { Attributes(rawValue: 1) }
        /// F3 and F2 repeat it.
        public static var repeats: Attributes { Attributes(rawValue: 2) }
        /// In 64-bit mode operands are 64 bits wide without REX.W, and never 32: `push`, `pop`.
        public static var default64: Attributes { Attributes(rawValue: 4) }
        /// In 64-bit mode operands are 64 bits wide whatever the prefixes: near branches, control registers.
        public static var force64: Attributes { Attributes(rawValue: 8) }
        /// Undefined in 64-bit mode.
        public static var not64: Attributes { Attributes(rawValue: 16) }
        /// Exists in 64-bit mode alone.
        public static var only64: Attributes { Attributes(rawValue: 32) }
        /// Writes the instruction pointer: ends a run of decoded instructions.
        public static var branches: Attributes { Attributes(rawValue: 64) }
        /// Ends a run always: nothing behind it is reached from it.
        public static var ends: Attributes { Attributes(rawValue: 128) }
        /// Undefined in real and virtual-8086 mode.
        public static var protected: Attributes { Attributes(rawValue: 256) }
        /// Only at privilege level 0: else #GP(0).
        public static var privileged: Attributes { Attributes(rawValue: 512) }
    }

    /// Which room executes the instruction, and which of the room's operations it is.
    struct Semantics: Sendable {
        let room: Operation
        let detail: UInt16

        static func integer(_ operation: IntegerOperation) -> Semantics {
            Semantics(room: .integer, detail: operation.rawValue)
        }
        static func system(_ operation: SystemOperation) -> Semantics {
            Semantics(room: .system, detail: operation.rawValue)
        }
        static func x87(_ operation: X87Operation) -> Semantics { Semantics(room: .x87, detail: operation.rawValue) }
        static func vector(_ operation: VectorOperation) -> Semantics {
            Semantics(room: .vector, detail: operation.rawValue)
        }
    }
}

/// Which of the arithmetic flags, DF and IF an instruction reads, writes and leaves undefined: bits as in RFLAGS.
public struct FlagEffects: Equatable, Sendable {
    public let read: UInt16
    public let written: UInt16
    /// Written too, with values that the manual does not define.
    public let undefined: UInt16
    init(read: UInt16 = 0, written: UInt16 = 0, undefined: UInt16 = 0) {
        self.read = read
        self.written = written
        self.undefined = undefined
    }

    static var cf: UInt16 { 0x001 }
    static var pf: UInt16 { 0x004 }
    static var af: UInt16 { 0x010 }
    static var zf: UInt16 { 0x040 }
    static var sf: UInt16 { 0x080 }
    static var df: UInt16 { 0x400 }
    static var of: UInt16 { 0x800 }
    /// CF, PF, AF, ZF, SF, OF.
    static var all: UInt16 { 0x8d5 }

    static var none: FlagEffects { FlagEffects() }
    /// Addition, subtraction, comparison.
    static var arithmetic: FlagEffects { FlagEffects(written: all) }
    /// The same with CF as an input.
    static var withCarry: FlagEffects { FlagEffects(read: cf, written: all) }
    /// AND, OR, XOR, TEST: AF is undefined.
    static var logic: FlagEffects { FlagEffects(written: all, undefined: af) }
    /// INC, DEC: CF stays.
    static var increment: FlagEffects { FlagEffects(written: all & ~cf) }
    static func reads(_ flags: UInt16) -> FlagEffects { FlagEffects(read: flags) }
    static func writes(_ flags: UInt16, undefined: UInt16 = 0) -> FlagEffects {
        FlagEffects(written: flags, undefined: undefined)
    }
}

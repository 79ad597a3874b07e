// SPDX-License-Identifier: Apache-2.0

/// A decoded instruction: 24 bytes, one behind the other as they are executed.
///
/// The operand that ModRM.rm names is `b` or, with `isMemory`, the memory that base, index, scale, displacement and
/// segment say; the one that ModRM.reg or an opcode's own bits name is `a`. Of a one-operand instruction and of forms
/// with an implied accumulator the register is `b`. Byte registers are numbered by their place (`ProcessorPointer.r8`).
public struct MicroOp: Sendable {
    var operation: Operation
    /// Where the instruction begins in its page, bits 11:0, and its length, bits 15:12.
    var place: UInt16 = 0
    /// The operand of ModRM.reg.
    public internal(set) var a: UInt8 = 0
    /// The operand of ModRM.rm where it is a register.
    public internal(set) var b: UInt8 = 0
    /// General registers of the address; 16: none.
    public internal(set) var base: UInt8 = 16
    public internal(set) var index: UInt8 = 16
    /// What the operation's room makes of it: the raw value of its own enum.
    var detail: UInt16 = 0
    /// 0 to 3.
    public internal(set) var scale: UInt8 = 0
    /// How the address gets linear: `SegmentForm`.
    var segment = SegmentForm.flat
    public internal(set) var displacement: Int32 = 0
    /// Sign-extended from what was encoded.
    public internal(set) var immediate: Int32 = 0
    public internal(set) var attributes = Attributes()

    init(_ operation: Operation) { self.operation = operation }

    /// The instruction's length in bytes.
    @inline(__always)
    public var length: UInt64 { UInt64(place >> 12) }

    /// The immediate as the 64-bit operand it stands for.
    @inline(__always)
    var operand: UInt64 { UInt64(bitPattern: Int64(immediate)) }

    /// The 64-bit immediate or offset of the few instructions that have one: it takes the displacement's place too.
    @inline(__always)
    var immediate64: UInt64 {
        get { UInt64(UInt32(bitPattern: displacement)) | UInt64(UInt32(bitPattern: immediate)) << 32 }
        set {
            displacement = Int32(truncatingIfNeeded: newValue)
            immediate = Int32(truncatingIfNeeded: newValue >> 32)
        }
    }
}

/// How a memory operand's offset becomes a linear address.
struct SegmentForm: Equatable, Sendable {
    let bits: UInt8

    /// 64-bit mode, a segment without a base, a 64-bit address: the offset is the linear address.
    static var flat: SegmentForm { SegmentForm(bits: 6) }
    /// The same relative to rsp or rbp: what is not canonical is a stack fault.
    static var flatStack: SegmentForm { SegmentForm(bits: 6 | 0x40) }
    /// A base to add, a limit to check, or an address to truncate.
    static func general(_ segment: Segment) -> SegmentForm { SegmentForm(bits: segment.rawValue | 0x80) }

    @inline(__always) var isFlat: Bool { bits & 0x80 == 0 }
    /// Faults of this access are #SS, not #GP.
    @inline(__always) var isStack: Bool { bits & 0x40 != 0 || bits == 0x82 }
    /// The segment, or nil where none is looked at.
    var segment: Segment? { isFlat ? nil : Segment(rawValue: bits & 7) }
}

extension MicroOp {
    /// What else was decoded, in 32 bits.
    public struct Attributes: Equatable, Sendable {
        var bits: UInt32 = 0

        @inline(__always)
        private func field(_ shift: UInt32, _ width: UInt32) -> UInt32 { bits >> shift & ((1 << width) - 1) }
        @inline(__always)
        private mutating func set(_ shift: UInt32, _ width: UInt32, _ value: UInt32) {
            let mask: UInt32 = ((1 << width) - 1) << shift
            bits = bits & ~mask | value << shift & mask
        }

        /// The operand size of the operands whose size depends on mode and prefixes; of others, their size.
        public var width: OperandWidth {
            @inline(__always) get { OperandWidth(bits: UInt8(field(0, 2))) }
            set { set(0, 2, UInt32(newValue.bits)) }
        }
        /// Of addresses, and of rCX and rSI in string instructions: never a byte.
        public var addressWidth: OperandWidth {
            @inline(__always) get { OperandWidth(bits: UInt8(field(2, 2))) }
            set { set(2, 2, UInt32(newValue.bits)) }
        }
        /// ModRM.rm names memory.
        public var isMemory: Bool {
            @inline(__always) get { field(4, 1) != 0 }
            set { set(4, 1, newValue ? 1 : 0) }
        }
        public var isLocked: Bool {
            @inline(__always) get { field(5, 1) != 0 }
            set { set(5, 1, newValue ? 1 : 0) }
        }
        /// F3 or F2, the last one, where it is no part of the opcode.
        public var repeats: Repeat {
            @inline(__always) get { Repeat(rawValue: UInt8(field(6, 2))) ?? .none }
            set { set(6, 2, UInt32(newValue.rawValue)) }
        }
        /// The destination is `a`, not what ModRM.rm names.
        public var writesRegister: Bool {
            @inline(__always) get { field(8, 1) != 0 }
            set { set(8, 1, newValue ? 1 : 0) }
        }
        /// Where the last source comes from.
        public var source: Source {
            @inline(__always) get { Source(rawValue: UInt8(field(9, 2))) ?? .operand }
            set { set(9, 2, UInt32(newValue.rawValue)) }
        }
        /// The 66 prefix was there.
        public var hasOperandSizePrefix: Bool {
            get { field(11, 1) != 0 }
            set { set(11, 1, newValue ? 1 : 0) }
        }
        /// VEX.vvvv, as a register number.
        public var vvvv: UInt8 {
            @inline(__always) get { UInt8(field(12, 4)) }
            set { set(12, 4, UInt32(newValue)) }
        }
        /// VEX.L: 256 bits.
        public var vectorLength256: Bool {
            @inline(__always) get { field(16, 1) != 0 }
            set { set(16, 1, newValue ? 1 : 0) }
        }
        /// REX.W or VEX.W.
        public var w: Bool {
            @inline(__always) get { field(17, 1) != 0 }
            set { set(17, 1, newValue ? 1 : 0) }
        }
        public var isVEX: Bool {
            @inline(__always) get { field(18, 1) != 0 }
            set { set(18, 1, newValue ? 1 : 0) }
        }
        /// The mode that the instruction was decoded for.
        public var mode: CodeMode {
            @inline(__always) get { CodeMode(rawValue: UInt8(field(19, 2))) ?? .long64 }
            set { set(19, 2, UInt32(newValue.rawValue)) }
        }
        /// The opcode byte, for x87 and for what software reads back of it.
        public var opcode: UInt8 {
            get { UInt8(field(24, 8)) }
            set { set(24, 8, UInt32(newValue)) }
        }
    }

    /// A repeat prefix.
    public enum Repeat: UInt8, Sendable { case none, f3, f2 }

    /// Where the last source of an instruction is.
    public enum Source: UInt8, Sendable {
        /// In the operand that is not the destination.
        case operand
        case immediate
        /// In CL.
        case cl
    }
}

/// A size of 1, 2, 4 or 8 bytes.
public struct OperandWidth: Equatable, Sendable {
    /// log2 of the bytes.
    public let bits: UInt8
    @inline(__always)
    init(bits: UInt8) { self.bits = bits }
    public static var byte: OperandWidth { OperandWidth(bits: 0) }
    public static var word: OperandWidth { OperandWidth(bits: 1) }
    public static var double: OperandWidth { OperandWidth(bits: 2) }
    public static var quad: OperandWidth { OperandWidth(bits: 3) }
    /// 1, 2, 4 or 8.
    @inline(__always) public var bytes: UInt64 { 1 << UInt64(bits & 3) }
    /// All ones in the width.
    @inline(__always) public var mask: UInt64 { .max >> (64 - bytes * 8) }
}

/// What sizes a code segment's instructions have by default.
public enum CodeMode: UInt8, Sendable {
    /// Real, virtual-8086 and 16-bit protected mode.
    case legacy16
    /// 32-bit protected and compatibility mode.
    case legacy32
    case long64
}

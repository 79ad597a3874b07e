// SPDX-License-Identifier: Apache-2.0

/// A decoded instruction with the row that it is an instance of.
public struct Instruction: Sendable {
    public let row: InstructionRow
    /// Its operands; not yet in the form that the interpreter executes.
    public internal(set) var op: MicroOp
    /// In bytes, 1 to 15.
    public let length: Int
    /// The segment that a prefix names, in 64-bit mode FS and GS alone.
    let segmentOverride: Segment?
    /// A REX prefix is there.
    let hasREX: Bool
}

/// What bytes of code are.
public enum Decoded: Sendable {
    case instruction(Instruction)
    /// More bytes are needed to know.
    case truncated
    /// No instruction, or one that the CPU model does not have: #UD.
    case undefined
    /// Longer than 15 bytes: #GP(0) (Intel SDM Vol 2A §2.3.11).
    case tooLong
}

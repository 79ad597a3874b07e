// SPDX-License-Identifier: Apache-2.0

/// What stands before an instruction's opcode (Intel SDM Vol 2A §2.1.1, §2.2.1, §2.3.5).
struct Prefixes {
    var operandSize = false
    var addressSize = false
    var lock = false
    /// The last of F3 and F2.
    var repeats = MicroOp.Repeat.none
    var segment: Segment?
    /// REX or VEX bits: W, R, X, B as 8, 4, 2, 1.
    var rex: UInt8 = 0
    /// A REX prefix is there: byte registers 4 to 7 are SPL to DIL.
    var hasREX = false
    var isVEX = false
    var vexLength256 = false
    /// 0 none, 1 66, 2 F3, 3 F2.
    var vexPrefix: UInt8 = 0
    /// As a register number.
    var vvvv: UInt8 = 0

    var w: Bool { rex & 8 != 0 }
    var r: UInt8 { rex << 1 & 8 }
    var x: UInt8 { rex << 2 & 8 }
    var b: UInt8 { rex << 3 & 8 }
}

/// Reads code byte by byte, within what is there and within the 15 bytes that an instruction may have.
struct CodeReader {
    let bytes: CodeBytes
    var position = 0

    /// How a read ended that got nothing.
    enum End: Error { case truncated, tooLong }

    init(_ bytes: CodeBytes) { self.bytes = bytes }

    /// The next byte, not consumed.
    func peek() throws(End) -> UInt8 {
        guard position < 15 else { throw .tooLong }
        guard position < bytes.count else { throw .truncated }
        return bytes[position]
    }

    mutating func byte() throws(End) -> UInt8 {
        let byte = try peek()
        position += 1
        return byte
    }

    /// A little-endian number of 1, 2, 4 or 8 bytes.
    mutating func number(_ count: Int) throws(End) -> UInt64 {
        guard position + count <= 15 else { throw bytes.count >= 15 ? .tooLong : .truncated }
        guard position + count <= bytes.count else { throw .truncated }
        defer { position += count }
        return bytes.number(position, count)
    }

    /// The same, sign-extended.
    mutating func signed(_ count: Int) throws(End) -> Int64 {
        let unused = Int64(64 - count * 8)
        return try (Int64(bitPattern: number(count)) &<< unused) &>> unused
    }

    /// All prefixes before the opcode, a VEX prefix left out.
    mutating func prefixes(_ mode: CodeMode) throws(End) -> Prefixes {
        var found = Prefixes()
        while true {
            let next = try peek()
            switch next {
            case 0x66: found.operandSize = true
            case 0x67: found.addressSize = true
            case 0xf0: found.lock = true
            case 0xf2: found.repeats = .f2
            case 0xf3: found.repeats = .f3
            case 0x26: if mode != .long64 { found.segment = .es }
            case 0x2e: if mode != .long64 { found.segment = .cs }
            case 0x36: if mode != .long64 { found.segment = .ss }
            case 0x3e: if mode != .long64 { found.segment = .ds }
            case 0x64: found.segment = .fs
            case 0x65: found.segment = .gs
            case 0x40...0x4f where mode == .long64:
                position += 1
                found.rex = next & 15
                found.hasREX = true
                // It counts only right before the opcode.
                switch try peek() {
                case 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x40...0x4f:
                    found.rex = 0
                    found.hasREX = false
                    continue
                default: return found
                }
            default: return found
            }
            position += 1
        }
    }
}

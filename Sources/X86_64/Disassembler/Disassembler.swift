// SPDX-License-Identifier: Apache-2.0

/// Code as text, in Intel's syntax.
public enum Disassembler {
    /// The text of the instruction that `bytes` begin with, at instruction pointer `rip`, and its length: `db` and one byte
    /// where there is none.
    public static func text(
        _ bytes: CodeBytes, at rip: UInt64, mode: CodeMode, features: FeatureSet
    ) -> (text: String, length: Int) {
        switch Decoder(mode: mode, features: features).decode(bytes) {
        case .instruction(let instruction): return (text(instruction, at: rip), instruction.length)
        case .truncated, .undefined, .tooLong:
            return bytes.count == 0 ? ("db", 1) : ("db \(hexadecimal(UInt64(bytes[0])))", 1)
        }
    }

    /// The text of a decoded instruction.
    public static func text(_ instruction: Instruction, at rip: UInt64) -> String {
        let op = instruction.op
        var words: [String] = []
        if op.attributes.isLocked { words.append("lock") }
        switch op.attributes.repeats {
        case .none: break
        case .f3: words.append(comparesStrings(instruction) ? "repe" : "rep")
        case .f2: words.append("repne")
        }
        words.append(name(instruction))
        var immediates = 0
        let operands = instruction.row.operands.all.map { operand($0, instruction, rip, &immediates) }
        let list = operands.filter { !$0.isEmpty }.joined(separator: ",")
        return words.joined(separator: " ") + (list.isEmpty ? "" : " " + list)
    }

    private static func comparesStrings(_ instruction: Instruction) -> Bool {
        let opcode = instruction.op.attributes.opcode
        return instruction.row.encoding.map == .one && [0xa6, 0xa7, 0xae, 0xaf].contains(opcode)
    }

    /// Names of several sizes stand with bars between them.
    private static func name(_ instruction: Instruction) -> String {
        let names = "\(instruction.row.name)".split(separator: "|", omittingEmptySubsequences: false)
        guard names.count > 1 else { return "\(instruction.row.name)" }
        let index = Int(instruction.op.attributes.width.bits) - 1
        return String(names[min(max(index, 0), names.count - 1)])
    }

    private static func operand(
        _ form: OperandForm, _ instruction: Instruction, _ rip: UInt64, _ immediates: inout Int
    ) -> String {
        let op = instruction.op
        switch form.place {
        case .implied, .string: return implied(form, op.attributes.width)
        case .rm, .memory, .register:
            return op.attributes.isMemory ? memory(form, instruction) : register(form, op.b, op)
        case .reg: return register(form, op.a, op)
        case .opcode: return register(form, op.b, op)
        case .vvvv: return register(form, op.attributes.vvvv, op)
        case .immediateRegister: return vector(UInt8(truncatingIfNeeded: op.immediate >> 4 & 15), op)
        case .immediate:
            immediates += 1
            if form == .Iv && op.attributes.width == .quad { return hexadecimal(op.immediate64) }
            let value = immediates > 1 ? op.displacement : op.immediate
            let mask: UInt64 = form == .Ib ? 0xff : form == .Iw ? 0xffff : op.attributes.width.mask
            return hexadecimal(UInt64(bitPattern: Int64(value)) & mask)
        case .relative:
            let next = rip &+ UInt64(instruction.length) &+ UInt64(bitPattern: Int64(op.immediate))
            return hexadecimal(next & op.attributes.width.mask)
        case .far:
            let offset = UInt64(UInt32(bitPattern: op.displacement))
            return "\(hexadecimal(UInt64(UInt16(truncatingIfNeeded: op.immediate)))):\(hexadecimal(offset))"
        case .absolute:
            return "\(prefix(instruction))[\(hexadecimal(op.immediate64 & op.attributes.addressWidth.mask))]"
        }
    }

    // MARK: Registers

    private static let names = [
        "ax", "cx", "dx", "bx", "sp", "bp", "si", "di", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
    ]

    /// A general register of a width other than a byte.
    private static func general(_ number: UInt8, _ width: OperandWidth) -> String {
        let name = names[Int(number & 15)]
        switch width.bits {
        case 1: return number < 8 ? name : name + "w"
        case 2: return number < 8 ? "e" + name : name + "d"
        default: return number < 8 ? "r" + name : name
        }
    }

    /// A byte register by its place.
    private static func byte(_ place: UInt8) -> String {
        let number = Int(place / 8 & 15)
        if place & 1 != 0 { return ["ah", "ch", "dh", "bh"][number & 3] }
        if number < 4 { return ["al", "cl", "dl", "bl"][number] }
        return number < 8 ? names[number] + "l" : names[number] + "b"
    }

    private static func vector(_ number: UInt8, _ op: MicroOp) -> String {
        (op.attributes.vectorLength256 ? "ymm" : "xmm") + "\(number & 15)"
    }

    private static func register(_ form: OperandForm, _ number: UInt8, _ op: MicroOp) -> String {
        if form.isByteRegister { return byte(number) }
        switch form {
        case .Sw: return number & 7 < 6 ? ["es", "cs", "ss", "ds", "fs", "gs"][Int(number & 7)] : "?"
        case .Cy: return "cr\(number)"
        case .Dy: return "dr\(number)"
        case .STi: return "st(\(number & 7))"
        case .Pq, .Pd, .Qq, .Qd, .Nq: return "mm\(number & 7)"
        case .Mb_Rd, .Mw_Rd: return general(number, .double)
        default: break
        }
        switch form.size {
        case .unsized: return vector(number, op)
        case .byte: return byte(number)
        case .word: return general(number, .word)
        case .double: return general(number, .double)
        case .quad: return general(number, .quad)
        case .v, .z, .y: return general(number, op.attributes.width)
        }
    }

    private static func implied(_ form: OperandForm, _ width: OperandWidth) -> String {
        switch form {
        case .AL: "al"
        case .rAX, .eAX: general(0, width)
        case .CL: "cl"
        case .rCX: general(1, width)
        case .DX: "dx"
        case .one: "1"
        case .CS: "cs"
        case .DS: "ds"
        case .ES: "es"
        case .FS: "fs"
        case .GS: "gs"
        case .SS: "ss"
        case .ST0: "st"
        case .XMM0: "xmm0"
        default: ""
        }
    }

    // MARK: Memory

    private static func prefix(_ instruction: Instruction) -> String {
        guard let segment = instruction.segmentOverride else { return "" }
        return ["es:", "cs:", "ss:", "ds:", "fs:", "gs:"][Int(segment.rawValue)]
    }

    private static func memory(_ form: OperandForm, _ instruction: Instruction) -> String {
        let op = instruction.op
        let width = op.attributes.addressWidth
        var parts: [String] = []
        if op.base == 17 {
            parts.append(width == .quad ? "rip" : "eip")
        } else if op.base < 16 {
            parts.append(general(op.base, width))
        }
        if op.index < 16 {
            let isVector = form == .VMd || form == .VMq
            let index = isVector ? vector(op.index, op) : general(op.index, width)
            parts.append(op.scale == 0 ? index : "\(index)*\(1 << op.scale)")
        }
        var text = parts.joined(separator: "+")
        if parts.isEmpty {
            text = hexadecimal(UInt64(bitPattern: Int64(op.displacement)) & width.mask)
        } else if op.displacement != 0 {
            text += (op.displacement < 0 ? "-" : "+") + hexadecimal(UInt64(op.displacement.magnitude))
        }
        return "\(size(form, op))\(prefix(instruction))[\(text)]"
    }

    private static func size(_ form: OperandForm, _ op: MicroOp) -> String {
        switch form.size {
        case .byte: "byte ptr "
        case .word: "word ptr "
        case .double: "dword ptr "
        case .quad: "qword ptr "
        case .v, .z, .y: ["byte", "word", "dword", "qword"][Int(op.attributes.width.bits)] + " ptr "
        case .unsized: ""
        }
    }

    private static func hexadecimal(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
}

// SPDX-License-Identifier: Apache-2.0

@testable import X86_64

/// Assembles random instances of rows for 64-bit mode, each with what has to stand before it so that its memory operand
/// lies in the data that both sides compare.
struct InstructionBuilder {
    let row: InstructionRow
    /// The middle of the data.
    let data: UInt64
    /// What gets the address, and what the index.
    private(set) var bytes: [UInt8] = []
    private(set) var width = OperandWidth.double

    init(_ row: InstructionRow, data: UInt64) {
        self.row = row
        self.data = data
    }

    /// Registers that instances use freely: not rsp, and r15 not where it has a value of its own.
    private static let all: [UInt8] = [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]
    private var free: [UInt8] { hasBitString ? Self.all.dropLast() : Self.all }

    /// 16-bit double shifts by more than 16 have no defined result.
    private var isDoubleShift: Bool { ["shld", "shrd"].contains("\(row.name)") }

    /// A register that counts bits from a memory operand on: it has to be small.
    private var hasBitString: Bool { "\(row.name)".hasPrefix("bt") && row.encoding.digit < 0 }

    /// `mov register, imm64`: changes no flag.
    static func load(_ register: UInt8, _ value: UInt64) -> [UInt8] {
        [0x48 | register >> 3, 0xb8 | register & 7] + (0..<8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    /// A random instance: what sets it up, then the instruction.
    mutating func build(using random: inout SeededGenerator) -> [UInt8] {
        var setup: [UInt8] = []
        let encoding = row.encoding
        let isString = row.operands.all.contains { $0.place == .string }
        let memoryOnly = row.operands.all.contains { $0.place == .memory } || encoding.registerForm == false
        let registerOnly =
            row.operands.all.contains { $0.place == .register } || encoding.registerForm == true || encoding.rm >= 0
        let usesMemory = row.hasModRM && !registerOnly && (memoryOnly || random.once(in: 2))
        var rex: UInt8 = 0
        switch encoding.w {
        case .w0: break
        case .w1: rex |= 8
        case .any: if random.once(in: 3) { rex |= 8 }
        }
        var prefixes: [UInt8] = []
        let may66 = [.any, .noRepeat, .f3, .f2].contains(encoding.prefix) && encoding.vex == .none
        let has66 =
            may66 && !isDoubleShift && !row.attributes.contains(.force64)
            && row.operands.all.contains { [.v, .z].contains($0.size) }
            && random.once(in: 4)
        if has66 || (encoding.prefix == .p66 && encoding.vex == .none) { prefixes.append(0x66) }
        width = rex & 8 != 0 ? .quad : has66 ? .word : row.attributes.contains(.default64) ? .quad : .double
        if row.operands.first.size == .byte { width = .byte }

        var reg = random.pick(free)
        if encoding.digit >= 0 { reg = UInt8(encoding.digit) }
        if hasBitString { reg = 15 }
        var modRM: [UInt8] = []
        if row.hasModRM {
            if usesMemory {
                setup += memory(&modRM, &rex, reg, row.attributes.contains(.lock) ? 512 : 384, &random)
            } else {
                let rm = encoding.rm >= 0 ? UInt8(encoding.rm) : random.pick(free)
                modRM = [0xc0 | (reg & 7) << 3 | rm & 7]
                rex |= (reg >> 3 & 1) << 2 | rm >> 3 & 1
            }
            if encoding.digit >= 0 { rex &= ~4 }
        }
        var opcode = encoding.opcode
        if encoding.hasRegister {
            var register = random.pick(free)
            // 90 alone exchanges nothing.
            if opcode == 0x90 && register == 0 { register = 1 }
            opcode |= register & 7
            rex |= register >> 3
        }
        setup += implied(usesMemory, reg, &random)
        if usesMemory && row.attributes.contains(.lock) && random.once(in: 4) { prefixes.append(0xf0) }
        if encoding.vex == .none {
            switch encoding.prefix {
            case .f3: prefixes.append(0xf3)
            case .f2: prefixes.append(0xf2)
            default:
                if isString && row.attributes.contains(.repeats) { prefixes += random.pick([[], [0xf3], [0xf2]]) }
            }
        }
        var code = prefixes
        if encoding.vex == .none {
            if rex != 0 || random.once(in: 6) { code.append(0x40 | rex) }
            switch encoding.map {
            case .one: break
            case .twoByte: code.append(0x0f)
            case .map38: code += [0x0f, 0x38]
            case .map3A: code += [0x0f, 0x3a]
            }
        } else {
            code += vex(rex, &random)
        }
        code.append(opcode)
        bytes = code + modRM + immediates(&random)
        return setup + bytes
    }

    /// A memory operand: base and index loaded so that it lies in the data, or relative to the instruction pointer.
    private func memory(
        _ modRM: inout [UInt8], _ rex: inout UInt8, _ reg: UInt8, _ range: UInt64, _ random: inout SeededGenerator
    ) -> [UInt8] {
        rex |= (reg >> 3 & 1) << 2
        let base = random.pick(free)
        // Aligned for what faults otherwise, anywhere for what does not.
        let offset = random.once(in: 2) ? random.next() % 256 & ~31 : random.next() % 256
        let aligned = row.feature != .base && row.operands.all.contains { $0.size == .unsized }
        let target = data &+ (aligned ? offset & ~31 : offset) &- 128
        let displacement = Int8(truncatingIfNeeded: random.next())
        let field = (reg & 7) << 3
        if random.once(in: 2) && base & 7 != 4 {
            modRM = [0x40 | field | base & 7, UInt8(bitPattern: displacement)]
            rex |= base >> 3
            return Self.load(base, target &- UInt64(bitPattern: Int64(displacement)))
        }
        var index = random.pick(free)
        while index == base { index = random.pick(free) }
        let scale = UInt8(random.next() & 3)
        let value = random.next() & 31
        modRM = [0x84 | field, scale << 6 | (index & 7) << 3 | base & 7]
        modRM += (0..<4).map { UInt8(truncatingIfNeeded: Int64(displacement) >> ($0 * 8)) }
        rex |= base >> 3 | (index >> 3) << 1
        let start = target &- UInt64(bitPattern: Int64(displacement)) &- value << UInt64(scale)
        return Self.load(base, start) + Self.load(index, value)
    }

    /// Registers that an instruction reads without naming them, where any value would leave the data.
    private func implied(_ usesMemory: Bool, _ reg: UInt8, _ random: inout SeededGenerator) -> [UInt8] {
        let name = "\(row.name)"
        if row.operands.all.contains(where: { $0.place == .string }) {
            return Self.load(6, data &- random.next() % 64) + Self.load(7, data &+ random.next() % 64)
                + Self.load(1, random.next() % 24)
        }
        switch name {
        case "bt", "bts", "btr", "btc":
            return hasBitString && usesMemory ? Self.load(15, random.next() % 1024 &- 512) : []
        case "xlatb": return Self.load(3, data &- 128)
        case "leave", "enter": return Self.load(5, data &+ random.next() % 64 & ~7)
        default: return []
        }
    }

    private func vex(_ rex: UInt8, _ random: inout SeededGenerator) -> [UInt8] {
        let encoding = row.encoding
        let usesVVVV = row.operands.all.contains { $0.place == .vvvv }
        let vvvv: UInt8 = usesVVVV ? random.pick(free) : 0
        let length: UInt8 =
            switch encoding.vex {
            case .l256: 4
            case .any: random.once(in: 2) ? 4 : 0
            default: 0
            }
        let prefix: UInt8 =
            switch encoding.prefix {
            case .p66: 1
            case .f3: 2
            case .f2: 3
            default: 0
            }
        return [
            0xc4, ~rex << 5 & 0xe0 | encoding.map.rawValue, (rex & 8) << 4 | (~vvvv & 15) << 3 | length | prefix,
        ]
    }

    private func immediates(_ random: inout SeededGenerator) -> [UInt8] {
        row.operands.all.flatMap { form -> [UInt8] in
            let count =
                switch form {
                case .Ib, .Ibs, .Lx, .Ldq: 1
                case .Iw: 2
                case .Iz: width == .word ? 2 : 4
                case .Iv: width == .quad ? 8 : width == .word ? 2 : 4
                case .Jb, .Jz: form == .Jb ? 1 : 4
                case .Ob, .Ov: 8
                default: 0
                }
            guard count > 0 else { return [] }
            // Jumps go a little forwards, frames stay small.
            let value =
                switch form.place {
                case .relative: random.next() % 4
                case .absolute: data
                default: form == .Iw ? random.next() % 64 : random.number()
                }
            return (0..<count).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
        }
    }
}

extension SeededGenerator {
    mutating func pick<T>(_ choices: [T]) -> T { choices[Int(next() % UInt64(choices.count))] }
}

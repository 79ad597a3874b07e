// SPDX-License-Identifier: Apache-2.0

/// From bytes to an instruction (Intel SDM Vol 2A §2): prefixes, the row that opcode and ModRM choose, operands.
public struct Decoder: Sendable {
    let mode: CodeMode
    let features: FeatureSet

    /// A decoder for code in `mode` on a processor that has `features`.
    public init(mode: CodeMode, features: FeatureSet) {
        self.mode = mode
        self.features = features
    }

    /// What `bytes` begin with.
    public func decode(_ bytes: CodeBytes) -> Decoded {
        var reader = CodeReader(bytes)
        do throws(CodeReader.End) {
            return try decode(&reader)
        } catch {
            switch error {
            case .truncated: return .truncated
            case .tooLong: return .tooLong
            }
        }
    }

    private func decode(_ reader: inout CodeReader) throws(CodeReader.End) -> Decoded {
        var prefixes = try reader.prefixes(mode)
        var map = Encoding.Map.one
        var opcode = try reader.byte()
        if opcode == 0x0f {
            map = .twoByte
            opcode = try reader.byte()
            if opcode == 0x38 || opcode == 0x3a {
                map = opcode == 0x38 ? .map38 : .map3A
                opcode = try reader.byte()
            }
        } else if opcode == 0xc4 || opcode == 0xc5 {
            // Outside of 64-bit mode LES and LDS have memory operands: mod 3 is VEX.
            let next = try reader.peek()
            if mode == .long64 || next >= 0xc0 {
                guard let vexMap = try vex(&reader, &prefixes, threeBytes: opcode == 0xc4) else { return .undefined }
                map = vexMap
                opcode = try reader.byte()
            }
        }
        let candidates = InstructionSet.candidates(map, opcode)
        guard !candidates.isEmpty else { return .undefined }
        var modRM: UInt8 = 0
        let hasModRM = candidates.contains {
            let row = InstructionSet.rows[$0]
            return (row.encoding.vex != .none) == prefixes.isVEX && row.hasModRM
        }
        if hasModRM {
            modRM = try reader.byte()
            // The manual's mod is ignored where control and debug registers move (Intel SDM Vol 2B "MOV").
            if map == .twoByte && opcode & 0xfc == 0x20 { modRM |= 0xc0 }
        }
        guard let row = choose(candidates, prefixes, opcode, modRM) else { return .undefined }
        return try finish(row, &reader, prefixes, opcode, modRM)
    }

    /// Reads a VEX prefix; nil where there may be none (Intel SDM Vol 2A §2.3.5).
    private func vex(
        _ reader: inout CodeReader, _ prefixes: inout Prefixes, threeBytes: Bool
    ) throws(CodeReader.End) -> Encoding.Map? {
        guard !prefixes.hasREX, !prefixes.operandSize, !prefixes.lock, prefixes.repeats == .none else { return nil }
        let first = try reader.byte()
        var map = Encoding.Map.twoByte
        var last = first
        prefixes.rex = ~first >> 5 & 4
        if threeBytes {
            switch first & 31 {
            case 1: map = .twoByte
            case 2: map = .map38
            case 3: map = .map3A
            default: return nil
            }
            last = try reader.byte()
            prefixes.rex = ~first >> 5 & 7 | last >> 4 & 8
        }
        if mode != .long64 { prefixes.rex = 0 }
        if mode != .long64 && threeBytes { prefixes.rex = last >> 4 & 8 }
        prefixes.isVEX = true
        prefixes.vexLength256 = last & 4 != 0
        prefixes.vexPrefix = last & 3
        prefixes.vvvv = ~last >> 3 & (mode == .long64 ? 15 : 7)
        return map
    }

    /// The row with the most fixed bits that the instruction matches and the processor has.
    private func choose(_ candidates: [Int], _ prefixes: Prefixes, _ opcode: UInt8, _ modRM: UInt8) -> InstructionRow? {
        var best: InstructionRow?
        for number in candidates {
            let row = InstructionSet.rows[number]
            guard features.contains(row.feature), matches(row, prefixes, opcode, modRM) else { continue }
            if let other = best, other.encoding.specificity >= row.encoding.specificity { continue }
            best = row
        }
        return best
    }

    private func matches(_ row: InstructionRow, _ prefixes: Prefixes, _ opcode: UInt8, _ modRM: UInt8) -> Bool {
        let encoding = row.encoding
        if row.attributes.contains(mode == .long64 ? .not64 : .only64) { return false }
        let isRegister = modRM >= 0xc0
        if encoding.digit >= 0 && UInt8(encoding.digit) != modRM >> 3 & 7 { return false }
        if encoding.rm >= 0 && (!isRegister || UInt8(encoding.rm) != modRM & 7) { return false }
        if let form = encoding.registerForm, form != isRegister { return false }
        for form in [row.operands.first, row.operands.second, row.operands.third] {
            switch form.place {
            case .memory: if isRegister { return false }
            case .register: if !isRegister { return false }
            default: break
            }
        }
        switch encoding.w {
        case .any: break
        case .w0: if prefixes.w { return false }
        case .w1: if !prefixes.w { return false }
        }
        return prefixes.isVEX ? matchesVEX(row, prefixes) : matchesLegacy(encoding, prefixes, opcode)
    }

    private func matchesVEX(_ row: InstructionRow, _ prefixes: Prefixes) -> Bool {
        switch row.encoding.vex {
        case .none: return false
        case .l128: if prefixes.vexLength256 { return false }
        case .l256: if !prefixes.vexLength256 { return false }
        case .any, .ignored: break
        }
        let usesVVVV = row.operands.all.contains { $0.place == .vvvv }
        if !usesVVVV && prefixes.vvvv != 0 { return false }
        switch row.encoding.prefix {
        case .any: return true
        case .np, .noRepeat: return prefixes.vexPrefix == 0
        case .p66: return prefixes.vexPrefix == 1
        case .f3: return prefixes.vexPrefix == 2
        case .f2: return prefixes.vexPrefix == 3
        }
    }

    private func matchesLegacy(_ encoding: Encoding, _ prefixes: Prefixes, _ opcode: UInt8) -> Bool {
        guard encoding.vex == .none else { return false }
        // 90 with REX.B is `xchg r8, rax`, without it no exchange.
        if encoding.map == .one && opcode == 0x90 && encoding.hasRegister != (prefixes.b != 0) { return false }
        switch encoding.prefix {
        case .any: return true
        case .np: return prefixes.repeats == .none && !prefixes.operandSize
        case .p66: return prefixes.repeats == .none && prefixes.operandSize
        case .f3: return prefixes.repeats == .f3
        case .f2: return prefixes.repeats == .f2
        case .noRepeat: return prefixes.repeats == .none
        }
    }
}

extension Encoding {
    /// How much of an instruction is fixed: of several rows that match, the one with the most is meant.
    var specificity: Int {
        var count = digit >= 0 ? 8 : 0
        if rm >= 0 { count += 16 }
        if registerForm != nil { count += 4 }
        if w != .any { count += 2 }
        switch prefix {
        case .any: break
        case .noRepeat: count += 32
        case .np, .p66, .f3, .f2: count += 64
        }
        return count
    }
}

// SPDX-License-Identifier: Apache-2.0
import X86Oracle

@testable import X86_64

/// Random registers and random encodings of a row.
struct InstructionDrawer {
    private var random: UInt64

    init(seed: UInt64) { random = seed }

    mutating func next() -> UInt64 {
        random &+= 0x9e37_79b9_7f4a_7c15
        var z = random
        z = (z ^ (z &>> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z &>> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z &>> 31)
    }

    mutating func below(_ bound: UInt64) -> UInt64 { next() % bound }

    /// The bytes of one encoding of `row` in 64-bit mode. Memory is at rdi plus a multiple of 32, or not quite.
    mutating func encoding(_ row: InstructionRow) -> [UInt8] {
        let encoding = row.encoding
        let places = row.operands.all.map(\.place)
        let generals: [UInt8] = [0, 1, 2, 3, 6]
        let hasGeneralReg = row.operands.all.contains { [.Gd, .Gy].contains($0) }
        let hasGeneralRM = row.operands.all.contains { [.Ey, .Ed, .Mb_Rd, .Mw_Rd].contains($0) }
        var reg = UInt8(below(16))
        if hasGeneralReg { reg = generals[Int(below(5))] }
        if encoding.digit >= 0 { reg = UInt8(encoding.digit) }
        let mayBeMemory = places.contains(.rm) || places.contains(.memory) || encoding.registerForm == false
        let mustBeMemory = places.contains(.memory) || encoding.registerForm == false
        let isMemory = mustBeMemory || mayBeMemory && encoding.registerForm != true && below(2) == 0
        var rm = hasGeneralRM ? generals[Int(below(5))] : UInt8(below(16))
        if encoding.rm >= 0 { rm = UInt8(encoding.rm) }
        if row.operands.all.contains(.STi) { rm &= 7 }
        var vvvv: UInt8 = places.contains(.vvvv) ? UInt8(below(16)) : 0
        let gathers = row.operands.second == .VMd || row.operands.second == .VMq
        if gathers { (reg, vvvv) = (1 + UInt8(below(7)), 8 + UInt8(below(8))) }
        let wide = encoding.w == .w1 || encoding.w == .any && below(2) == 0
        let rexR = reg >= 8 ? UInt8(4) : 0
        let rexB = !isMemory && rm >= 8 ? UInt8(1) : 0

        var bytes: [UInt8] = []
        if encoding.vex == .none {
            switch encoding.prefix {
            case .p66: bytes.append(0x66)
            case .f3: bytes.append(0xf3)
            case .f2: bytes.append(0xf2)
            default: break
            }
            let rex = 0x40 | (wide ? 8 : 0) | rexR | rexB
            if rex != 0x40 && encoding.map != .one { bytes.append(rex) }
            switch encoding.map {
            case .one: break
            case .twoByte: bytes.append(0x0f)
            case .map38: bytes += [0x0f, 0x38]
            case .map3A: bytes += [0x0f, 0x3a]
            }
        } else {
            let long = encoding.vex == .l256 || (encoding.vex == .any || encoding.vex == .ignored) && below(2) == 0
            let prefix: UInt8 =
                switch encoding.prefix {
                case .p66: 1
                case .f3: 2
                case .f2: 3
                default: 0
                }
            let map: UInt8 = encoding.map == .twoByte ? 1 : encoding.map == .map38 ? 2 : 3
            bytes += [0xc4, ~(rexR << 5 | rexB << 5) & 0xe0 | map]
            bytes.append((wide ? 0x80 : 0) | (~vvvv & 15) << 3 | (long ? 4 : 0) | prefix)
        }
        bytes.append(encoding.opcode)
        if row.hasModRM {
            if gathers {
                // rdi + the index in xmm0, which has small numbers, × 1.
                bytes += [0x40 | reg << 3 & 0x38 | 4, 0x07, 0]
            } else if isMemory {
                let displacement = below(8) == 0 ? UInt8(below(64)) : UInt8(below(3) * 32)
                bytes += [0x40 | reg << 3 & 0x38 | 7, displacement]
            } else {
                bytes.append(0xc0 | reg << 3 & 0x38 | rm & 7)
            }
        }
        if row.operands.all.contains(where: { [.Ib, .Lx].contains($0) }) {
            bytes.append(UInt8(truncatingIfNeeded: below(3) == 0 ? below(16) : next()))
        }
        return bytes
    }

    /// A value for 64 bits of a vector or of memory: floating-point numbers of both sizes more often than not.
    private mutating func value() -> UInt64 {
        func single(_ x: UInt64) -> UInt64 {
            let specials: [UInt64] = [
                0, 1 << 31, 0x7f80_0000, 0x7fc0_0001, 0xff80_0001, 1, 0x3f80_0000, 0x7f7f_ffff, 0x80_0000,
            ]
            return x & 7 == 0 ? specials[Int(x >> 8 % 9)] : 0x3f80_0000 &+ (x >> 20 & 0x3ff_ffff) | x << 31 & 1 << 31
        }
        let specials: [UInt64] = [
            0, 1 << 63, 0x7ff << 52, 0x7ff8 << 48 | 5, 0x7ff << 52 | 7, 1, 0x3ff << 52, 0xffef << 48 | .max >> 16, .max,
        ]
        let bits = next()
        switch below(8) {
        case 0: return bits
        case 1, 2: return single(next()) | single(next()) << 32
        case 3: return specials[Int(below(9))]
        case 4: return (0x3fe << 52 &+ bits >> 10) | bits << 63
        case 5: return bits & 0x00ff_00ff_00ff_00ff
        case 6: return bits & next() & next()
        default: return below(300)
        }
    }

    /// Registers and memory; exceptions masked unless `unmasks`.
    mutating func state(unmasks: Bool) -> x86_run_state {
        var state = x86_run_state()
        let mxcsr = next() & (unmasks ? 0xffff : 0xe07f) | (unmasks && below(4) != 0 ? 0x1e80 : unmasks ? 0 : 0x1f80)
        let flags = next() & 0x8d5 | 0x202
        let control = UInt16(truncatingIfNeeded: next()) & 0x0f3f | (unmasks ? 0x40 : 0x7f)
        let status = UInt16(truncatingIfNeeded: next()) & 0x7f00 | (below(4) == 0 ? 1 : 0)
        let tags = below(3) == 0 ? UInt8(truncatingIfNeeded: next()) : below(2) == 0 ? 0x7f : 0xff
        withUnsafeMutableBytes(of: &state) { bytes in
            for place in 0..<6 { bytes.storeBytes(of: value(), toByteOffset: place * 8, as: UInt64.self) }
            bytes.storeBytes(of: flags, toByteOffset: 48, as: UInt64.self)
            bytes.storeBytes(of: mxcsr, toByteOffset: 56, as: UInt64.self)
            for part in 0..<64 { bytes.storeBytes(of: value(), toByteOffset: 64 + part * 8, as: UInt64.self) }
            bytes.storeBytes(of: control, toByteOffset: 576, as: UInt16.self)
            // An exception that would trap at once is none to begin with.
            bytes.storeBytes(of: status & ~(unmasks ? 0x3f : 0), toByteOffset: 578, as: UInt16.self)
            bytes.storeBytes(of: tags, toByteOffset: 580, as: UInt8.self)
            bytes.storeBytes(of: 0x1f80, toByteOffset: 600, as: UInt32.self)
            for register in 0..<8 {
                let exponent = below(4) == 0 ? next() : 0x3fff &- 20 &+ below(60) | next() & 0x8000
                let significand = below(10) == 0 ? next() : value() | 1 << 63
                bytes.storeBytes(of: significand, toByteOffset: 608 + 16 * register, as: UInt64.self)
                bytes.storeBytes(
                    of: UInt16(truncatingIfNeeded: exponent), toByteOffset: 616 + 16 * register, as: UInt16.self)
            }
            for part in 0..<32 { bytes.storeBytes(of: value(), toByteOffset: 1152 + part * 8, as: UInt64.self) }
        }
        return state
    }
}

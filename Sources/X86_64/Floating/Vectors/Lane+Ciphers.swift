// SPDX-License-Identifier: Apache-2.0

// AES (FIPS 197), carry-less multiplication, SHA-1 and SHA-256 (FIPS 180-4).
extension Lane {
    /// AESENC, and AESENCLAST without `mixes`: a round of encryption with the round key `key`.
    static func encrypt(_ state: Lane, _ key: Lane, mixes: Bool) -> Lane {
        let source = state.elements(Bytes.self)
        var result = Bytes()
        // ShiftRows: row r of column c comes from column c + r.
        for index in 0..<16 { result[index] = substitution[Int(source[(index &+ 4 &* (index & 3)) & 15])] }
        return (mixes ? Lane(result).mixed(2, 3, 1, 1) : Lane(result)) ^ key
    }

    /// AESDEC, and AESDECLAST without `mixes`: a round of the equivalent inverse cipher.
    static func decrypt(_ state: Lane, _ key: Lane, mixes: Bool) -> Lane {
        let source = state.elements(Bytes.self)
        var result = Bytes()
        for index in 0..<16 { result[index] = inverse[Int(source[(index &- 4 &* (index & 3)) & 15])] }
        return (mixes ? Lane(result).inverseMixed : Lane(result)) ^ key
    }

    /// AESIMC.
    var inverseMixed: Lane { mixed(14, 11, 13, 9) }

    /// AESKEYGENASSIST: words 1 and 3 substituted, and rotated with the round constant.
    func assistedKey(_ constant: UInt8) -> Lane {
        let source = elements(Doubles.self)
        func substituted(_ word: UInt32) -> UInt32 {
            var result: UInt32 = 0
            for byte in 0..<4 {
                result |= UInt32(Self.substitution[Int(word >> UInt32(8 * byte) & 0xff)]) << UInt32(8 * byte)
            }
            return result
        }
        func rotated(_ word: UInt32) -> UInt32 { (word >> 8 | word << 24) ^ UInt32(constant) }
        let (first, third) = (substituted(source[1]), substituted(source[3]))
        return Lane(Doubles(first, rotated(first), third, rotated(third)))
    }

    /// MixColumns with the factors of a column's own byte and of those below it.
    private func mixed(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) -> Lane {
        let source = elements(Bytes.self)
        var result = Bytes()
        for index in 0..<16 {
            let column = index & 12
            result[index] =
                Self.product(source[index], a) ^ Self.product(source[column | (index &+ 1) & 3], b)
                ^ Self.product(source[column | (index &+ 2) & 3], c)
                ^ Self.product(source[column | (index &+ 3) & 3], d)
        }
        return Lane(result)
    }

    /// A product in AES's field, modulo x^8 + x^4 + x^3 + x + 1.
    private static func product(_ x: UInt8, _ factor: UInt8) -> UInt8 {
        var (power, rest, result) = (x, factor, UInt8(0))
        while rest != 0 {
            if rest & 1 != 0 { result ^= power }
            power = power << 1 ^ (power & 0x80 != 0 ? 0x1b : 0)
            rest >>= 1
        }
        return result
    }

    /// PCLMULQDQ: the product of two 64-bit polynomials over the field of two elements.
    static func multiplyCarryless(_ x: UInt64, _ y: UInt64) -> Lane {
        var result: UInt128 = 0
        var rest = y
        while rest != 0 {
            result ^= UInt128(x) << UInt128(rest.trailingZeroBitCount)
            rest &= rest &- 1
        }
        return Lane(low: UInt64(truncatingIfNeeded: result), high: UInt64(truncatingIfNeeded: result >> 64))
    }

    /// SHA1RNDS4: four rounds on A, B, C, D in `x` from the top word down, with the words in `y`.
    static func sha1Rounds(_ x: Lane, _ y: Lane, _ function: UInt8) -> Lane {
        let (state, words) = (x.elements(Doubles.self), y.elements(Doubles.self))
        var (a, b, c, d, e) = (state[3], state[2], state[1], state[0], UInt32(0))
        let constants = Doubles(0x5a82_7999, 0x6ed9_eba1, 0x8f1b_bcdc, 0xca62_c1d6)
        for round in 0..<4 {
            let mixed: UInt32 =
                switch function & 3 {
                case 0: (b & c) ^ (~b & d)
                case 2: (b & c) ^ (b & d) ^ (c & d)
                default: b ^ c ^ d
                }
            let next =
                mixed &+ a.rotated(left: 5) &+ words[3 - round] &+ e &+ constants[Int(function & 3)]
            (e, d, c, b, a) = (d, c, b.rotated(left: 30), a, next)
        }
        return Lane(Doubles(d, c, b, a))
    }

    /// SHA1NEXTE: the top word of `x` turned and added to that of `y`.
    static func sha1Next(_ x: Lane, _ y: Lane) -> Lane {
        var result = y.elements(Doubles.self)
        result[3] &+= x.elements(Doubles.self)[3].rotated(left: 30)
        return Lane(result)
    }

    /// SHA1MSG1.
    static func sha1Schedule1(_ x: Lane, _ y: Lane) -> Lane {
        let (left, right) = (x.elements(Doubles.self), y.elements(Doubles.self))
        return Lane(Doubles(left[0] ^ right[2], left[1] ^ right[3], left[2] ^ left[0], left[3] ^ left[1]))
    }

    /// SHA1MSG2.
    static func sha1Schedule2(_ x: Lane, _ y: Lane) -> Lane {
        let (left, right) = (x.elements(Doubles.self), y.elements(Doubles.self))
        let w16 = (left[3] ^ right[2]).rotated(left: 1)
        let w17 = (left[2] ^ right[1]).rotated(left: 1)
        let w18 = (left[1] ^ right[0]).rotated(left: 1)
        return Lane(Doubles((left[0] ^ w16).rotated(left: 1), w18, w17, w16))
    }

    /// SHA256RNDS2: two rounds; `x` has C, D, G, H and `y` A, B, E, F from the top word down, `words` W + K below.
    static func sha256Rounds(_ x: Lane, _ y: Lane, _ words: Lane) -> Lane {
        let (low, high) = (x.elements(Doubles.self), y.elements(Doubles.self))
        var (a, b, c, d) = (high[3], high[2], low[3], low[2])
        var (e, f, g, h) = (high[1], high[0], low[1], low[0])
        for round in 0..<2 {
            let choice = (e & f) ^ (~e & g)
            let majority = (a & b) ^ (a & c) ^ (b & c)
            let turnedE = e.rotated(left: 26) ^ e.rotated(left: 21) ^ e.rotated(left: 7)
            let turnedA = a.rotated(left: 30) ^ a.rotated(left: 19) ^ a.rotated(left: 10)
            let sum = choice &+ turnedE &+ words.elements(Doubles.self)[round] &+ h
            (h, g, f, e) = (g, f, e, sum &+ d)
            (d, c, b, a) = (c, b, a, sum &+ majority &+ turnedA)
        }
        return Lane(Doubles(f, e, b, a))
    }

    /// SHA256MSG1.
    static func sha256Schedule1(_ x: Lane, _ y: Lane) -> Lane {
        let left = x.elements(Doubles.self)
        let following = Doubles(left[1], left[2], left[3], y.elements(Doubles.self)[0])
        var result = left
        for index in result.indices {
            let word = following[index]
            result[index] &+= word.rotated(left: 25) ^ word.rotated(left: 14) ^ word >> 3
        }
        return Lane(result)
    }

    /// SHA256MSG2.
    static func sha256Schedule2(_ x: Lane, _ y: Lane) -> Lane {
        let (left, right) = (x.elements(Doubles.self), y.elements(Doubles.self))
        func turned(_ word: UInt32) -> UInt32 { word.rotated(left: 15) ^ word.rotated(left: 13) ^ word >> 10 }
        let w16 = left[0] &+ turned(right[2])
        let w17 = left[1] &+ turned(right[3])
        return Lane(Doubles(w16, w17, left[2] &+ turned(w16), left[3] &+ turned(w17)))
    }

    /// SubBytes (FIPS 197 §5.1.1), and its inverse.
    private static let substitution: InlineArray<256, UInt8> = [
        0x63, 0x7c, 0x77, 0x7b, 0xf2, 0x6b, 0x6f, 0xc5, 0x30, 0x01, 0x67, 0x2b, 0xfe, 0xd7, 0xab, 0x76,
        0xca, 0x82, 0xc9, 0x7d, 0xfa, 0x59, 0x47, 0xf0, 0xad, 0xd4, 0xa2, 0xaf, 0x9c, 0xa4, 0x72, 0xc0,
        0xb7, 0xfd, 0x93, 0x26, 0x36, 0x3f, 0xf7, 0xcc, 0x34, 0xa5, 0xe5, 0xf1, 0x71, 0xd8, 0x31, 0x15,
        0x04, 0xc7, 0x23, 0xc3, 0x18, 0x96, 0x05, 0x9a, 0x07, 0x12, 0x80, 0xe2, 0xeb, 0x27, 0xb2, 0x75,
        0x09, 0x83, 0x2c, 0x1a, 0x1b, 0x6e, 0x5a, 0xa0, 0x52, 0x3b, 0xd6, 0xb3, 0x29, 0xe3, 0x2f, 0x84,
        0x53, 0xd1, 0x00, 0xed, 0x20, 0xfc, 0xb1, 0x5b, 0x6a, 0xcb, 0xbe, 0x39, 0x4a, 0x4c, 0x58, 0xcf,
        0xd0, 0xef, 0xaa, 0xfb, 0x43, 0x4d, 0x33, 0x85, 0x45, 0xf9, 0x02, 0x7f, 0x50, 0x3c, 0x9f, 0xa8,
        0x51, 0xa3, 0x40, 0x8f, 0x92, 0x9d, 0x38, 0xf5, 0xbc, 0xb6, 0xda, 0x21, 0x10, 0xff, 0xf3, 0xd2,
        0xcd, 0x0c, 0x13, 0xec, 0x5f, 0x97, 0x44, 0x17, 0xc4, 0xa7, 0x7e, 0x3d, 0x64, 0x5d, 0x19, 0x73,
        0x60, 0x81, 0x4f, 0xdc, 0x22, 0x2a, 0x90, 0x88, 0x46, 0xee, 0xb8, 0x14, 0xde, 0x5e, 0x0b, 0xdb,
        0xe0, 0x32, 0x3a, 0x0a, 0x49, 0x06, 0x24, 0x5c, 0xc2, 0xd3, 0xac, 0x62, 0x91, 0x95, 0xe4, 0x79,
        0xe7, 0xc8, 0x37, 0x6d, 0x8d, 0xd5, 0x4e, 0xa9, 0x6c, 0x56, 0xf4, 0xea, 0x65, 0x7a, 0xae, 0x08,
        0xba, 0x78, 0x25, 0x2e, 0x1c, 0xa6, 0xb4, 0xc6, 0xe8, 0xdd, 0x74, 0x1f, 0x4b, 0xbd, 0x8b, 0x8a,
        0x70, 0x3e, 0xb5, 0x66, 0x48, 0x03, 0xf6, 0x0e, 0x61, 0x35, 0x57, 0xb9, 0x86, 0xc1, 0x1d, 0x9e,
        0xe1, 0xf8, 0x98, 0x11, 0x69, 0xd9, 0x8e, 0x94, 0x9b, 0x1e, 0x87, 0xe9, 0xce, 0x55, 0x28, 0xdf,
        0x8c, 0xa1, 0x89, 0x0d, 0xbf, 0xe6, 0x42, 0x68, 0x41, 0x99, 0x2d, 0x0f, 0xb0, 0x54, 0xbb, 0x16,
    ]
    private static let inverse: InlineArray<256, UInt8> = [
        0x52, 0x09, 0x6a, 0xd5, 0x30, 0x36, 0xa5, 0x38, 0xbf, 0x40, 0xa3, 0x9e, 0x81, 0xf3, 0xd7, 0xfb,
        0x7c, 0xe3, 0x39, 0x82, 0x9b, 0x2f, 0xff, 0x87, 0x34, 0x8e, 0x43, 0x44, 0xc4, 0xde, 0xe9, 0xcb,
        0x54, 0x7b, 0x94, 0x32, 0xa6, 0xc2, 0x23, 0x3d, 0xee, 0x4c, 0x95, 0x0b, 0x42, 0xfa, 0xc3, 0x4e,
        0x08, 0x2e, 0xa1, 0x66, 0x28, 0xd9, 0x24, 0xb2, 0x76, 0x5b, 0xa2, 0x49, 0x6d, 0x8b, 0xd1, 0x25,
        0x72, 0xf8, 0xf6, 0x64, 0x86, 0x68, 0x98, 0x16, 0xd4, 0xa4, 0x5c, 0xcc, 0x5d, 0x65, 0xb6, 0x92,
        0x6c, 0x70, 0x48, 0x50, 0xfd, 0xed, 0xb9, 0xda, 0x5e, 0x15, 0x46, 0x57, 0xa7, 0x8d, 0x9d, 0x84,
        0x90, 0xd8, 0xab, 0x00, 0x8c, 0xbc, 0xd3, 0x0a, 0xf7, 0xe4, 0x58, 0x05, 0xb8, 0xb3, 0x45, 0x06,
        0xd0, 0x2c, 0x1e, 0x8f, 0xca, 0x3f, 0x0f, 0x02, 0xc1, 0xaf, 0xbd, 0x03, 0x01, 0x13, 0x8a, 0x6b,
        0x3a, 0x91, 0x11, 0x41, 0x4f, 0x67, 0xdc, 0xea, 0x97, 0xf2, 0xcf, 0xce, 0xf0, 0xb4, 0xe6, 0x73,
        0x96, 0xac, 0x74, 0x22, 0xe7, 0xad, 0x35, 0x85, 0xe2, 0xf9, 0x37, 0xe8, 0x1c, 0x75, 0xdf, 0x6e,
        0x47, 0xf1, 0x1a, 0x71, 0x1d, 0x29, 0xc5, 0x89, 0x6f, 0xb7, 0x62, 0x0e, 0xaa, 0x18, 0xbe, 0x1b,
        0xfc, 0x56, 0x3e, 0x4b, 0xc6, 0xd2, 0x79, 0x20, 0x9a, 0xdb, 0xc0, 0xfe, 0x78, 0xcd, 0x5a, 0xf4,
        0x1f, 0xdd, 0xa8, 0x33, 0x88, 0x07, 0xc7, 0x31, 0xb1, 0x12, 0x10, 0x59, 0x27, 0x80, 0xec, 0x5f,
        0x60, 0x51, 0x7f, 0xa9, 0x19, 0xb5, 0x4a, 0x0d, 0x2d, 0xe5, 0x7a, 0x9f, 0x93, 0xc9, 0x9c, 0xef,
        0xa0, 0xe0, 0x3b, 0x4d, 0xae, 0x2a, 0xf5, 0xb0, 0xc8, 0xeb, 0xbb, 0x3c, 0x83, 0x53, 0x99, 0x61,
        0x17, 0x2b, 0x04, 0x7e, 0xba, 0x77, 0xd6, 0x26, 0xe1, 0x69, 0x14, 0x63, 0x55, 0x21, 0x0c, 0x7d,
    ]
}

extension UInt32 {
    @inline(__always)
    func rotated(left count: UInt32) -> UInt32 { self << count | self >> (32 - count) }
}

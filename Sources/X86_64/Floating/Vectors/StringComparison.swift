// SPDX-License-Identifier: Apache-2.0

/// PCMPESTRI, PCMPESTRM, PCMPISTRI and PCMPISTRM: one comparison of two strings of bytes or words
/// (Intel SDM Vol 2B §4.1).
struct StringComparison {
    /// How many elements a vector has: 16 or 8.
    let count: Int
    /// IntRes2: a bit for each element of the second string.
    let bits: UInt32
    /// CF, ZF, SF and OF in their places, the other arithmetic flags clear.
    let flags: UInt64
    private let selectsHighest: Bool

    /// Compares as `control` says; a nil length means that the first zero ends the string.
    init(_ x: Lane, length first: UInt64?, _ y: Lane, length second: UInt64?, control: UInt8) {
        let words = control & 1 != 0
        let isSigned = control & 2 != 0
        let count = words ? 8 : 16
        func value(_ lane: Lane, _ index: Int) -> Int {
            if words {
                return isSigned
                    ? Int(lane.elements(Lane.SignedWords.self)[index]) : Int(lane.elements(Lane.Words.self)[index])
            }
            return isSigned
                ? Int(lane.elements(Lane.SignedBytes.self)[index]) : Int(lane.elements(Lane.Bytes.self)[index])
        }
        func length(_ lane: Lane, _ given: UInt64?) -> Int {
            if let given { return Int(Swift.min(given, UInt64(count))) }
            return (0..<count).first { value(lane, $0) == 0 } ?? count
        }
        let (m, n) = (length(x, first), length(y, second))
        var result: UInt32 = 0
        for place in 0..<count {
            let hit: Bool =
                switch control >> 2 & 3 {
                case 0: place < n && (0..<m).contains { value(x, $0) == value(y, place) }
                case 1:
                    place < n
                        && (0..<m / 2).contains {
                            value(x, 2 * $0) <= value(y, place) && value(y, place) <= value(x, 2 * $0 + 1)
                        }
                case 2: place < m && place < n ? value(x, place) == value(y, place) : place >= m && place >= n
                default:
                    // The first string from here on, as far as the vector goes.
                    !(0..<Swift.min(m, count - place)).contains {
                        place + $0 >= n || value(x, $0) != value(y, place + $0)
                    }
                }
            if hit { result |= 1 << UInt32(place) }
        }
        let all: UInt32 = words ? 0xff : 0xffff
        switch control >> 4 & 3 {
        case 1: result ^= all
        case 3: result ^= (1 << UInt32(n)) - 1
        default: break
        }
        self.count = count
        bits = result
        selectsHighest = control & 0x40 != 0
        flags =
            (result != 0 ? RFlags.carry : 0) | (n < count ? RFlags.zero : 0) | (m < count ? RFlags.sign : 0)
            | (result & 1 != 0 ? RFlags.overflow : 0)
    }

    /// What RCX becomes.
    var index: UInt64 {
        if bits == 0 { return UInt64(count) }
        return UInt64(selectsHighest ? 31 - bits.leadingZeroBitCount : bits.trailingZeroBitCount)
    }

    /// What XMM0 becomes: the bits, or whole elements.
    var mask: Lane {
        if !selectsHighest { return Lane(low: UInt64(bits)) }
        if count == 8 {
            var result = Lane.Words()
            for index in result.indices where bits >> UInt32(index) & 1 != 0 { result[index] = 0xffff }
            return Lane(result)
        }
        var result = Lane.Bytes()
        for index in result.indices where bits >> UInt32(index) & 1 != 0 { result[index] = 0xff }
        return Lane(result)
    }
}

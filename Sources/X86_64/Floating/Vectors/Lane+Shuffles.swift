// SPDX-License-Identifier: Apache-2.0

extension Lane {
    /// PSHUFB: bytes of `x` as `y` picks them; zero where its top bit is set.
    static func shuffleBytes(_ x: Lane, _ y: Lane, mask: UInt8 = 15) -> Lane {
        let source = x.elements(Bytes.self)
        return y.map(Bytes.self) { $0 & 0x80 != 0 ? 0 : source[Int($0 & mask)] }
    }

    /// PSHUFD, VPERMILPS: double words as four pairs of bits pick them.
    func shuffleDoubles(_ immediate: UInt8) -> Lane {
        let source = elements(Doubles.self)
        var result = source
        for index in result.indices { result[index] = source[Int(immediate >> UInt8(2 * index) & 3)] }
        return Lane(result)
    }

    /// PSHUFLW, PSHUFHW, PSHUFW: words of the half that begins at `first`.
    func shuffleWords(_ immediate: UInt8, first: Int) -> Lane {
        let source = elements(Words.self)
        var result = source
        for index in 0..<4 { result[first + index] = source[first + Int(immediate >> UInt8(2 * index) & 3)] }
        return Lane(result)
    }

    /// SHUFPS: two of `x`, then two of `y`.
    static func shuffleSingles(_ x: Lane, _ y: Lane, _ immediate: UInt8) -> Lane {
        let (left, right) = (x.elements(Doubles.self), y.elements(Doubles.self))
        return Lane(
            Doubles(
                left[Int(immediate & 3)], left[Int(immediate >> 2 & 3)], right[Int(immediate >> 4 & 3)],
                right[Int(immediate >> 6)]))
    }

    /// SHUFPD, and VPERMILPD with `y` the same as `x`.
    static func shuffleQuads(_ x: Lane, _ y: Lane, _ immediate: UInt8) -> Lane {
        Lane(low: immediate & 1 == 0 ? x.low : x.high, high: immediate & 2 == 0 ? y.low : y.high)
    }

    /// VPERMILPS by a vector of choices.
    static func permuteSingles(_ x: Lane, _ y: Lane) -> Lane {
        let source = x.elements(Doubles.self)
        return y.map(Doubles.self) { source[Int($0 & 3)] }
    }

    /// VPERMILPD: bit 1 of each chooses.
    static func permuteDoubles(_ x: Lane, _ y: Lane) -> Lane {
        Lane(low: y.low & 2 == 0 ? x.low : x.high, high: y.high & 2 == 0 ? x.low : x.high)
    }

    /// BLENDPS and its kin: elements of `y` where the immediate has a bit set.
    @inline(__always)
    static func blend<Elements: SIMD>(_ x: Lane, _ y: Lane, _ immediate: UInt8, _ type: Elements.Type) -> Lane {
        let (left, right) = (x.elements(type), y.elements(type))
        var result = left
        for index in result.indices where immediate >> UInt8(index) & 1 != 0 { result[index] = right[index] }
        return Lane(result)
    }

    /// INSERTPS with the element already chosen: bits 5:4 say where to, bits 3:0 what becomes zero.
    static func insertSingle(_ x: Lane, _ value: UInt32, _ immediate: UInt8) -> Lane {
        var result = x.elements(Doubles.self)
        result[Int(immediate >> 4 & 3)] = value
        for index in result.indices where immediate >> UInt8(index) & 1 != 0 { result[index] = 0 }
        return Lane(result)
    }

    /// PINSRB and its kin: `value` as element `index` of `bytes` bytes.
    func inserting(_ value: UInt64, bytes: Int, at index: Int) -> Lane {
        switch bytes {
        case 1:
            var result = elements(Bytes.self)
            result[index & 15] = UInt8(truncatingIfNeeded: value)
            return Lane(result)
        case 2:
            var result = elements(Words.self)
            result[index & 7] = UInt16(truncatingIfNeeded: value)
            return Lane(result)
        case 4:
            var result = elements(Doubles.self)
            result[index & 3] = UInt32(truncatingIfNeeded: value)
            return Lane(result)
        default: return index & 1 == 0 ? Lane(low: value, high: high) : Lane(low: low, high: value)
        }
    }

    /// PEXTRB and its kin.
    func element(bytes: Int, at index: Int) -> UInt64 {
        switch bytes {
        case 1: UInt64(elements(Bytes.self)[index & 15])
        case 2: UInt64(elements(Words.self)[index & 7])
        case 4: UInt64(elements(Doubles.self)[index & 3])
        default: index & 1 == 0 ? low : high
        }
    }
}

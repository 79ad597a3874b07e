// SPDX-License-Identifier: Apache-2.0

extension Lane {
    /// The upper half of the products of words; PMULHRSW's are rounded and doubled.
    static func multiplyHigh(_ x: Lane, _ y: Lane) -> Lane {
        map(x, y, SignedWords.self) { Int16(truncatingIfNeeded: (Int32($0) &* Int32($1)) &>> 16) }
    }

    static func multiplyHighUnsigned(_ x: Lane, _ y: Lane) -> Lane {
        map(x, y, Words.self) { UInt16(truncatingIfNeeded: (UInt32($0) &* UInt32($1)) &>> 16) }
    }

    static func multiplyHighRounded(_ x: Lane, _ y: Lane) -> Lane {
        map(x, y, SignedWords.self) {
            Int16(truncatingIfNeeded: ((Int32($0) &* Int32($1)) &>> 14 &+ 1) &>> 1)
        }
    }

    /// PMADDWD: products of words, neighbours added.
    static func multiplyAddWords(_ x: Lane, _ y: Lane) -> Lane {
        let (left, right) = (x.elements(SignedWords.self), y.elements(SignedWords.self))
        var result = SignedDoubles()
        for index in result.indices {
            result[index] =
                Int32(left[2 * index]) &* Int32(right[2 * index])
                &+ Int32(left[2 * index + 1]) &* Int32(right[2 * index + 1])
        }
        return Lane(result)
    }

    /// PMADDUBSW: products of unsigned bytes of `x` and signed ones of `y`, neighbours added with saturation.
    static func multiplyAddBytes(_ x: Lane, _ y: Lane) -> Lane {
        let (left, right) = (x.elements(Bytes.self), y.elements(SignedBytes.self))
        var result = SignedWords()
        for index in result.indices {
            let first = Int32(left[2 * index]) &* Int32(right[2 * index])
            let second = Int32(left[2 * index + 1]) &* Int32(right[2 * index + 1])
            result[index] = Int16(clamping: first &+ second)
        }
        return Lane(result)
    }

    /// PSADBW: sums of absolute differences, eight bytes each.
    static func sumOfDifferences(_ x: Lane, _ y: Lane) -> Lane {
        let (left, right) = (x.elements(Bytes.self), y.elements(Bytes.self))
        var result = Quads()
        for index in left.indices {
            result[index / 8] &+= UInt64(
                left[index] > right[index] ? left[index] &- right[index] : right[index] &- left[index])
        }
        return Lane(result)
    }

    /// MPSADBW: eight sums of absolute differences of four bytes of `y` and as many of `x`, further on by one each.
    static func slidingDifferences(_ x: Lane, _ y: Lane, _ immediate: UInt8) -> Lane {
        let (left, right) = (x.elements(Bytes.self), y.elements(Bytes.self))
        let first = immediate & 4 != 0 ? 4 : 0
        let block = Int(immediate & 3) * 4
        var result = Words()
        for index in result.indices {
            for byte in 0..<4 {
                let a = left[first + index + byte]
                let b = right[block + byte]
                result[index] &+= UInt16(a > b ? a &- b : b &- a)
            }
        }
        return Lane(result)
    }

    /// PSIGNB and its kin: `x` with its sign turned, or zero, by that of `y`.
    @inline(__always)
    static func applySigns<Elements: SIMD>(_ x: Lane, _ y: Lane, _ type: Elements.Type) -> Lane
    where Elements.Scalar: FixedWidthInteger & SignedInteger {
        map(x, y, type) { $1 == 0 ? 0 : $1 < 0 ? 0 &- $0 : $0 }
    }

    /// PABSB and its kin.
    @inline(__always)
    func absolute<Elements: SIMD>(_ type: Elements.Type) -> Lane
    where Elements.Scalar: FixedWidthInteger & SignedInteger {
        map(type) { $0 < 0 ? 0 &- $0 : $0 }
    }

    /// PHMINPOSUW: the smallest word and its place.
    func smallestWord() -> Lane {
        let words = elements(Words.self)
        var place = 0
        for index in words.indices where words[index] < words[place] { place = index }
        return Lane(low: UInt64(words[place]) | UInt64(place) << 16)
    }

    // Shifts. A count that is too large leaves nothing, or the sign.

    @inline(__always)
    func shiftedLeft<Elements: SIMD>(_ type: Elements.Type, _ count: UInt64) -> Lane
    where Elements.Scalar: FixedWidthInteger {
        if count >= UInt64(Elements.Scalar.bitWidth) { return Lane() }
        return map(type) { $0 &<< Elements.Scalar(truncatingIfNeeded: count) }
    }

    /// By the elements' type: the sign comes in from above, or zero.
    @inline(__always)
    func shiftedRight<Elements: SIMD>(_ type: Elements.Type, _ count: UInt64) -> Lane
    where Elements.Scalar: FixedWidthInteger {
        let width = UInt64(Elements.Scalar.bitWidth)
        if count >= width && !Elements.Scalar.isSigned { return Lane() }
        return map(type) { $0 &>> Elements.Scalar(truncatingIfNeeded: Swift.min(count, width &- 1)) }
    }

    /// Each element by a count of its own.
    @inline(__always)
    static func shiftLeft<Elements: SIMD>(_ x: Lane, _ y: Lane, _ type: Elements.Type) -> Lane
    where Elements.Scalar: FixedWidthInteger & UnsignedInteger {
        map(x, y, type) { $1 >= Elements.Scalar(Elements.Scalar.bitWidth) ? 0 : $0 &<< $1 }
    }

    @inline(__always)
    static func shiftRight<Elements: SIMD>(_ x: Lane, _ y: Lane, _ type: Elements.Type) -> Lane
    where Elements.Scalar: FixedWidthInteger & UnsignedInteger {
        map(x, y, type) { $1 >= Elements.Scalar(Elements.Scalar.bitWidth) ? 0 : $0 &>> $1 }
    }

    /// VPSRAVD: the count is unsigned.
    static func shiftRightSigned(_ x: Lane, _ y: Lane) -> Lane {
        map(x, y, SignedDoubles.self) { $0 &>> Int32(Swift.min(UInt32(bitPattern: $1), 31)) }
    }

    /// PSLLDQ, and PSRLDQ with a negative count: whole bytes.
    func shifted(bytes: Int) -> Lane {
        guard abs(bytes) < 16 else { return Lane() }
        let value = UInt128(high) << 64 | UInt128(low)
        let result = bytes >= 0 ? value << UInt128(bytes * 8) : value >> UInt128(bytes * -8)
        return Lane(low: UInt64(truncatingIfNeeded: result), high: UInt64(truncatingIfNeeded: result >> 64))
    }

    /// PALIGNR: 16 bytes of `x` above `y`, from byte `count` on.
    static func align(_ x: Lane, _ y: Lane, _ count: Int) -> Lane {
        if count >= 32 { return Lane() }
        return count >= 16 ? x.shifted(bytes: 16 - count) : y.shifted(bytes: 0 - count) | x.shifted(bytes: 16 - count)
    }
}

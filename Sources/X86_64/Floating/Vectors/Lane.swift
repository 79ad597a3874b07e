// SPDX-License-Identifier: Apache-2.0

/// 128 bits of a vector register. Instructions on 256 bits do to each half what those on 128 bits do, with few
/// exceptions; MMX's work on the low half of one.
struct Lane: Equatable, Sendable {
    var bits: SIMD2<UInt64>

    @inline(__always)
    init(low: UInt64 = 0, high: UInt64 = 0) { bits = SIMD2(low, high) }

    /// A vector of 16 bytes, its elements in the order of their significance.
    @inline(__always)
    init<Elements: SIMD>(_ elements: Elements) {
        // SAFETY: both are 16 bytes without padding: only vectors of that size are named in `Lane`'s type aliases.
        bits = unsafe unsafeBitCast(elements, to: SIMD2<UInt64>.self)
    }

    /// The elements of a vector of 16 bytes.
    @inline(__always)
    func elements<Elements: SIMD>(_ type: Elements.Type) -> Elements {
        // SAFETY: as in `init`.
        unsafe unsafeBitCast(bits, to: type)
    }

    @inline(__always) var low: UInt64 {
        get { bits.x }
        set { bits.x = newValue }
    }
    @inline(__always) var high: UInt64 {
        get { bits.y }
        set { bits.y = newValue }
    }

    typealias Bytes = SIMD16<UInt8>
    typealias SignedBytes = SIMD16<Int8>
    typealias Words = SIMD8<UInt16>
    typealias SignedWords = SIMD8<Int16>
    typealias Doubles = SIMD4<UInt32>
    typealias SignedDoubles = SIMD4<Int32>
    typealias Quads = SIMD2<UInt64>
    typealias SignedQuads = SIMD2<Int64>
}

extension Lane {
    /// Element by element of two lanes.
    @inline(__always)
    static func map<Elements: SIMD>(
        _ x: Lane, _ y: Lane, _ type: Elements.Type, _ body: (Elements.Scalar, Elements.Scalar) -> Elements.Scalar
    ) -> Lane {
        let (left, right) = (x.elements(type), y.elements(type))
        var result = left
        for index in result.indices { result[index] = body(left[index], right[index]) }
        return Lane(result)
    }

    /// Element by element.
    @inline(__always)
    func map<Elements: SIMD>(_ type: Elements.Type, _ body: (Elements.Scalar) -> Elements.Scalar) -> Lane {
        let source = elements(type)
        var result = source
        for index in result.indices { result[index] = body(source[index]) }
        return Lane(result)
    }

    /// All ones where `body` says so, else zeros.
    @inline(__always)
    static func compare<Elements: SIMD>(
        _ x: Lane, _ y: Lane, _ type: Elements.Type, _ body: (Elements.Scalar, Elements.Scalar) -> Bool
    ) -> Lane where Elements.Scalar: FixedWidthInteger {
        map(x, y, type) { body($0, $1) ? ~0 : 0 }
    }

    /// Elements of `x` and `y` in turn, from the lower or the upper half.
    @inline(__always)
    static func interleave<Elements: SIMD>(_ x: Lane, _ y: Lane, _ type: Elements.Type, upper: Bool) -> Lane {
        let (left, right) = (x.elements(type), y.elements(type))
        var result = left
        let half = Elements.scalarCount / 2
        for index in 0..<half {
            result[2 * index] = left[upper ? half + index : index]
            result[2 * index + 1] = right[upper ? half + index : index]
        }
        return Lane(result)
    }

    /// The elements of `x`, then those of `y`, each narrowed with saturation.
    @inline(__always)
    static func pack<Wide: SIMD, Narrow: SIMD>(_ x: Lane, _ y: Lane, _ wide: Wide.Type, _ narrow: Narrow.Type) -> Lane
    where Wide.Scalar: FixedWidthInteger, Narrow.Scalar: FixedWidthInteger {
        let (left, right) = (x.elements(wide), y.elements(wide))
        var result = Narrow()
        for index in left.indices {
            result[index] = Narrow.Scalar(clamping: left[index])
            result[Wide.scalarCount + index] = Narrow.Scalar(clamping: right[index])
        }
        return Lane(result)
    }

    /// Sums or differences of neighbours: those of `x`, then those of `y`.
    @inline(__always)
    static func horizontal<Elements: SIMD>(
        _ x: Lane, _ y: Lane, _ type: Elements.Type, _ body: (Elements.Scalar, Elements.Scalar) -> Elements.Scalar
    ) -> Lane {
        let (left, right) = (x.elements(type), y.elements(type))
        var result = left
        let half = Elements.scalarCount / 2
        for index in 0..<half {
            result[index] = body(left[2 * index], left[2 * index + 1])
            result[half + index] = body(right[2 * index], right[2 * index + 1])
        }
        return Lane(result)
    }

    /// The lowest elements of `x` in wider ones, sign- or zero-extended by their type.
    @inline(__always)
    static func widen<Narrow: SIMD, Wide: SIMD>(_ x: Lane, _ narrow: Narrow.Type, _ wide: Wide.Type) -> Lane
    where Narrow.Scalar: FixedWidthInteger, Wide.Scalar: FixedWidthInteger {
        let source = x.elements(narrow)
        var result = Wide()
        for index in result.indices { result[index] = Wide.Scalar(truncatingIfNeeded: source[index]) }
        return Lane(result)
    }

    /// Each element of `x` where the sign of `mask`'s is clear, of `y` where it is set.
    @inline(__always)
    static func blend<Elements: SIMD>(_ x: Lane, _ y: Lane, mask: Lane, _ type: Elements.Type) -> Lane
    where Elements.Scalar: FixedWidthInteger & SignedInteger {
        let (left, right, signs) = (x.elements(type), y.elements(type), mask.elements(type))
        var result = left
        for index in result.indices where signs[index] < 0 { result[index] = right[index] }
        return Lane(result)
    }

    /// The elements' signs, the lowest first.
    @inline(__always)
    func signs<Elements: SIMD>(_ type: Elements.Type) -> UInt32
    where Elements.Scalar: FixedWidthInteger & SignedInteger {
        let source = elements(type)
        var signs: UInt32 = 0
        for index in source.indices where source[index] < 0 { signs |= 1 << UInt32(index) }
        return signs
    }

    @inline(__always) static func & (x: Lane, y: Lane) -> Lane { Lane(x.bits & y.bits) }
    @inline(__always) static func | (x: Lane, y: Lane) -> Lane { Lane(x.bits | y.bits) }
    @inline(__always) static func ^ (x: Lane, y: Lane) -> Lane { Lane(x.bits ^ y.bits) }
    @inline(__always) static prefix func ~ (x: Lane) -> Lane { Lane(~x.bits) }
}

extension FixedWidthInteger {
    /// The sum, or the bound that it passes.
    @inline(__always)
    func addingSaturated(_ other: Self) -> Self {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (Self.isSigned && other < 0 ? .min : .max) : sum
    }

    /// The difference, or the bound that it passes.
    @inline(__always)
    func subtractingSaturated(_ other: Self) -> Self {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (Self.isSigned && other < 0 ? .max : .min) : difference
    }

    /// The average, halves rounded up.
    @inline(__always)
    func average(_ other: Self) -> Self { (self | other) &- ((self ^ other) &>> 1) }
}

// SPDX-License-Identifier: Apache-2.0

/// SplitMix64: the same operands for the same seed on every host.
package struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z &>> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z &>> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z &>> 31)
    }

    /// A number below `bound`, which is small: the bias does not matter here.
    package mutating func below(_ bound: Int) -> Int { Int(((next() &>> 32) &* UInt64(bound)) &>> 32) }
}

/// Draws operands that reach every path: uniform bit patterns, special values, boundaries and near-cancellations.
package struct OperandGenerator {
    private var random: SeededGenerator

    package init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    /// An operand of `format`, sometimes one near `relative`.
    package mutating func operand(_ format: OperandFormat, near relative: UInt64? = nil) -> UInt64 {
        guard let shape = format.shape else { return integer() }
        switch random.below(relative == nil ? 7 : 9) {
        case 0, 1: return random.next() & shape.mask
        case 2: return special(shape)
        case 3: return compose(shape, exponent: extremeExponent(shape), fraction: sparse())
        case 4: return compose(shape, exponent: shape.bias - 2 + random.below(68), fraction: sparse())
        case 5: return compose(shape, exponent: shape.bias - 70 + random.below(140), fraction: random.next())
        case 6: return compose(shape, exponent: shape.bias - 4 + random.below(8), fraction: random.next())
        default: return neighbour(of: relative ?? 0, shape)
        }
    }

    /// A pattern close to `value`, of either sign: sums of the two cancel, quotients are near one.
    private mutating func neighbour(of value: UInt64, _ shape: FormatShape) -> UInt64 {
        let distance = UInt64(bitPattern: Int64(random.below(17) - 8)) &<< UInt64(random.below(shape.fractionBits + 3))
        let sign = random.next() & (1 &<< UInt64(shape.width - 1))
        return ((value ^ sign) &+ (random.below(3) == 0 ? 0 : distance)) & shape.mask
    }

    private mutating func special(_ shape: FormatShape) -> UInt64 {
        let infinity = UInt64(shape.maximumExponent) &<< UInt64(shape.fractionBits)
        let quiet: UInt64 = 1 &<< UInt64(shape.fractionBits - 1)
        let one = UInt64(shape.bias) &<< UInt64(shape.fractionBits)
        let smallestNormal: UInt64 = 1 &<< UInt64(shape.fractionBits)
        let values: [UInt64] = [
            0, 1, 2, smallestNormal - 1, smallestNormal, smallestNormal + 1, one - 1, one, one + 1, one + quiet,
            one + smallestNormal, infinity - smallestNormal, infinity - 1, infinity, infinity + 1, infinity + quiet - 1,
            infinity + quiet, infinity + quiet + 1, infinity + smallestNormal - 1,
        ]
        return values[random.below(values.count)] | (random.next() & (1 &<< UInt64(shape.width - 1)))
    }

    private mutating func extremeExponent(_ shape: FormatShape) -> Int {
        let near = [0, shape.bias / 2, shape.bias, shape.bias * 3 / 2, shape.maximumExponent][random.below(5)]
        return near + random.below(2 * shape.fractionBits + 8) - shape.fractionBits - 4
    }

    /// Digits with few ones, few zeros or one long run: the shapes whose rounding goes wrong first.
    private mutating func sparse() -> UInt64 {
        switch random.below(5) {
        case 0: return 0
        case 1: return 1 &<< UInt64(random.below(64)) | 1 &<< UInt64(random.below(64))
        case 2: return ~(1 &<< UInt64(random.below(64)))
        case 3: return UInt64.max &<< UInt64(random.below(64))
        default: return UInt64.max &>> UInt64(random.below(64))
        }
    }

    private mutating func compose(_ shape: FormatShape, exponent: Int, fraction: UInt64) -> UInt64 {
        let field = UInt64(Swift.min(Swift.max(exponent, 0), shape.maximumExponent))
        let digits = fraction & ((1 &<< UInt64(shape.fractionBits)) - 1)
        return (random.next() & (1 &<< UInt64(shape.width - 1))) | field &<< UInt64(shape.fractionBits) | digits
    }

    private mutating func integer() -> UInt64 {
        let width = UInt64(random.below(64))
        switch random.below(5) {
        case 0: return random.next()
        case 1: return random.next() &>> width
        case 2: return UInt64(bitPattern: Int64(bitPattern: random.next()) &>> Int64(width))
        case 3: return (1 &<< width) &+ UInt64(bitPattern: Int64(random.below(5) - 2))
        default: return sparse()
        }
    }
}

/// The field widths of a floating-point format.
package struct FormatShape {
    package var exponentBits: Int
    package var fractionBits: Int
    package var width: Int { exponentBits + fractionBits + 1 }
    var bias: Int { (1 << (exponentBits - 1)) - 1 }
    var maximumExponent: Int { (1 << exponentBits) - 1 }
    package var mask: UInt64 { UInt64.max >> UInt64(64 - width) }
}

/// What a register operand of an instruction holds.
package enum OperandFormat: Sendable {
    case half, single, double, integer

    /// The fields, or nil for an integer.
    package var shape: FormatShape? {
        switch self {
        case .half: FormatShape(exponentBits: 5, fractionBits: 10)
        case .single: FormatShape(exponentBits: 8, fractionBits: 23)
        case .double: FormatShape(exponentBits: 11, fractionBits: 52)
        case .integer: nil
        }
    }

    /// `pattern` as an f register holds it: narrow formats with all ones above (RISC-V Unpriv 20240411 §21.2).
    package func boxed(_ pattern: UInt64) -> UInt64 { shape.map { pattern | ~$0.mask } ?? pattern }
}
